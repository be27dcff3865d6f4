"""Tiny random checkpoints in the authors' form, with all that a released one holds, for the importer's tests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_model import VOCABULARY, tiny

from export.random_checkpoint import random_tensor
from export.released import ClipText, position_ids, shapes_of
from mplug2.config import Mplug2Config

CLIP = ClipText(width=16, embed=8, layers=1, context=6, vocab=12)
State = dict[str, torch.Tensor]

TINY = tiny().config


def state(config: Mplug2Config = TINY, twins: bool = False) -> State:
    """`twins`: with the momentum twins of a question-answering checkpoint."""
    tensors = {name: random_tensor(name, shape, 0, False) for name, shape in shapes_of(config, CLIP).items()}
    tensors |= {name: torch.arange(shape[1])[None] for name, shape in position_ids(config).items()}
    if twins:
        tensors |= {f"{n.split('.')[0]}_m.{n.split('.', 1)[1]}": tensor.clone() for n, tensor in tensors.items()}
    return tensors


def write_config(folder: Path, **changes: object) -> None:
    """What the shapes of TINY do not tell, and more; a section is given whole."""
    told = {"text": {"heads": TINY.text.heads}, "fusion": {"layers": TINY.fusion.layers}}
    (folder / "config.json").write_text(json.dumps(told | changes))


def write(folder: Path, tensors: State) -> Path:
    """As one file of safetensors, with vocabulary and configuration beside it."""
    folder.mkdir(exist_ok=True)
    write_config(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    save_file(tensors, folder / "model.safetensors")
    return folder


def bridged() -> Mplug2Config:
    """A configuration whose widths differ."""
    return replace(TINY, bridge=True, text=replace(TINY.text, width=48))
