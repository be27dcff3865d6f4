"""Where a model is written until it is whole: a folder inside the model's own, which nothing loads from.

A module that is finished has a record here, written last and in one go. An export of the same checkpoint, by the same exporter and
with the same settings, goes on behind the finished ones; any other begins anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from .errors import telling_unwritable

STAGE = ".unfinished"
MANIFEST = "manifest.json"
# What a model folder may have of an earlier export; its card stays.
MADE = ("graphs", "blobs", "labels.json", "taps.json", "goldens.json", "tokenizer.json", "tokenizer_config.json")
SOURCES = ("export", "mplug2")


def exporter_digest() -> str:
    """Of the code that exports: another one may write other bytes."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(file for folder in SOURCES for file in (root / folder).glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def replace_file(file: Path, data: bytes) -> None:
    """A file that is there whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


class Stage:
    """The folder of an export under way. `key` says what is exported; None where that cannot be told again."""

    def __init__(self, out: Path, key: object | None) -> None:
        self._out = out
        self.folder = out / STAGE
        self._modules = self.folder / "modules"
        wanted = None if key is None else json.dumps([key, exporter_digest()])
        known = self.folder / "key.json"
        if wanted is None or not known.exists() or known.read_text() != wanted:
            shutil.rmtree(self.folder, ignore_errors=True)
        with telling_unwritable(out):
            for folder in (self.folder / "blobs", self._modules):
                folder.mkdir(parents=True, exist_ok=True)
        if wanted is not None:
            replace_file(known, wanted.encode())

    def finished(self, module: str) -> tuple[dict, dict[str, torch.Tensor]] | None:
        """A finished module's record and tensors, if all its blobs are there whole."""
        record_file = self._modules / f"{module}.json"
        if not record_file.exists():
            return None
        record = json.loads(record_file.read_text())
        for blob in record["blobs"]:
            file = self.folder / "blobs" / f"{blob['sha256']}.bin"
            if not file.exists() or file.stat().st_size != blob["bytes"]:
                return None
        return record, load_file(self._modules / f"{module}.safetensors")

    def finish(self, module: str, record: dict, tensors: dict[str, torch.Tensor]) -> None:
        """A module's record; from now on it is finished."""
        # Not by save_file, whose error does not tell a full disk from others.
        replace_file(self._modules / f"{module}.safetensors", save(tensors))
        replace_file(self._modules / f"{module}.json", json.dumps(record).encode())

    def publish(self, manifest: bytes) -> None:
        """Puts what was written in the place of an earlier model. There is no manifest while files change, so that nothing
        half-written can be loaded."""
        replace_file(self.folder / MANIFEST, manifest)
        (self._out / MANIFEST).unlink(missing_ok=True)
        for name in MADE:
            old = self._out / name
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
            if (self.folder / name).exists():
                (self.folder / name).rename(old)
        (self.folder / MANIFEST).rename(self._out / MANIFEST)
        shutil.rmtree(self.folder)
