"""Named weights on their way to the shards: float32, or in fewer bits (`export.rounding`) as `export.stored_forms` says."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .errors import BeyondFloat16
from .losses import Loss
from .rounding import BLOCK, block_quantise, dequantised, fits_blocks, from_blocks, outlier_rows, quantise
from .stored_forms import Forms

WriteBack = Callable[[np.ndarray], None]
"""Puts a stored weight's values into the parameters that it was made of."""

BITS = {"float32": 32, "float16": 16, "int8": 8, "uint4": 4}
"""Of a number, by the types that weights are stored in; 4-bit numbers lie two in a byte."""


@dataclass
class Weight:
    """One stored weight. Its bytes are in memory until its module is written; from then on `read` finds them on the disk."""

    name: str
    module: str
    dtype: str
    shape: tuple[int, ...]
    """Of uint4 out×blocks×64."""
    read: Callable[[], np.ndarray]
    axis: int | None = None
    """Of int8, along which the scales run."""
    scales: np.ndarray | None = None
    """float32 along `axis`, or of uint4 float16 out×blocks; stored as a weight of their own, `scales_name`."""
    written: bool = False
    outliers: "Weight | None" = None
    """Of a matrix: those of its rows that are zero here, since they are so large that they have a matrix with scales of its own."""
    rows: "Weight | None" = None
    """Which rows those are: their numbers as float32."""
    part: str = ""
    """Weights of a module that no graph reads together lie in blobs of their own, by this name."""

    @staticmethod
    def of(name: str, module: str, stored: np.ndarray, axis: int | None = None, scales: np.ndarray | None = None) -> "Weight":
        """A weight in memory: float32, float16, int8, or, as uint8, 4-bit numbers in pairs."""
        if stored.dtype == np.uint8:
            return Weight(name, module, "uint4", (*stored.shape[:2], BLOCK), lambda: stored, None, scales)
        return Weight(name, module, str(stored.dtype), stored.shape, lambda: stored, axis, scales)

    @property
    def stored(self) -> np.ndarray:
        """The array whose bytes are kept; of uint4 uint8 out×blocks×32."""
        return self.read()

    @property
    def widened(self) -> np.ndarray:
        """What its own bytes mean, float32; of uint4 a matrix in×out."""
        if self.dtype == "uint4":
            return from_blocks(self.stored, self.scales)
        if self.dtype == "int8" and self.axis is not None:
            return dequantised(self.stored, self.axis, self.scales)
        return self.stored.astype(np.float32, copy=False)

    @property
    def values(self) -> np.ndarray:
        """The tensor that was stored, as nearly as it was: `widened`, with the outlying rows in their places."""
        values = self.widened
        if self.outliers is not None and self.rows is not None:
            values[self.rows.stored.astype(np.int64)] = self.outliers.widened
        return values

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Of `stored`."""
        return (*self.shape[:2], BLOCK // 2) if self.dtype == "uint4" else self.shape

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes are kept."""
        return self.size * BITS[self.dtype] // 8

    @property
    def scales_name(self) -> str:
        """The weight that holds the scales of this one."""
        return f"{self.name}.scales"

    @property
    def all(self) -> "list[Weight]":
        """This one and all that belong to it, in the order in which they are stored."""
        scales = [] if self.scales is None else [Weight.of(self.scales_name, self.module, self.scales)]
        more = [] if self.outliers is None or self.rows is None else [self.rows, *self.outliers.all]
        return [*scales, *more, self]


@dataclass(frozen=True)
class Large:
    """A large tensor, float32, as a graph's builder hands it over."""

    name: str
    module: str
    values: np.ndarray
    axis: int
    """Along which an output channel's place is counted."""
    product: bool
    """Whether it is the matrix in×out of a product and nothing else, so that 4-bit kernels can read it."""

    def stored_as(self, kind: str) -> str:
        """The kind itself; for what 4-bit kernels can't read int8 in place of theirs."""
        return "int8" if kind == "int4" and not (self.product and fits_blocks(self.values)) else kind


def rounded(large: Large, kind: str, name: str) -> Weight:
    """A large tensor as it is stored in a kind."""
    values = np.ascontiguousarray(large.values, np.float32)
    rows = outlier_rows(values) if large.product and kind in ("int8", "int4") else np.empty(0, np.int64)
    if len(rows):
        few = rounded(replace(large, values=values[rows], product=False), "int8", outliers_name(name))
        values = values.copy()
        values[rows] = 0
        weight = rounded(replace(large, values=values, product=False), kind, name)
        weight.outliers = few
        weight.rows = Weight.of(rows_name(name), large.module, rows.astype(np.float32))
        return weight
    if kind == "float32":
        return Weight.of(name, large.module, values)
    if kind == "float16":
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        return Weight.of(name, large.module, within_float16(half, large.name))
    if kind == "int4":
        packed, scales = block_quantise(values)
        return Weight.of(name, large.module, packed, None, within_float16(scales, large.name))
    stored, scales = quantise(values, large.axis)
    return Weight.of(name, large.module, stored, large.axis, scales)


def outliers_name(name: str) -> str:
    """The weight that holds a matrix's outlying rows."""
    return f"{name}.outliers"


def rows_name(name: str) -> str:
    """The weight that tells which rows of a matrix outlie."""
    return f"{name}.outliers.rows"


def within_float16(numbers: np.ndarray, name: str) -> np.ndarray:
    """The same numbers; refuses those that were too large."""
    if not np.isfinite(numbers).all():
        raise BeyondFloat16(f"{name} holds numbers too large for float16", "export its module as int8 or float32")
    return numbers


class WeightStore:
    """All weights of a model by name. A weight that two graphs ask for under one name is stored once, in each of the kinds that
    its module is stored in; `losses` tells what rounding cost."""

    def __init__(self, forms: Forms) -> None:
        self.weights: dict[str, Weight] = {}
        self.losses: dict[str, Loss] = {}
        self.forms = forms

    def add_float(self, name: str, module: str, values: np.ndarray, write_back: WriteBack | None = None) -> str:
        """Keeps a small tensor as it is; `write_back` puts other values in its place (`export.exported`)."""
        values = np.ascontiguousarray(values, np.float32)
        return self._add(Weight.of(name, module, values))

    def add_large(self, large: Large, form: str, write_back: WriteBack) -> str:
        """Keeps a large tensor for a graph of a form, and returns its name. `write_back` receives the values of the first of its
        module's kinds, so that the PyTorch model can compute with exactly what is shipped."""
        kind = large.stored_as(self.forms.kind(large.module, form))
        kinds = list(dict.fromkeys(large.stored_as(each) for each in self.forms.kinds(large.module)))
        first = kind == kinds[0]
        name = large.name if first else f"{large.name}.{kind}"
        known = self.weights.get(name)
        if known is not None:
            # Of a module written earlier, whose parameters have been read anew.
            if first and known.written and kind != "float32":
                write_back(known.values)
            return name
        weight = rounded(large, kind, name)
        if kind != "float32":
            values = weight.values
            self.losses[name] = Loss.between(large.module, self.forms.kind(large.module, form), large.values, values)
            if first:
                write_back(values)
        for each in weight.all:
            each.part = kind if len(kinds) > 1 else ""
            self._add(each)
        return name

    def _add(self, weight: Weight) -> str:
        known = self.weights.setdefault(weight.name, weight)
        if known is not weight and not np.array_equal(known.stored, weight.stored):
            raise ValueError(f"two different tensors are named {weight.name}")
        return weight.name
