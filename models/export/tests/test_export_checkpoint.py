"""Checkpoints of both forms are read whole or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_model import VOCABULARY, tiny

from export.checkpoint import read_checkpoint, read_model
from mplug2.model import Mplug2
from train.checkpoint import save_model


def released_form(folder: Path, model: Mplug2, **more: torch.Tensor) -> None:
    """The model as the authors would have saved it: with tensors that nothing uses."""
    width = model.config.text.width
    unused = {
        "text_encoder.embeddings.position_ids": torch.arange(4)[None],
        "text_encoder.encoder.layer.2.intermediate_vision.dense.weight": torch.ones(80, width),
        "fusion_encoder.embeddings.word_embeddings.weight": torch.ones(50, width),
        "fusion_encoder.encoder.layer.1.attention.self.query.weight": torch.ones(width, width),
        "text_decoder.bert.encoder.layer.0.latents": torch.ones(7, width),
        "text_decoder.cls.predictions.decoder.bias": torch.ones(50),
        "visual_encoder.transformer.resblocks.0.ln_1.weight": torch.ones(8),
        "visual_encoder.visual.proj": torch.ones(64, 8),
        "text_encoder_m.embeddings.word_embeddings.weight": torch.ones(50, width),
    }
    model.config.save(folder / "config.json")
    save_file({**model.state_dict(), **unused, **more}, folder / "weights.safetensors")


def test_a_released_checkpoint_keeps_two_word_tables(tmp_path: Path) -> None:
    model = tiny(bridge=True)
    released_form(tmp_path, model)
    read = read_model(tmp_path)
    assert read.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(read.state_dict().values(), model.state_dict().values()))
    tables = [e["embeddings"].word_embeddings.weight for e in (read.text_encoder, read.text_decoder["bert"])]
    assert not torch.equal(*tables)


def test_our_own_checkpoint_shares_one_word_table(tmp_path: Path) -> None:
    model = tiny(heads=True, shared=True)
    save_model(tmp_path, model, VOCABULARY)
    read, vocabulary = read_checkpoint(tmp_path)
    assert vocabulary == VOCABULARY
    assert read.text_encoder["embeddings"].word_embeddings is read.text_decoder["bert"]["embeddings"].word_embeddings
    assert all(torch.equal(a, b) for a, b in zip(read.parameters(), model.parameters()))


def test_a_tensor_of_unknown_use_or_a_hole_is_refused(tmp_path: Path) -> None:
    model = tiny()
    released_form(tmp_path, model, **{"text_encoder.pooler.weight": torch.ones(2)})
    with pytest.raises(SystemExit, match="unexpected .*text_encoder.pooler.weight"):
        read_model(tmp_path)
    del model.visn_emb_norm
    released_form(tmp_path, model)
    with pytest.raises(SystemExit, match="missing .*visn_emb_norm.weight"):
        read_model(tmp_path)


def test_a_vocabulary_must_have_a_piece_for_every_row(tmp_path: Path) -> None:
    released_form(tmp_path, tiny())
    file = tmp_path / "pieces.txt"
    file.write_text("\n".join(VOCABULARY) + "\n")
    assert read_checkpoint(tmp_path, file)[1] == VOCABULARY
    file.write_text("\n".join(VOCABULARY[:-1]) + "\n")
    with pytest.raises(SystemExit, match="49 pieces.* 50 rows"):
        read_checkpoint(tmp_path, file)
