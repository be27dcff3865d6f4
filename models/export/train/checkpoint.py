"""A checkpoint folder: config.json, vocab.txt, weights.safetensors; beside them what resuming needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from export.exported import is_exported, read_exported
from mplug2.config import HeadsConfig, Mplug2Config
from mplug2.model import Mplug2
from mplug2.stem import imagenet_classifier

from .text import write_vocabulary

HEADS = ("vision_proj.", "text_proj.", "itm_head.", "class_head.")


def save_model(folder: Path, model: Mplug2, vocabulary: list[str]) -> None:
    """Writes the three files; the weights appear under their name only when whole."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save(folder / "config.json")
    write_vocabulary(folder / "vocab.txt", vocabulary)
    shared: dict[int, str] = {}
    state = {}
    for name, tensor in model.state_dict().items():
        # A tensor under two names (the shared word table) is stored once, as safetensors asks.
        if tensor.numel() and shared.setdefault(tensor.data_ptr(), name) == name:
            state[name] = tensor.contiguous()
    part = folder / "weights.part"
    save_file(state, part)
    part.rename(folder / "weights.safetensors")


def load_model(folder: Path, dropout: float = 0.0, heads: HeadsConfig | None = None) -> tuple[Mplug2, list[str]]:
    """Reads what `save_model` wrote, or an exported model with what int8 left of its weights. Where the folder's model has
    no heads and `heads` is given, they are begun."""
    if is_exported(folder):
        stored, vocabulary = read_exported(folder)
        config, weights = stored.config, stored.state_dict()
    else:
        vocabulary = (folder / "vocab.txt").read_text().splitlines()
        config, weights = Mplug2Config.load(folder / "config.json"), load_file(folder / "weights.safetensors")
    begun = config.heads is None and heads is not None
    # With the heads every task begins to be trained.
    model = Mplug2(replace(config, heads=heads, tasks=None) if begun else config, dropout)
    model.share_embeddings()
    if begun:
        begin_heads(model)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if begun:
        missing = [name for name in missing if not name.startswith(HEADS)]
    tied = {"text_encoder.embeddings.word_embeddings.weight", "text_decoder.bert.embeddings.word_embeddings.weight"}
    lost = [name for name in missing if name not in tied and not name.endswith("num_batches_tracked")]
    if lost or unexpected:
        raise ValueError(f"{folder}: missing {lost[:3]}, unexpected {unexpected[:3]}")
    return model, vocabulary


def begin_heads(model: Mplug2) -> None:
    """Projections start as the identity (MiniLM's mean is a sentence embedding already), the class head as ImageNet's;
    the taps of the neighbouring frames, which photos never touch, start at zero."""
    with torch.no_grad():
        for block in model.visual_encoder["visual"].transformer["resblocks"]:
            for mixing in (block.lmhra1, block.lmhra2):
                mixing.conv.weight[:, :, ::2] = 0
        for projection in (model.vision_proj, model.text_proj):
            projection.weight.copy_(torch.eye(*projection.weight.shape))
        torch.nn.init.normal_(model.itm_head.weight, std=0.02)
        torch.nn.init.zeros_(model.itm_head.bias)
        original = imagenet_classifier()
        model.class_head.weight.copy_(original.weight)
        model.class_head.bias.copy_(original.bias)


def save_progress(folder: Path, **state: object) -> None:
    """Optimizer, step and random states, replaced in one go."""
    part = folder / "progress.part"
    torch.save(state, part)
    part.rename(folder / "progress.pt")
