"""How far probabilities can be believed: expected calibration error (Guo et al. 2017), and what a temperature mends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bootstrap import Estimate, interval, resamples

BINS = 10


@dataclass(frozen=True)
class Bin:
    """What lies in one tenth of the probabilities."""

    low: float
    high: float
    count: int
    probability: float
    """Mean of those stated."""
    right: float
    """Mean of how right it was."""


@dataclass(frozen=True)
class Calibration:
    """Of one task. The error after the temperature is honest: each half of the photos gets the temperature that the
    other half asks for; `temperature` is that of all."""

    split: str
    count: int
    error: Estimate
    error_with_temperature: float
    temperature: float
    bins: list[Bin]


def bins_of(probabilities: np.ndarray) -> np.ndarray:
    """Which of the equal bins over 0–1 each lies in."""
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)


def reliability(probabilities: np.ndarray, right: np.ndarray) -> list[Bin]:
    """Equal bins over 0–1, empty ones left out; `right` is between 0 and 1."""
    which = bins_of(probabilities)
    found = []
    for i in range(BINS):
        inside = which == i
        if inside.any():
            means = float(probabilities[inside].mean()), float(right[inside].mean())
            found.append(Bin(i / BINS, (i + 1) / BINS, int(inside.sum()), *means))
    return found


def calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Mean over everything of the distance between its bin's probability and rightness."""
    bins = reliability(probabilities, right)
    return sum(b.count * abs(b.probability - b.right) for b in bins) / sum(b.count for b in bins)


def estimated_error(probabilities: np.ndarray, right: np.ndarray, rows: np.ndarray) -> Estimate:
    """The error with its interval, photos (`rows`: the number of each one's) drawn with all that belongs to them. A resample
    is never better calibrated by being smaller, so that the interval may lie above the figure."""
    which = bins_of(probabilities)
    # How far a photo moves each bin's sum: the error is the sum of their sizes over the number of probabilities.
    off = np.zeros((rows.max() + 1, BINS))
    np.add.at(off, (rows, which), probabilities - right)
    draws = resamples(len(off))
    errors = np.abs(draws @ off).sum(1) / (draws @ np.bincount(rows))
    return Estimate(calibration_error(probabilities, right), *interval(errors))


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """log p / (1 − p), p kept a millionth away from 0 and 1."""
    p = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The log-odds divided by the temperature: for two classes what dividing their logits does."""
    return 1 / (1 + np.exp(-log_odds(probabilities) / temperature))


def best_temperature(probabilities: np.ndarray, right: np.ndarray) -> float:
    """The one of 0.25 … 8 that makes what happened likeliest."""
    odds = log_odds(probabilities)

    def loss(temperature: float) -> float:
        scaled = odds / temperature
        return float((right * np.logaddexp(0, -scaled) + (1 - right) * np.logaddexp(0, scaled)).mean())

    return float(min(np.geomspace(0.25, 8, 101), key=loss))


def calibrate(split: str, probabilities: np.ndarray, right: np.ndarray, photos: Sequence[str]) -> Calibration:
    """The table and the errors of one task, a photo's all in one half."""
    rows = np.unique(np.asarray(photos), return_inverse=True)[1]
    scaled = np.zeros(len(probabilities))
    for half in (rows % 2 == 0, rows % 2 == 1):
        if half.any() and (~half).any():
            scaled[half] = with_temperature(probabilities[half], best_temperature(probabilities[~half], right[~half]))
    return Calibration(
        split=split,
        count=len(probabilities),
        error=estimated_error(probabilities, right, rows),
        error_with_temperature=calibration_error(scaled, right),
        temperature=best_temperature(probabilities, right),
        bins=reliability(probabilities, right),
    )


def markdown(found: Calibration) -> str:
    """The reliability table."""
    rows = [
        f"{found.split}: expected calibration error {found.error},"
        f" {found.error_with_temperature:.4f} with a temperature fitted on the other half of the photos"
        f" ({found.temperature:.2f} on all)",
        "",
        "| probability | of | mean probability | mean accuracy |",
        "|---|---|---|---|",
    ]
    rows += [f"| {b.low:.1f} – {b.high:.1f} | {b.count} | {b.probability:.3f} | {b.right:.3f} |" for b in found.bins]
    return "\n".join(rows) + "\n"
