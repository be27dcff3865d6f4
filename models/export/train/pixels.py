"""Training from pixels: the stem's early blocks stay as ImageNet made them, the late ones are trained."""

from __future__ import annotations

import numpy as np
import torch

from mplug2.model import Mplug2
from mplug2.stem import stem_input

from .data import PhotoTars
from .augment import squashed
from .generate import greedy_captions

FIRST_TRAINED_BLOCK = 8
BLOCKS = 21
LATE = (*(f"stem.net._blocks.{i}." for i in range(FIRST_TRAINED_BLOCK, BLOCKS)), "stem.net._conv_head.")
"""Names of the stem's trained parameters begin so."""


def early(net: torch.nn.Module, pixels: np.ndarray) -> torch.Tensor:
    """Bytes N×R×R×3 through the blocks that are never trained."""
    with torch.no_grad():
        x = net._swish(net._bn0(net._conv_stem(stem_input(pixels))))
        for block in net._blocks[:FIRST_TRAINED_BLOCK]:
            x = block(x)
    return x


def late(net: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The rest of the stem → cells N×1×HW×C."""
    for block in net._blocks[FIRST_TRAINED_BLOCK:]:
        x = block(x)
    x = net._swish(net._bn1(net._conv_head(x)))
    return x.flatten(2).transpose(1, 2)[:, None]


def say_captions(model: Mplug2, vocabulary: list[str], tars: PhotoTars, images: list[str]) -> list[tuple[str, str]]:
    """Greedy captions of photos as they are."""
    said = []
    for first in range(0, len(images), 50):
        some = images[first : first + 50]
        size = model.config.image_size
        pixels = np.stack([squashed(tars.open(image), size) for image in some])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            cells = late(model.stem.net, early(model.stem.net, pixels))[:, 0].float().numpy()
        said += zip(some, greedy_captions(model, vocabulary, cells, range(len(some))))
    return said
