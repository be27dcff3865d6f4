"""Percentile bootstrap over photos (Efron and Tibshirani 1993, chapter 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAMPLES = 1000
SEED = 0


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def resamples(photos: int, samples: int = SAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each photo is drawn in each resample: float64 of shape (samples, photos)."""
    generator = np.random.default_rng(seed)
    draws = generator.integers(0, photos, (samples, photos))
    return np.stack([np.bincount(row, minlength=photos) for row in draws]).astype(np.float64)


def interval(values: np.ndarray, coverage: float = 0.95) -> tuple[float, float]:
    """The interval that holds that share of a statistic's resampled values, shape (samples,)."""
    low, high = np.quantile(values, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def mean_by_photo(values: Sequence[float] | np.ndarray, photos: Sequence[str]) -> Estimate:
    """The mean of `values`, and its interval where whole photos are drawn with all that belongs to each."""
    values = np.asarray(values, np.float64)
    rows = np.unique(np.asarray(photos), return_inverse=True)[1]
    sums, counts = np.bincount(rows, values), np.bincount(rows).astype(np.float64)
    draws = resamples(len(counts))
    return Estimate(float(values.mean()), *interval((draws @ sums) / (draws @ counts)))
