"""Random checkpoints of the released form: the same for the same seed, spread as they say, in every form readable."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from released_checkpoint import CLIP, TINY, write_config
from tiny_model import VOCABULARY

from export.checkpoint import read_model
from export.random_checkpoint import INDEX, random_tensor, write_pth, write_sharded

MATRIX, SHAPE = "text_decoder.bert.encoder.layer.1.output.dense.weight", (300, 200)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder, seed in (("a", 4), ("b", 4), ("c", 5)):
        write_sharded(TINY, CLIP, tmp_path / folder, seed, True, most=300_000)
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert INDEX in names and len(names) > 6
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
    assert any((tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes() for name in names)


def test_weights_are_spread_as_said() -> None:
    weights = random_tensor(MATRIX, SHAPE, 0, False)
    assert weights.std() == pytest.approx(0.02, rel=0.02) and abs(float(weights.mean())) < 5e-4
    gains = random_tensor("visual_encoder.visual.transformer.resblocks.0.lmhra1.ln.weight", (4000,), 0, False)
    assert gains.std() == pytest.approx(0.1, rel=0.05) and gains.mean() == pytest.approx(1, abs=0.01)
    spread = random_tensor(MATRIX, SHAPE, 0, True).std(0)
    outliers = spread > 0.1
    assert int(outliers.sum()) == 2
    assert spread[outliers].mean() == pytest.approx(0.16, rel=0.1) and spread[~outliers].mean() == pytest.approx(0.02, rel=0.1)


def test_both_forms_hold_the_same_model(tmp_path: Path) -> None:
    models = []
    for write in (write_sharded, write_pth):
        folder = tmp_path / write.__name__
        write(TINY, CLIP, folder, 0, False)
        write_config(folder)
        (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
        models.append(read_model(folder).state_dict())
    assert (tmp_path / "write_pth" / "checkpoint.pth").exists() and len(list((tmp_path / "write_pth").iterdir())) == 3
    assert all(torch.equal(tensor, models[1][name]) for name, tensor in models[0].items())
