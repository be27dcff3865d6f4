"""Reads an exported owlet-mini back into PyTorch, so that training can start from what is shipped.

The exporter's own builders walk over a new model; every weight that they ask for is found in the folder instead and
put into the parameters that it was made of. What int8 lost stays lost; parameters that no graph reads begin anew.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mplug2.config import HeadsConfig, Mplug2Config, owlet_mini
from mplug2.model import Mplug2

from .build import build_variant
from .shards import written_weight
from .stage import MANIFEST
from .stored_forms import Forms
from .tensors import Large, WeightStore, WriteBack
from .vision_graph import norm_pairs

EMBEDDING, CLASSES = 384, 1000
FLOAT32 = Forms(("float32",))


class ExportedStore(WeightStore):
    """Gives the weights of a folder in place of those of the model that asks."""

    def __init__(self, folder: Path, manifest: dict) -> None:
        super().__init__(FLOAT32)
        self._blobs = folder / "blobs"
        self._manifest = manifest

    def __contains__(self, name: str) -> bool:
        return name in self._manifest["tensors"]

    def values(self, name: str) -> np.ndarray:
        """What a tensor's bytes mean, float32; KeyError where the folder has none of that name."""
        return written_weight(self._blobs, self._manifest["blobs"], self._manifest["tensors"], name).values

    def add_float(self, name: str, module: str, values: np.ndarray, write_back: WriteBack | None = None) -> str:
        if name in self.weights:
            return name
        found = self.values(name)
        if found.shape != values.shape:
            raise ValueError(f"{name} has the shape {found.shape}, not {values.shape}")
        if write_back is not None:
            write_back(found)
        return super().add_float(name, module, found)

    def add_large(self, large: Large, form: str, write_back: WriteBack) -> str:
        return self.add_float(large.name, large.module, large.values, write_back)


def config_of(manifest: dict, vocabulary: list[str]) -> Mplug2Config:
    """The configuration of an owlet-mini, for captions alone or for every task."""
    config = owlet_mini(len(vocabulary))
    return replace(config, heads=HeadsConfig(EMBEDDING, CLASSES), tasks=None) if "match" in manifest["tasks"] else config


@torch.no_grad()
def unfold_batch_norms(folded: torch.nn.Module, stem: torch.nn.Module) -> None:
    """Convolutions with their norms taken in → convolutions and norms that do the same. The norms of `stem`, ImageNet's, keep
    their statistics and scales, which tell the exporter what a channel's outputs are like."""
    for (owner, conv, norm), (source, _, _) in zip(norm_pairs(stem), norm_pairs(folded), strict=True):
        whole, target = getattr(source, conv), getattr(owner, norm)
        scale = target.weight / (target.running_var + target.eps).sqrt()
        getattr(owner, conv).weight.copy_(whole.weight / scale[:, None, None, None])
        target.bias.copy_(whole.bias + target.running_mean * scale)


def read_manifest(folder: Path) -> dict:
    """The manifest of an exported model."""
    return json.loads((folder / MANIFEST).read_text())


def fill(model: Mplug2, folder: Path) -> None:
    """Puts a folder's weights into a model of its configuration; the batch norms of a stem end up folded. KeyError or
    ValueError where a tensor is missing or has another shape."""
    build_variant(ExportedStore(folder, read_manifest(folder)), model, "float32")


def is_exported(folder: Path) -> bool:
    """Whether the folder holds an exported model."""
    return (folder / MANIFEST).exists()


def read_exported(folder: Path) -> tuple[Mplug2, list[str]]:
    """The model of an exported owlet-mini, and its vocabulary."""
    manifest = read_manifest(folder)
    ids = json.loads((folder / manifest["tokenizer"]["tokenizer"]["path"]).read_text())["model"]["vocab"]
    vocabulary = sorted(ids, key=ids.__getitem__)
    config = config_of(manifest, vocabulary)
    read, model = Mplug2(config), Mplug2(config)
    for one in (read, model):
        one.share_embeddings()
    fill(read, folder)
    stem = {name: tensor for name, tensor in model.state_dict().items() if name.startswith("stem.")}
    rest = {name: tensor for name, tensor in read.state_dict().items() if not name.startswith("stem.")}
    model.load_state_dict(stem | rest)
    unfold_batch_norms(read.stem, model.stem)
    return model, vocabulary
