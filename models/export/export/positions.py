"""The vision encoder's positions for another picture size than a checkpoint's."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import interpolate

POSITIONS = "visual_encoder.visual.positional_embedding"


def side_of(places: int) -> int | None:
    """Cells along one side of a frame, of a class token and so many cells; None where they are no square."""
    side = math.isqrt(places - 1) if places > 1 else 0
    return side if side and side**2 == places - 1 else None


def resized(positions: torch.Tensor, side: int) -> torch.Tensor:
    """float32 (1 + g·g)×D → (1 + side·side)×D: the class token's row as it is, the cells' bilinearly, with half-pixel centres, as
    the authors' code does."""
    old = side_of(len(positions))
    cells = positions[1:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    cells = interpolate(cells, (side, side), mode="bilinear", align_corners=False)
    return torch.cat([positions[:1], cells[0].flatten(1).T]).contiguous()
