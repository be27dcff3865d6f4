"""What cannot be exported is refused in one line that names it and says what helps."""

from __future__ import annotations

import os
import pickle
import re
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from released_checkpoint import state, write, write_config
from safetensors.torch import save_file

from export.__main__ import main, read_quality
from export.checkpoint import Checkpoint, read_model
from export.errors import (
    ExportError,
    NotFinite,
    OtherFamily,
    RefusedPickle,
    UnfitVocabulary,
    UnreadableCheckpoint,
    UnreadableQuality,
    WrongShape,
)
from export.pickle_scan import scan
from export.tensor_source import TensorSource

WORD = "text_decoder.bert.encoder.layer.1.attention.self.key.weight"


def refused(path: Path, error: type[ExportError], told: str) -> None:
    """Expects one line that tells something, and what helps behind a semicolon."""
    with pytest.raises(error, match=told) as found:
        read_model(path)
    message = str(found.value)
    assert "\n" not in message and re.search(r"; [a-z]", message)


class Runs:
    """Makes a folder when a pickle of it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


def test_another_family(tmp_path: Path) -> None:
    llama = {"model.layers.0.self_attn.q_proj.weight": torch.ones(4, 4), "model.embed_tokens.weight": torch.ones(9, 4)}
    refused(write(tmp_path, llama), OtherFamily, "model.embed_tokens.weight")


def test_the_predecessor_with_the_same_names_is_another_family(tmp_path: Path) -> None:
    tensors = {name: t for name, t in state().items() if "lmhra" not in name and "latents" not in name}
    refused(write(tmp_path, tensors), OtherFamily, "no `lmhra1`")


def test_a_configuration_of_another_family(tmp_path: Path) -> None:
    write(tmp_path, state())
    write_config(tmp_path, family="owl3")
    refused(tmp_path, OtherFamily, "family owl3")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("kept", [0.9, 0.001])
def test_a_truncated_file(tmp_path: Path, suffix: str, kept: float) -> None:
    file = write(tmp_path, state()) / "model.safetensors"
    if suffix == ".pth":
        file.unlink()
        file = tmp_path / "c.pth"
        torch.save({"model": state()}, file)
    os.truncate(file, int(file.stat().st_size * kept))
    refused(file, UnreadableCheckpoint, f"{file.name} is no whole")


def test_an_old_pickle_cut_in_its_tensors(tmp_path: Path) -> None:
    (write(tmp_path, {}) / "model.safetensors").unlink()
    file = tmp_path / "c.pth"
    torch.save(state(), file, _use_new_zipfile_serialization=False)
    os.truncate(file, int(file.stat().st_size * 0.9))
    refused(file, UnreadableCheckpoint, "c.pth is no whole PyTorch file")


@pytest.mark.parametrize(
    ("name", "shape", "error"),
    [
        (WORD, (64, 63), WrongShape),
        ("visual_encoder.visual.ln_post.bias", (1, 64), WrongShape),
        ("visn_emb_norm.weight", (), WrongShape),
    ],
)
def test_a_wrong_shape(tmp_path: Path, name: str, shape: tuple[int, ...], error: type[ExportError]) -> None:
    refused(write(tmp_path, {**state(), name: torch.ones(shape)}), error, f"{name} is {re.escape(str(list(shape)))}, not")


def test_a_tensor_of_integers(tmp_path: Path) -> None:
    refused(write(tmp_path, {**state(), WORD: torch.ones(64, 64, dtype=torch.int8)}), WrongShape, f"{WORD} holds no floats")


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_numbers_that_are_none(tmp_path: Path, value: float) -> None:
    tensors = state()
    tensors[WORD][3, 5] = value
    refused(write(tmp_path, tensors), NotFinite, f"{WORD} holds NaN or infinite")


def test_unused_tensors_may_hold_anything(tmp_path: Path) -> None:
    tensors = state()
    tensors["visual_encoder.visual.proj"][:] = float("nan")
    assert read_model(write(tmp_path, tensors))


def as_zip(file: Path, found: object) -> None:
    torch.save(found, file)


def as_old(file: Path, found: object) -> None:
    torch.save(found, file, _use_new_zipfile_serialization=False)


def as_plain(file: Path, found: object) -> None:
    """By a protocol whose globals are names on the stack."""
    for_torch = [pickle.dumps(each, 4) for each in (0, 0, 0, found, [])]
    file.write_bytes(b"".join(for_torch))


@pytest.mark.parametrize("save", [as_zip, as_old, as_plain])
def test_a_pickle_that_would_run_code(tmp_path: Path, save) -> None:
    (write(tmp_path, {}) / "model.safetensors").unlink()
    file, made = tmp_path / "c.pth", tmp_path / "made"
    save(file, {"model": {"a": 1}, "epoch": Runs(made)})
    refused(file, RefusedPickle, r"c.pth would run posix\.mkdir, and was not loaded")
    assert not made.exists()


@pytest.mark.parametrize(
    ("name", "opcodes"),
    [
        # Names that come back from the memo, names that something stands between, and a number for a name.
        ("posix.mkdir", b"\x80\x04\x8c\x05posix\x94\x8c\x05mkdir\x940h\x00h\x01\x93."),
        ("a name that is computed", b"\x80\x04\x8c\x05posix\x8c\x05mkdir\x8c\x01a0\x93."),
        ("extension 7", b"\x80\x04\x82\x07."),
        ("os.system", b"(S'ls'\nios\nsystem\n."),
    ],
)
def test_names_are_found_however_they_are_written(tmp_path: Path, name: str, opcodes: bytes) -> None:
    file = tmp_path / "c.pth"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("c/data.pkl", opcodes)
    with pytest.raises(RefusedPickle, match=f"would run {name}"):
        scan(file)


def test_what_training_scripts_save_is_let_through(tmp_path: Path) -> None:
    optimiser = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1e-5}]}
    more = {"config": {"beam": 5}, "size": torch.Size([1]), "dtype": torch.float16, "order": OrderedDict(a=1)}
    saved = {"model": state(), "optimizer": optimiser, **more}
    torch.save(saved, tmp_path / "c.pth")
    assert TensorSource(tmp_path / "c.pth").headers.keys() == state().keys()


def test_a_vocabulary_of_another_length(tmp_path: Path) -> None:
    write(tmp_path, state())
    pieces = (tmp_path / "vocab.txt").read_text().splitlines()
    (tmp_path / "vocab.txt").write_text("\n".join(pieces[:-1]) + "\n")
    refused(tmp_path, UnfitVocabulary, "49 pieces, the checkpoint's word table 50 rows")
    given = tmp_path / "given.txt"
    given.write_text("\n".join(pieces) + "\n")
    assert Checkpoint(tmp_path, given).vocabulary == pieces
    (tmp_path / "vocab.txt").unlink()
    refused(tmp_path, UnfitVocabulary, "no vocabulary of 50 pieces")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (b"dog", r"vocab.txt has dog twice"),
        (b"\xff\xfe", r"vocab.txt is no text with a piece a line"),
    ],
)
def test_a_vocabulary_that_is_none(tmp_path: Path, last: bytes, told: str) -> None:
    file = write(tmp_path, state()) / "vocab.txt"
    file.write_bytes(b"\n".join([*file.read_bytes().splitlines()[:-1], last]) + b"\n")
    refused(tmp_path, UnfitVocabulary, told)


def test_a_vocabulary_without_a_special_piece(tmp_path: Path) -> None:
    file = write(tmp_path, state()) / "vocab.txt"
    file.write_text(file.read_text().replace("[CLS]", "[BOS]"))
    refused(tmp_path, UnfitVocabulary, r"the vocabulary has no \[CLS\]")


def test_special_pieces_at_other_places(tmp_path: Path) -> None:
    write(tmp_path, state())
    write_config(tmp_path, ids={"start": 3})
    refused(tmp_path, UnfitVocabulary, r"ids.start is 3, which is not \[CLS\]")


def test_nothing_there(tmp_path: Path) -> None:
    refused(tmp_path, UnreadableCheckpoint, "holds no weights")
    refused(tmp_path / "none", UnreadableCheckpoint, "does not exist")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    refused(tmp_path, UnreadableCheckpoint, "list.pth holds no tensors by name")


def test_the_command_tells_a_refusal_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    what = ["--family", "mplug2", "--checkpoint", str(tmp_path), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["export", *what])
    with pytest.raises(SystemExit, match="^OtherFamily: the tensors are not mPLUG-2's"):
        main()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"metrics": 1}', "\udcff"])
def test_figures_that_are_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "quality.json"
    file.write_text(text, errors="surrogateescape")
    with pytest.raises(UnreadableQuality, match="quality.json .*; write it by"):
        read_quality(file)
    assert read_quality(tmp_path / "none.json") is None
