"""The tensors of a checkpoint by name, read one at a time: safetensors or PyTorch's pickles, whole or in shards.

Names lose a `module.` that data-parallel training puts in front of all of them.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open

from .errors import UnreadableCheckpoint
from .pickle_scan import scan

PARALLEL = "module."
# Where a training script puts the state beside its optimiser.
ENTRIES = ("model", "module")
SAFETENSORS, PICKLES = (".safetensors",), (".pth", ".pt", ".bin")
# What resuming this project's training needs: no weights in it that a checkpoint lacks.
NOT_WEIGHTS = ("progress.pt", "training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt")
# These first: other files may lie beside them.
USUAL = ("weights.safetensors", "model.safetensors", "pytorch_model.bin")
AGAIN = "copy or download it again"
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@dataclass(frozen=True)
class Header:
    """What is known of a tensor before it is read. `floating`: whether it holds floats of a kind that is read."""

    shape: tuple[int, ...]
    floating: bool


class TensorFile(Protocol):
    """One file of tensors."""

    headers: dict[str, Header]

    def read(self, name: str) -> torch.Tensor:
        """A float32 copy of a tensor."""

    def release(self) -> None:
        """Lets go of what reading left in memory."""


class SafetensorsFile:
    """Tensors are read one by one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            with safe_open(file, "pt") as handle:
                slices = {name: handle.get_slice(name) for name in handle.keys()}
                self.headers = {
                    name: Header(tuple(each.get_shape()), each.get_dtype() in DTYPES) for name, each in slices.items()
                }
        except (SafetensorError, OSError) as error:
            raise UnreadableCheckpoint(f"{file.name} is no whole safetensors file ({error})", AGAIN) from error

    def read(self, name: str) -> torch.Tensor:
        # Opened for each tensor: the mapped pages are let go with the handle.
        with safe_open(self._file, "pt") as handle:
            return handle.get_tensor(name).to(torch.float32, copy=True)

    def release(self) -> None:
        """Nothing is held."""


class PickleFile:
    """Mapped, where the file is a zip file as torch has written since 1.6; an older one is read whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._mapped = scan(file)
        self._state: dict[str, torch.Tensor] | None = None
        state = self._load()
        self.headers = {name: Header(tuple(t.shape), t.dtype in DTYPES.values()) for name, t in state.items()}

    def _load(self) -> dict[str, torch.Tensor]:
        if self._state is None:
            try:
                found = torch.load(self._file, map_location="cpu", mmap=self._mapped, weights_only=True)
            except (RuntimeError, EOFError, ValueError, OSError, pickle.UnpicklingError) as error:
                what = f"{self._file.name} is no whole PyTorch file ({str(error).splitlines()[0]})"
                raise UnreadableCheckpoint(what, AGAIN) from error
            self._state = state_of(found, self._file)
        return self._state

    def read(self, name: str) -> torch.Tensor:
        return self._load()[name].detach().to(torch.float32, copy=True)

    def release(self) -> None:
        """Mapped pages count as memory until the mapping goes; an unmapped file would have to be read again."""
        if self._mapped:
            self._state = None


def state_of(found: object, file: Path) -> dict[str, torch.Tensor]:
    """The tensors of what a file holds: a state, or a dictionary with one as its `model` or `module`."""
    states = [found[entry] for entry in ENTRIES if entry in found] if isinstance(found, dict) else []
    state = next((each for each in states if isinstance(each, dict)), found)
    tensors = {k: v for k, v in state.items() if isinstance(v, torch.Tensor)} if isinstance(state, dict) else {}
    if not tensors:
        raise UnreadableCheckpoint(f"{file.name} holds no tensors by name", "give the file that a training run saved")
    return tensors


def open_file(file: Path) -> TensorFile:
    """A file of either kind, by the end of its name."""
    if file.suffix in SAFETENSORS:
        return SafetensorsFile(file)
    if file.suffix in PICKLES:
        return PickleFile(file)
    raise UnreadableCheckpoint(f"{file.name} is no checkpoint", f"give one of {', '.join(SAFETENSORS + PICKLES)}")


def shards_of(index: Path) -> list[Path]:
    """The files that an index names; they lie beside it."""
    try:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnreadableCheckpoint(f"{index.name} is no index of shards", AGAIN) from error
    files = [index.parent / str(name) for name in names]
    lost = [file.name for file in files if file.parent != index.parent or not file.is_file()]
    if lost:
        raise UnreadableCheckpoint(f"{index.name} names {', '.join(lost)}, which is not there", AGAIN)
    return files


def find_files(checkpoint: Path) -> list[Path]:
    """The files with a checkpoint's weights: itself, or of a folder the shards of its index, its file of a usual name or its
    only file; safetensors before pickles."""
    if checkpoint.is_file():
        return shards_of(checkpoint) if checkpoint.name.endswith(".index.json") else [checkpoint]
    if not checkpoint.is_dir():
        raise UnreadableCheckpoint(f"{checkpoint} does not exist", "give a checkpoint's file or folder")
    for suffixes in (SAFETENSORS, PICKLES):
        for suffix in suffixes:
            indices = sorted(checkpoint.glob(f"*{suffix}.index.json"))
            if len(indices) == 1:
                return shards_of(indices[0])
        files = sorted(
            f for f in checkpoint.iterdir() if f.suffix in suffixes and f.is_file() and f.name not in NOT_WEIGHTS
        )
        files = [file for file in files if file.name in USUAL] or files
        if len(files) > 1:
            names = ", ".join(file.name for file in files)
            raise UnreadableCheckpoint(f"{checkpoint} holds {names}", "give one of them as --checkpoint")
        if files:
            return files
    wanted = ", ".join(SAFETENSORS + PICKLES)
    raise UnreadableCheckpoint(f"{checkpoint} holds no weights", f"give a file or folder with one of {wanted}")


class TensorSource:
    """All tensors of a checkpoint under the authors' names."""

    def __init__(self, checkpoint: Path) -> None:
        self.files = find_files(checkpoint)
        self._opened = [open_file(file) for file in self.files]
        held = [(name, file) for file in self._opened for name in file.headers]
        cut = len(PARALLEL) if all(name.startswith(PARALLEL) for name, _ in held) else 0
        self._where = {name[cut:]: (file, name) for name, file in held}
        if len(self._where) < len(held):
            raise UnreadableCheckpoint(f"{checkpoint} holds a name in two shards", AGAIN)
        self.headers = {name: file.headers[stored] for name, (file, stored) in self._where.items()}

    def read(self, name: str) -> torch.Tensor:
        """A float32 copy of a tensor."""
        file, stored = self._where[name]
        return file.read(stored)

    def release(self) -> None:
        """Lets go of what reading left in memory."""
        for file in self._opened:
            file.release()
