"""Named weights on their way to the shards: float32, or int8 with one scale per output channel (symmetric)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


WriteBack = Callable[[np.ndarray], None]
"""Puts a stored weight's values into the parameters that it was made of."""


@dataclass
class Weight:
    """One stored weight. Its bytes are in memory until its module is written; from then on `read` finds them on the disk."""

    name: str
    module: str
    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]
    axis: int | None = None
    scales: np.ndarray | None = None
    """Along `axis`, float32; stored as a weight of their own, `scales_name`."""
    written: bool = False

    @staticmethod
    def of(name: str, module: str, stored: np.ndarray, axis: int | None = None, scales: np.ndarray | None = None) -> "Weight":
        """A weight in memory."""
        return Weight(name, module, str(stored.dtype), stored.shape, lambda: stored, axis, scales)

    @property
    def stored(self) -> np.ndarray:
        """The array whose bytes are kept."""
        return self.read()

    @property
    def values(self) -> np.ndarray:
        """What the bytes mean, float32."""
        return self.stored if self.axis is None else dequantised(self.stored, self.axis, self.scales)

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes are kept."""
        return self.size * np.dtype(self.dtype).itemsize

    @property
    def scales_name(self) -> str:
        """The weight that holds the scales of this one."""
        return f"{self.name}.scales"


def dequantised(stored: np.ndarray, axis: int, scales: np.ndarray) -> np.ndarray:
    """int8 · scale along an axis, float32."""
    shape = [1] * stored.ndim
    shape[axis] = -1
    return stored.astype(np.float32) * scales.reshape(shape)


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
        return self._add(Weight.of(name, module, values))

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
        known = self.weights.get(name)
        if known is not None:
            # Of a module written earlier, whose parameters have been read anew.
            if known.written and known.axis is not None:
                write_back(known.values)
            return name
        if not self.quantised:
            return self.add_float(name, module, values)
        stored, scales = quantise(np.ascontiguousarray(values, np.float32), axis)
        write_back(dequantised(stored, axis, scales))
        self.add_float(f"{name}.scales", module, scales)
        return self._add(Weight.of(name, module, stored, axis, scales))

    def _add(self, weight: Weight) -> str:
        known = self.weights.setdefault(weight.name, weight)
        if known is not weight and not np.array_equal(known.stored, weight.stored):
            raise ValueError(f"two different tensors are named {weight.name}")
        return weight.name
