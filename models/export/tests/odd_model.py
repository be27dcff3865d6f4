"""A tiny random mPLUG-2 of odd sizes, none of which is another's multiple, for the exporter's tests."""

from __future__ import annotations

import torch

from mplug2.config import DecoderConfig, FusionConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig
from mplug2.model import Mplug2

PATCH, SIZE = 5, 15


def odd(bridge: bool = True, universal_layers: int = 2) -> Mplug2:
    """Nine cells a frame; widths 42 and 45 with a bridge between them, else 42 and 42; three blocks of three heads."""
    torch.manual_seed(5)
    text = TextConfig(45 if bridge else 42, 5, universal_layers, 3, 77, 53, 37)
    ids = TokenIds(0, 1, 2, 3, 4)
    vision = VisionConfig(42, 3, 3, 101, stem_channels=3 * PATCH * PATCH)
    model = Mplug2(Mplug2Config(SIZE, PATCH, vision, bridge, text, 11, FusionConfig(3, 5), DecoderConfig(3), ids))
    # Zero where they begin: as they are, a forgotten one would not be noticed.
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter.data, parameter.data.mean().item(), 0.1)
    return model.eval()
