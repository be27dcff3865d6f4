"""How many frames a video's caption is made of, and how they are resized."""

from __future__ import annotations

from mplug2.config import Mplug2Config

# The reference's sixteen by nearest neighbour, or what owlet-mini was trained on.
REFERENCE_FRAMES = {"count": 16, "resize": "nearest"}
MINI_FRAMES = {"count": 8, "resize": "bicubic"}


def frames_of(config: Mplug2Config) -> dict:
    """What the manifest says of a video's frames."""
    return REFERENCE_FRAMES if config.vision.stem == "conv3d" else MINI_FRAMES
