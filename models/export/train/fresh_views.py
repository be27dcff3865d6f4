"""Cells of photos as no step saw them before: every photo is augmented anew and run through the resting stem."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from mplug2.config import owlet_mini
from mplug2.stem import EfficientNetLiteStem, stem_input

from .augment import augmented
from .data import PHOTO_SETS, PhotoTars
from .resting_stem import resting


class FreshViews:
    """Stands in for stored views: costs a fifth of a step, and no photo can be known by heart from its cells."""

    def __init__(self, data: Path, stem: EfficientNetLiteStem, photos: int) -> None:
        """`photos` is how many a step has."""
        self._tars = PhotoTars(data, PHOTO_SETS)
        self._size = owlet_mini(0).image_size
        self._stem = resting(stem, photos)

    @torch.inference_mode()
    def _cells(self, pixels: np.ndarray) -> torch.Tensor:
        return self._stem(stem_input(pixels))[:, None]

    def __call__(self, images: list[str], mirror_allowed: list[bool], rng: random.Random) -> torch.Tensor:
        """P×1×HW×C bfloat16; half of the photos that may be are mirrored."""
        # A copy, since inference tensors can't be saved for a backward pass.
        return self._cells(augmented(self._tars, images, mirror_allowed, self._size, rng)).clone()
