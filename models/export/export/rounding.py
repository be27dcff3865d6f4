"""float32 weights in fewer bits: int8 with a scale per channel, and blocks of 4-bit numbers with a float16 scale each."""

from __future__ import annotations

import numpy as np

BLOCK = 64
"""Numbers that share a scale: inputs of one output channel that follow each other."""
ZERO = 8
"""The 4-bit number that means nought."""


OUTLIER, MOST_OUTLIERS = 4, 1 / 16
"""A row of a matrix in×out whose greatest magnitude is so many times the median row's is an outlier, where no more than such a
share of the rows are."""


def outlier_rows(matrix: np.ndarray) -> np.ndarray:
    """Numbers of the rows of a matrix in×out that would spoil the steps of all others, since a scale serves a column."""
    largest = np.abs(matrix).max(1)
    rows = np.flatnonzero(largest > OUTLIER * np.median(largest))
    return rows if len(rows) <= MOST_OUTLIERS * len(matrix) else rows[:0]


def quantise(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 → (int8, scales along `axis`), values ≈ int8 · scale, |int8| ≤ 127; an all-zero channel has scale 1."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    largest = np.abs(values).max(axis=others)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.clip(np.round(values / scales.reshape(shape)), -127, 127).astype(np.int8), scales


def dequantised(stored: np.ndarray, axis: int, scales: np.ndarray) -> np.ndarray:
    """int8 · scale along an axis, float32."""
    shape = [1] * stored.ndim
    shape[axis] = -1
    return stored.astype(np.float32) * scales.reshape(shape)


def fits_blocks(matrix: np.ndarray) -> bool:
    """Whether a matrix in×out can be stored in whole blocks."""
    return matrix.ndim == 2 and matrix.shape[0] % BLOCK == 0


def block_quantise(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 in×out → (uint8 out×blocks×32, each byte two 4-bit numbers, the first in its low half; float16 scales
    out×blocks), as MatMulNBits reads them: value = (number − 8) · scale.

    The value of greatest magnitude in a block becomes −8, whichever its sign: all sixteen numbers serve. A scale that float16
    has not is infinite.
    """
    blocks = np.ascontiguousarray(matrix.T).reshape(matrix.shape[1], -1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    with np.errstate(over="ignore"):
        scales = np.where(largest != 0, largest / -ZERO, 1).astype(np.float16)
    # Values so small that their scale is no float16 above zero are zeros.
    divisors = np.where(scales == 0, np.inf, scales.astype(np.float32))
    numbers = np.clip(np.round(blocks / divisors[..., None]) + ZERO, 0, 15).astype(np.uint8)
    return numbers[..., 0::2] | (numbers[..., 1::2] << 4), scales


def from_blocks(stored: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """What `block_quantise` gave as float32, in×out."""
    numbers = np.stack([stored & 15, stored >> 4], -1).reshape(*scales.shape, BLOCK).astype(np.float32)
    numbers -= ZERO
    numbers *= scales.astype(np.float32)[..., None]
    return np.ascontiguousarray(numbers.reshape(len(stored), -1).T)
