"""Writes a random checkpoint of a released shape under the authors' names, with all that a released one holds.

python -m export.random_checkpoint --shape large --out DIR [--seed N] [--outliers] [--form pth]

Weights are N(0, 0.02), gains of LayerNorms N(1, 0.1). With `--outliers` 1 % of the input channels of every matrix are 8 times as
large, which a scale per output channel cannot follow. The same seed gives the same bytes. Files hold no configuration: an export
tells it from the tensors.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mplug2.config import Mplug2Config

from .released import BASE, CLIP_TEXT, LARGE, ClipText, position_ids, shapes_of
from .skipped import SECOND_NAMES

SHAPES = {"large": LARGE, "base": BASE}
SHARD_BYTES = 512 * 1024**2
DEVIATION, GAIN_DEVIATION = 0.02, 0.1
OUTLIERS, OUTLIER_FACTOR = 0.01, 8
INDEX = "model.safetensors.index.json"


def is_gain(name: str) -> bool:
    """Whether a tensor is the gain of a LayerNorm."""
    return name.endswith(".weight") and any(part in name for part in ("LayerNorm.", "layer_norm.", "_norm.", ".ln"))


def random_tensor(name: str, shape: tuple[int, ...], seed: int, outliers: bool) -> torch.Tensor:
    """float32; the same for the same name and seed, whatever else is drawn. Second names of tied tensors get the first's."""
    source = SECOND_NAMES.get(name, name)
    digest = hashlib.sha256(f"{seed} {source}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))
    values = torch.empty(shape)
    if is_gain(source):
        return values.normal_(1, GAIN_DEVIATION, generator=generator)
    values.normal_(0, DEVIATION, generator=generator)
    if outliers and len(shape) > 1:
        count = math.ceil(shape[1] * OUTLIERS)
        values[:, torch.randperm(shape[1], generator=generator)[:count]] *= OUTLIER_FACTOR
    return values


def shards(shapes: dict[str, tuple[int, ...]], most: int) -> list[list[str]]:
    """Names in order, in groups of at most `most` bytes; a group is one module's."""
    groups: list[list[str]] = []
    room, module = 0, ""
    for name, shape in sorted(shapes.items()):
        size, owner = 4 * math.prod(shape), name.split(".")[0]
        if owner != module or size > room:
            groups.append([])
            room, module = most, owner
        groups[-1].append(name)
        room -= size
    return groups


def write_sharded(
    config: Mplug2Config, clip: ClipText, out: Path, seed: int, outliers: bool, most: int = SHARD_BYTES
) -> None:
    """Shards and their index; no more than one shard is in memory."""
    out.mkdir(parents=True, exist_ok=True)
    shapes = shapes_of(config, clip)
    whole = {name: torch.arange(shape[1])[None] for name, shape in position_ids(config).items()}
    groups = shards(shapes, most)
    index, total = {}, 0
    for number, names in enumerate(groups, 1):
        file = f"model-{number:05}-of-{len(groups):05}.safetensors"
        tensors = {name: random_tensor(name, shapes[name], seed, outliers) for name in names}
        if number == 1:
            tensors |= whole
        save_file(tensors, out / file)
        index |= dict.fromkeys(tensors, file)
        total += sum(tensor.nbytes for tensor in tensors.values())
        print(f"{number}/{len(groups)} {file}, {total / 1e9:.2f} GB so far", flush=True)
    text = json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=1)
    (out / INDEX).write_text(text + "\n")


def write_pth(config: Mplug2Config, clip: ClipText, out: Path, seed: int, outliers: bool) -> None:
    """One file as a training run saves it: the state is the entry `model`. The tensors are mapped from shards beside it."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        write_sharded(config, clip, Path(folder), seed, outliers)
        state = {}
        for file in sorted(Path(folder).glob("*.safetensors")):
            with safe_open(file, "pt") as handle:
                state |= {name: handle.get_tensor(name) for name in handle.keys()}
        torch.save({"model": state, "epoch": 0}, out / "checkpoint.pth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=list(SHAPES), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--outliers", action="store_true", help="1 %% of input channels 8 times as large")
    parser.add_argument("--form", choices=["safetensors", "pth"], default="safetensors")
    args = parser.parse_args()
    write = write_sharded if args.form == "safetensors" else write_pth
    config = SHAPES[args.shape]
    write(config, CLIP_TEXT[config], args.out, args.seed, args.outliers)


if __name__ == "__main__":
    main()
