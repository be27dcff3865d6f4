"""A tiny random mPLUG-2 for the exporter's tests."""

from __future__ import annotations

import numpy as np
import torch

from export.build import build_graphs
from export.native import NativeGraph
from mplug2.config import DecoderConfig, FusionConfig, HeadsConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig
from mplug2.model import Mplug2

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "dog", "park", *(f"w{i}" for i in range(41))]
PATCH = 14


def tiny(bridge: bool = False, heads: bool = False, shared: bool = False) -> Mplug2:
    """`bridge`: vision and text differ in width; `heads`: match, embed and classify; `shared`: one word table."""
    torch.manual_seed(3)
    width = 48 if bridge else 64
    model = Mplug2(
        Mplug2Config(
            image_size=2 * PATCH,
            patch_size=PATCH,
            vision=VisionConfig(64, 2, 1, 96, stem_channels=3 * PATCH * PATCH),
            bridge=bridge,
            text=TextConfig(width, 4, 2, 4, 80, len(VOCABULARY), 32),
            latents=7,
            fusion=FusionConfig(2, 4),
            decoder=DecoderConfig(2),
            ids=TokenIds(0, 1, 2, 3, 4),
            heads=HeadsConfig(24, 1000) if heads else None,
        )
    )
    if shared:
        model.share_embeddings()
    return model.eval()


def native_graphs(model: Mplug2, variant: str = "float32") -> dict[str, NativeGraph]:
    """Every graph over weights of its own form: exact for float32, quantised (the model's too) for int8."""
    _, built = build_graphs(model, (variant,))
    return {b.name: NativeGraph(b) for b in built}


def close(found: np.ndarray, wanted: torch.Tensor, bound: float = 1e-4) -> bool:
    """Whether shapes agree and values to within `bound`."""
    return found.shape == tuple(wanted.shape) and float(np.abs(found - wanted.numpy()).max()) < bound
