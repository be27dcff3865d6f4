"""A checkpoint folder: config.json, vocab.txt, weights.safetensors; beside them what resuming needs."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2

from .text import write_vocabulary


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


def load_model(folder: Path, dropout: float = 0.0) -> tuple[Mplug2, list[str]]:
    """Reads what `save_model` wrote."""
    model = Mplug2(Mplug2Config.load(folder / "config.json"), dropout)
    model.share_embeddings()
    missing, unexpected = model.load_state_dict(load_file(folder / "weights.safetensors"), strict=False)
    tied = {"text_encoder.embeddings.word_embeddings.weight", "text_decoder.bert.embeddings.word_embeddings.weight"}
    lost = [name for name in missing if name not in tied and not name.endswith("num_batches_tracked")]
    if lost or unexpected:
        raise ValueError(f"{folder}: missing {lost[:3]}, unexpected {unexpected[:3]}")
    return model, (folder / "vocab.txt").read_text().splitlines()


def save_progress(folder: Path, **state: object) -> None:
    """Optimizer, step and random states, replaced in one go."""
    part = folder / "progress.part"
    torch.save(state, part)
    part.rename(folder / "progress.pt")
