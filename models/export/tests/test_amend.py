"""An exported model changed where it lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_model import VOCABULARY, tiny

from export import shards
from export.amend import amend_tensor
from export.exported import read_manifest
from export.manifest import write_model
from export.shards import written_weight

IDENTITY = {"id": "tiny", "name": "Tiny", "licence": "Apache-2.0"}


def values(folder: Path, name: str) -> np.ndarray:
    manifest = read_manifest(folder)
    return written_weight(folder / "blobs", manifest["blobs"], manifest["tensors"], name).values


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_tensor_changes_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that a tensor spans several blobs.
    monkeypatch.setattr(shards, "BLOB_BYTES", 1024)
    write_model(tiny(), VOCABULARY, tmp_path, IDENTITY)
    before = read_manifest(tmp_path)
    floats = [name for name, t in before["tensors"].items() if t["dtype"] == "float32" and len(t["pieces"]) > 1]
    name, was = floats[0], files(tmp_path)
    others = {other: values(tmp_path, other) for other in before["tensors"] if other != name}
    wanted = values(tmp_path, name) + 1
    amend_tensor(tmp_path, name, wanted)
    after, now = read_manifest(tmp_path), files(tmp_path)
    assert np.array_equal(values(tmp_path, name), wanted)
    assert all(np.array_equal(values(tmp_path, other), held) for other, held in others.items())
    assert {key: part for key, part in after.items() if key != "blobs"} == {key: part for key, part in before.items() if key != "blobs"}
    pieces = len(before["tensors"][name]["pieces"])
    changed = [a["sha256"] for a, b in zip(after["blobs"], before["blobs"], strict=True) if a != b]
    assert len(changed) == pieces
    assert {file for file in now if file not in was} == {f"blobs/{digest}.bin" for digest in changed}
    # What the manifest no longer names is gone.
    assert {Path(file).stem for file in now if file.startswith("blobs/")} == {blob["sha256"] for blob in after["blobs"]}


def test_the_same_values_change_nothing(tmp_path: Path) -> None:
    write_model(tiny(), VOCABULARY, tmp_path, IDENTITY)
    was = files(tmp_path)
    amend_tensor(tmp_path, "decoder.head.bias", values(tmp_path, "decoder.head.bias"))
    assert files(tmp_path) == was


def test_other_tensors_are_refused(tmp_path: Path) -> None:
    write_model(tiny(), VOCABULARY, tmp_path, IDENTITY)
    was = files(tmp_path)
    rounded = next(name for name, tensor in read_manifest(tmp_path)["tensors"].items() if tensor["dtype"] == "int8")
    with pytest.raises(KeyError):
        amend_tensor(tmp_path, "none.bias", np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="not float32 of \\[3\\]"):
        amend_tensor(tmp_path, "decoder.head.bias", np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="is int8"):
        amend_tensor(tmp_path, rounded, values(tmp_path, rounded))
    assert files(tmp_path) == was
