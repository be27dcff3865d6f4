"""A checkpoint reads the same in every form that it can have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from released_checkpoint import State, state, write
from safetensors.torch import save_file

from export.checkpoint import Checkpoint, read_model
from export.errors import UnreadableCheckpoint
from export.tensor_source import TensorSource


def sharded(folder: Path, suffix: str, save: Callable[[State, Path], None], tensors: State) -> Path:
    """Three shards and their index."""
    files = [f"model-{i}{suffix}" for i in range(3)]
    for i, file in enumerate(files):
        save({name: tensor for j, (name, tensor) in enumerate(tensors.items()) if j % 3 == i}, folder / file)
    index = {name: files[j % 3] for j, name in enumerate(tensors)}
    (folder / f"model{suffix}.index.json").write_text(json.dumps({"weight_map": index}))
    return folder


def saved(file: Path, found: object, **how: bool) -> Path:
    torch.save(found, file, **how)
    return file


def parallel(tensors: State) -> State:
    return {f"module.{name}": tensor for name, tensor in tensors.items()}


FORMS: dict[str, Callable[[Path, State], Path]] = {
    "shards of safetensors": lambda folder, t: sharded(folder, ".safetensors", save_file, t),
    "shards of pickles": lambda folder, t: sharded(folder, ".bin", torch.save, t),
    "an index": lambda folder, t: sharded(folder, ".bin", torch.save, t) / "model.bin.index.json",
    "a bare state": lambda folder, t: saved(folder / "pytorch_model.bin", t).parent,
    "a file": lambda folder, t: saved(folder / "caption.pth", t),
    "a state under `model`": lambda folder, t: saved(folder / "c.pth", {"model": t, "epoch": 7, "lr": 1e-5}).parent,
    "a state under `module`": lambda folder, t: saved(folder / "c.pth", {"module": parallel(t), "mp": None}).parent,
    "an old pickle": lambda folder, t: saved(folder / "c.pth", {"model": t}, _use_new_zipfile_serialization=False),
    "half precision": lambda folder, t: saved(
        folder / "c.pth", {n: x.half() if x.is_floating_point() else x for n, x in t.items()}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_the_same(tmp_path: Path, form: str) -> None:
    tensors = state()
    folder = write(tmp_path / "plain", tensors)
    wanted = read_model(folder).state_dict()
    (folder / "model.safetensors").unlink()
    found = read_model(FORMS[form](folder, tensors)).state_dict()
    bound = 1e-3 if form == "half precision" else 0
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert found[name].dtype == torch.float32
        assert (found[name] - tensor).abs().max() <= bound, name


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_module_at_a_time_is_in_memory(tmp_path: Path, suffix: str) -> None:
    folder = write(tmp_path, state())
    if suffix == ".pth":
        (folder / "model.safetensors").unlink()
        torch.save(state(), folder / "c.pth")
    checkpoint = Checkpoint(folder)

    def present() -> set[str]:
        return {name.split(".")[0] for name, p in checkpoint.model.named_parameters() if not p.is_meta}

    assert present() == set()
    checkpoint.bring("vision")
    assert present() == {"visual_encoder"}
    checkpoint.release()
    checkpoint.bring("universal")
    assert present() == {"text_encoder", "visn_emb_norm"}


def test_a_shard_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, {})
    sharded(folder, ".safetensors", save_file, state())
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(UnreadableCheckpoint, match="model-1.safetensors, which is not there"):
        TensorSource(folder)


def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "inside", {})
    save_file(state(), tmp_path / "outside.safetensors")
    index = {"weight_map": {"a": "../outside.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UnreadableCheckpoint, match="outside.safetensors"):
        TensorSource(folder)


def test_of_several_files_one_has_to_be_chosen(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / "model.safetensors").unlink()
    for name in ("checkpoint_00.pth", "checkpoint_01.pth"):
        torch.save(state(), tmp_path / name)
    with pytest.raises(UnreadableCheckpoint, match="checkpoint_00.pth, checkpoint_01.pth; give one"):
        TensorSource(tmp_path)
    assert TensorSource(tmp_path / "checkpoint_01.pth").headers
