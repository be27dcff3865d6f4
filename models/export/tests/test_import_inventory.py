"""Every tensor of a checkpoint is used or skipped for a reason; a hole, a stranger or another configuration is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from released_checkpoint import TINY, State, bridged, state, write, write_config
from tiny_model import VOCABULARY, tiny

from export.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, read_model
from export.errors import (
    ConfigMismatch,
    ConfigNeeded,
    NotTied,
    UnfitConfig,
    UnfitTensors,
    UnknownConfigKey,
    UnreadableCheckpoint,
    UnsupportedConfig,
)
from export.infer import infer
from export.released import BASE, CLIP_TEXT, LARGE, shapes_of
from export.tensor_source import Header
from mplug2.config import Mplug2Config
from train.checkpoint import save_model
from train.text import source_vocabulary

REASONS = {
    "CLIP's text tower",
    "CLIP's projection",
    "feed-forward that the released forward never uses",
    "the decoder has no latents",
    "fusion takes the text encoder's output",
    "fusion layer that does not run",
    "positions count from 0",
    "second name of a tied tensor",
}


@pytest.mark.parametrize("config", [TINY, bridged()])
def test_a_question_answering_checkpoint_is_told_whole(tmp_path: Path, config: Mplug2Config) -> None:
    tensors = state(config, twins=True)
    checkpoint = open_checkpoint(write(tmp_path, tensors), report=tmp_path / "report.json")
    # The channels of a stem are in a configuration, and say nothing where there is no class head.
    assert checkpoint.config == replace(config, vision=replace(config.vision, stem_channels=3))
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["used"]) == set(checkpoint.model.state_dict())
    assert set(report["skipped"]) == REASONS | {"momentum twin"}
    assert len(report["skipped"]["momentum twin"]) * 2 == len(tensors)
    told = [*report["used"], *(name for names in report["skipped"].values() for name in names)]
    assert sorted(told) == sorted(tensors)
    assert not report["missing"] + report["unexpected"] + report["misshapen"] + report["resized"]


def test_a_captioning_checkpoint_needs_neither_fusion_nor_words_of_the_text_encoder(tmp_path: Path) -> None:
    tensors = {
        name: tensor
        for name, tensor in state().items()
        if not name.startswith(("fusion_encoder.", "text_encoder.embeddings.", "text_encoder.encoder.layer.1."))
    }
    write(tmp_path, tensors)
    (tmp_path / "config.json").write_text(json.dumps({"text": {"heads": 4}}))
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.config.tasks == ("caption",)
    assert checkpoint.inventory.skipped["text_encoder.encoder.layer.0.output.dense.weight"].startswith("part of a module")


@pytest.mark.parametrize("config", [LARGE, BASE])
def test_the_released_shapes_need_no_configuration(config: Mplug2Config) -> None:
    headers = {name: Header(shape, True) for name, shape in shapes_of(config, CLIP_TEXT[config]).items()}
    assert infer(headers, {}, source_vocabulary()) == config


def test_other_shapes_say_what_has_to_be_given(tmp_path: Path) -> None:
    (write(tmp_path, state()) / "config.json").unlink()
    with pytest.raises(ConfigNeeded, match=r"do not tell text\.heads, fusion\.layers; give them in a config\.json"):
        Checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"text": {"heads": 4, "layers": 5}}, ConfigMismatch, "text.layers 5, the tensors 4"),
        ({"patch_size": 7}, ConfigMismatch, "patch_size 7, the tensors 14"),
        ({"image_size": 225}, UnfitConfig, "image_size 225 is no multiple of the patch, 14; give one"),
        ({"bridge": True}, ConfigMismatch, "bridge True, the tensors False"),
        ({"vision": {"widht": 64}}, UnknownConfigKey, "unknown key vision.widht; known there are width, layers"),
        ({"beam": 5}, UnknownConfigKey, "unknown key beam"),
        ({"text": {"heads": "four"}}, UnfitConfig, r"config\.json: text.heads is 'four', not a whole number from 1"),
        ({"text": {"heads": 0}}, UnfitConfig, "text.heads is 0, not a whole number from 1"),
        ({"text": {"heads": True}}, UnfitConfig, "text.heads is True"),
        ({"text": {"heads": 5}}, UnfitConfig, "text.heads 5 do not share the width 64"),
        ({"vision": {"heads": 3}}, UnfitConfig, "vision.heads 3 do not share the width 64"),
        ({"vision": {"norm_eps": -1}}, UnfitConfig, "vision.norm_eps is -1, not a number above 0"),
        ({"fusion": {"layers": 5}}, UnfitConfig, "fusion.layers 5 are more than the 4"),
        ({"fusion": {"layers": -1}}, UnfitConfig, "fusion.layers is -1"),
        ({"fusion": {"layers": 0}}, UnfitConfig, "without layers of fusion a model has captions alone"),
        ({"ids": {"start": -48}}, UnfitConfig, "ids.start is -48"),
        ({"mean": [0, 0]}, UnfitConfig, "mean is .*, not three numbers"),
        ({"std": [1, 1, 0]}, UnfitConfig, "std is .*, not three numbers, of `std` above 0"),
        ({"tasks": ["caption", "fly"]}, UnfitConfig, "tasks is .*, not a list of caption, answer, rank"),
        ({"bridge": 0}, UnfitConfig, "bridge is 0, not true or false"),
        ({"heads": {"embedding": 4}}, ConfigNeeded, "do not tell heads.classes"),
        ({"latents": {"count": 7}}, UnfitConfig, "latents is {'count': 7}"),
        ({"text": [4]}, UnreadableCheckpoint, "is no configuration"),
        ({"fusion": {"layers": 2, "stride": 3}}, UnsupportedConfig, "stride 3 would run joint attention"),
    ],
)
def test_a_configuration_has_to_fit(tmp_path: Path, changes: dict, error: type[Exception], told: str) -> None:
    write(tmp_path, state())
    write_config(tmp_path, **changes)
    with pytest.raises(error, match=told):
        Checkpoint(tmp_path)


def without(name: str) -> State:
    return {key: tensor for key, tensor in state().items() if key != name}


@pytest.mark.parametrize("name", ["visn_emb_norm.weight", "text_decoder.bert.embeddings.word_embeddings.weight"])
def test_a_hole_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnfitTensors, match=f"missing {name}"):
        open_checkpoint(write(tmp_path, without(name)), report=tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["missing"] == [name]


def test_a_tensor_of_unknown_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitTensors, match="unexpected text_encoder.pooler.weight"):
        open_checkpoint(write(tmp_path, {**state(), "text_encoder.pooler.weight": torch.ones(2)}))


def test_an_output_matrix_of_its_own_is_refused(tmp_path: Path) -> None:
    name = "text_decoder.cls.predictions.decoder.weight"
    checkpoint = open_checkpoint(write(tmp_path, {**state(), name: state()[name] * 2}))
    with pytest.raises(NotTied, match=name):
        checkpoint.bring("decoder")


def test_a_released_checkpoint_keeps_two_word_tables(tmp_path: Path) -> None:
    tensors = state()
    read = read_model(write(tmp_path, tensors))
    for owner, name in ((read.text_encoder, "text_encoder"), (read.text_decoder["bert"], "text_decoder.bert")):
        assert torch.equal(owner["embeddings"].word_embeddings.weight, tensors[f"{name}.embeddings.word_embeddings.weight"])


@pytest.mark.parametrize("tasks", [None, ("caption",)])
def test_our_own_checkpoint_shares_one_word_table(tmp_path: Path, tasks: tuple[str, ...] | None) -> None:
    model = tiny(heads=tasks is None, shared=True)
    model.config = replace(model.config, tasks=tasks)
    save_model(tmp_path, model, VOCABULARY)
    read, vocabulary = read_checkpoint(tmp_path)
    assert vocabulary == VOCABULARY and read.config == model.config
    assert read.text_encoder["embeddings"].word_embeddings is read.text_decoder["bert"]["embeddings"].word_embeddings
    wanted = model.state_dict()
    found = {name: tensor for name, tensor in read.state_dict().items() if not tensor.is_meta}
    assert found.keys() == (wanted.keys() if tasks is None else found.keys() & wanted.keys())
    assert "text_decoder.bert.embeddings.word_embeddings.weight" in found
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in found.items())
