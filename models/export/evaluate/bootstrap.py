"""Percentile bootstrap over photos (Efron and Tibshirani 1993, chapter 13)."""

from __future__ import annotations

import numpy as np

SAMPLES = 1000
SEED = 0


def resamples(photos: int, samples: int = SAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each photo is drawn in each resample: float64 of shape (samples, photos)."""
    generator = np.random.default_rng(seed)
    draws = generator.integers(0, photos, (samples, photos))
    return np.stack([np.bincount(row, minlength=photos) for row in draws]).astype(np.float64)


def interval(values: np.ndarray, coverage: float = 0.95) -> tuple[float, float]:
    """The interval that holds that share of a statistic's resampled values, shape (samples,)."""
    low, high = np.quantile(values, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)
