"""An export that ends half-way leaves nothing that could be loaded, and goes on where it ended."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import pytest
import torch
from released_checkpoint import State, state, write
from safetensors.torch import save_file

from export import shards, split, stage
from export.__main__ import main
from export.checkpoint import Checkpoint
from export.stage import STAGE

MODULES = ["vision", "universal", "decoder", "text", "fusion"]


def export(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, out: Path, *more: str) -> None:
    what = ["export", "--family", "mplug2", "--checkpoint", str(checkpoint), "--out", str(out), *more]
    monkeypatch.setattr(sys, "argv", what)
    main()


def files(out: Path) -> dict[str, bytes]:
    return {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def fill_disk(patch: pytest.MonkeyPatch, after: int) -> None:
    """Lets so many blobs be written."""
    write_bytes, left = Path.write_bytes, after

    def limited(file: Path, data: bytes) -> int:
        nonlocal left
        if file.suffix == ".bin":
            left -= 1
            if left < 0:
                write_bytes(file, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(file, data)

    patch.setattr(shards.Path, "write_bytes", limited)


def brought(patch: pytest.MonkeyPatch) -> list[str]:
    """The modules that are read from now on."""
    names: list[str] = []
    bring = Checkpoint.bring
    patch.setattr(Checkpoint, "bring", lambda self, module: (names.append(module), bring(self, module))[1])
    return names


@pytest.mark.parametrize(("after", "cut"), [(0, False), (1, False), (3, False), (3, True)])
def test_a_full_disk_leaves_nothing_to_load_and_finished_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, cut: bool
) -> None:
    if cut:
        # Every module in as many graphs as it can have.
        monkeypatch.setattr(split, "RUN_WORK", 1)
    checkpoint = write(tmp_path / "checkpoint", state())
    export(monkeypatch, checkpoint, tmp_path / "a" / "tiny")
    out = tmp_path / "b" / "tiny"
    with monkeypatch.context() as patch:
        fill_disk(patch, after)
        with pytest.raises(SystemExit, match="DiskFull: no room left on the disk of .*; make room and run the same"):
            export(patch, checkpoint, out)
    assert [file.name for file in out.iterdir()] == [STAGE]
    assert not list(out.rglob("manifest.json"))
    with monkeypatch.context() as patch:
        read = brought(patch)
        export(patch, checkpoint, out)
    assert read == MODULES[after:]
    assert files(out) == files(tmp_path / "a" / "tiny")


@pytest.mark.parametrize("synced", [0, 1, 2, 10, 11])
def test_a_disk_that_is_full_for_a_record_or_the_manifest_leaves_nothing_to_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: int
) -> None:
    """`synced`: files that still reach the disk whole. These are the key, two of each module, the manifest."""
    checkpoint, out = write(tmp_path / "checkpoint", state()), tmp_path / "tiny"
    left = synced

    def fsync(file: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fdatasync(file)

    with monkeypatch.context() as patch:
        patch.setattr(stage.os, "fsync", fsync)
        with pytest.raises(SystemExit, match="DiskFull"):
            export(patch, checkpoint, out)
    assert not list(out.rglob("manifest.json"))
    with monkeypatch.context() as patch:
        read = brought(patch)
        export(patch, checkpoint, out)
    assert read == MODULES[max(0, synced - 1) // 2 :]
    assert not (out / STAGE).exists() and (out / "manifest.json").exists()


def test_an_earlier_model_stays_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "tiny"
    export(monkeypatch, write(tmp_path / "first", state()), out, "--variants", "float32", "--taps")
    (out / "README.md").write_text("# A card\n")
    earlier = files(out)
    other = write(tmp_path / "second", {name: t * 2 if t.is_floating_point() else t for name, t in state().items()})
    with monkeypatch.context() as patch:
        fill_disk(patch, 2)
        with pytest.raises(SystemExit, match="DiskFull"):
            export(patch, other, out)
    assert {name: data for name, data in files(out).items() if not name.startswith(STAGE)} == earlier
    export(monkeypatch, other, out)
    later = files(out)
    assert later["README.md"] == earlier["README.md"] and "taps.json" not in later
    named = {f"blobs/{blob['sha256']}.bin" for blob in json.loads(later["manifest.json"])["blobs"]}
    assert {name for name in later if name.startswith("blobs/")} == named


def changed(tensors: State) -> State:
    return {**tensors, "visn_emb_norm.bias": tensors["visn_emb_norm.bias"] + 1}


@pytest.mark.parametrize("change", ["weights", "variants", "blob"])
def test_what_has_changed_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    checkpoint, out = write(tmp_path / "checkpoint", state()), tmp_path / "tiny"
    with monkeypatch.context() as patch:
        fill_disk(patch, 3)
        with pytest.raises(SystemExit, match="DiskFull"):
            export(patch, checkpoint, out)
    more = ["--variants", "float32"] if change == "variants" else []
    if change == "weights":
        save_file(changed(state()), checkpoint / "model.safetensors")
    if change == "blob":
        record = json.loads((out / STAGE / "modules" / "universal.json").read_text())
        (out / STAGE / "blobs" / f"{record['blobs'][0]['sha256']}.bin").unlink()
    read = brought(monkeypatch)
    export(monkeypatch, checkpoint, out, *more)
    assert read == (["universal", "text", "fusion"] if change == "blob" else MODULES)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint, file = write(tmp_path / "checkpoint", state()), tmp_path / "file"
    file.write_text("")
    for more, told in (([], "file cannot be written"), (["--report", str(file / "report.json")], "report.json cannot be")):
        with pytest.raises(SystemExit, match=f"UnwritableOutput: .*{told}.*; give a place"):
            export(monkeypatch, checkpoint, file if not more else tmp_path / "tiny", *more)
    assert not (tmp_path / "tiny").exists()


def test_weights_that_are_not_finite_end_an_export_without_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = state()
    tensors["fusion_encoder.encoder.layer.3.output.dense.bias"][0] = torch.inf
    with pytest.raises(SystemExit, match="NotFinite: fusion_encoder.encoder.layer.3.output.dense.bias"):
        export(monkeypatch, write(tmp_path / "checkpoint", tensors), tmp_path / "tiny")
    assert [file.name for file in (tmp_path / "tiny").iterdir()] == [STAGE]
