"""Named weights on their way to the shards: float32, or int8 with one scale per output channel (symmetric)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


WriteBack = Callable[[np.ndarray], None]
"""Puts a stored weight's values into the parameters that it was made of."""


@dataclass(frozen=True)
class Weight:
    """One stored weight. `values` is what the bytes mean (dequantised), `stored` the array whose bytes are kept."""

    name: str
    module: str
    stored: np.ndarray
    values: np.ndarray
    axis: int | None
    scales: str | None


def quantise(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 → (int8, scales along `axis`), values ≈ int8 · scale, |int8| ≤ 127; an all-zero channel has scale 1."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    largest = np.abs(values).max(axis=others)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.clip(np.round(values / scales.reshape(shape)), -127, 127).astype(np.int8), scales


class WeightStore:
    """All weights of a model by name. A weight that two graphs ask for under one name is stored once.
    Large ones are int8 where `quantised`, else float32 as everything."""

    def __init__(self, quantised: bool = True) -> None:
        self.weights: dict[str, Weight] = {}
        self.quantised = quantised

    def add_float(self, name: str, module: str, values: np.ndarray, write_back: WriteBack | None = None) -> str:
        """Keeps a small tensor as it is; `write_back` puts other values in its place (`export.exported`)."""
        values = np.ascontiguousarray(values, np.float32)
        return self._add(Weight(name, module, values, values, None, None))

    def add_large(
        self,
        name: str,
        module: str,
        values: np.ndarray,
        axis: int,
        write_back: WriteBack,
    ) -> str:
        """Keeps a large tensor; where it is quantised, `write_back` receives the dequantised values, so that the
        PyTorch model can compute with exactly what is shipped."""
        if name in self.weights:
            return name
        if not self.quantised:
            return self.add_float(name, module, values)
        stored, scales = quantise(np.ascontiguousarray(values, np.float32), axis)
        shape = [1] * values.ndim
        shape[axis] = -1
        meant = stored.astype(np.float32) * scales.reshape(shape)
        write_back(meant)
        self.add_float(f"{name}.scales", module, scales)
        return self._add(Weight(name, module, stored, meant, axis, f"{name}.scales"))

    def _add(self, weight: Weight) -> str:
        known = self.weights.setdefault(weight.name, weight)
        if known is not weight and not np.array_equal(known.stored, weight.stored):
            raise ValueError(f"two different tensors are named {weight.name}")
        return weight.name
