"""Rows of a matrix that are many times larger than the others are stored apart, so that they don't spoil the others' steps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from released_checkpoint import State, state, write
from tiny_model import VOCABULARY, tiny

from export import manifest
from export.__main__ import main
from export.build import build_graphs
from export.exported import fill
from export.manifest import write_model
from export.rounding import MOST_OUTLIERS, OUTLIER, outlier_rows
from export.stored_forms import Forms
from export.tensors import Large, rounded
from mplug2.model import Mplug2

IDENTITY = {"id": "tiny", "name": "Tiny", "licence": "none"}
ROWS = [3, 17]


def matrix(factor: float = 8, inputs: int = 128, outputs: int = 96) -> np.ndarray:
    values = np.random.default_rng(2).standard_normal((inputs, outputs)).astype(np.float32)
    values[ROWS] *= factor
    return values


def outlying() -> Mplug2:
    """A model whose feed-forward layers have two input channels 8 times as large as the others."""
    model = tiny(shared=True)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("intermediate.dense.weight", "output.dense.weight", "c_fc.weight")):
                parameter[:, ROWS] *= 8
    return model


def test_outlying_rows_are_few_and_far_from_the_median() -> None:
    assert outlier_rows(matrix()).tolist() == ROWS
    assert not len(outlier_rows(matrix(1)))
    many = matrix(1)
    many[: int(MOST_OUTLIERS * len(many)) + 1] *= 2 * OUTLIER
    assert not len(outlier_rows(many))
    assert not len(outlier_rows(np.zeros((64, 4), np.float32)))


@pytest.mark.parametrize(("kind", "most"), [("int8", 0.008), ("int4", 0.1)])
def test_they_cost_the_others_nothing(kind: str, most: float) -> None:
    values = matrix()

    def error(product: bool) -> np.ndarray:
        return rounded(Large("a", "m", values, 1, product), kind, "a").values - values

    together, apart = error(False), error(True)
    others = [i for i in range(len(values)) if i not in ROWS]
    assert np.linalg.norm(apart[others]) < most * np.linalg.norm(values[others])
    assert np.linalg.norm(together[others]) > 2 * np.linalg.norm(apart[others])
    # They are int8 whatever the others are.
    assert np.linalg.norm(apart[ROWS]) < 0.01 * np.linalg.norm(values[ROWS])


@pytest.mark.parametrize("form", ["int8", "float32", "int4"])
def test_graphs_add_what_the_outlying_rows_yield(tmp_path: Path, form: str) -> None:
    forms = ("int8", "float32") if form == "float32" else (form,)
    store, _ = build_graphs(outlying(), forms)
    apart = [name for name, weight in store.weights.items() if weight.outliers is not None]
    assert {"vision.block0.mlp.c_fc.weight", "text.layer0.intermediate.weight", "decoder.layer1.ffn_output.weight"} <= set(apart)
    assert "embeddings.words.weight" not in apart
    done = write_model(outlying(), VOCABULARY, tmp_path, IDENTITY, Forms(forms))
    # int8 products round what runs through them; the others agree with PyTorch.
    assert max(done.differences[form].values()) < (0.5 if form == "int8" else 1e-4)
    assert min(c for found in done.cosines[form].values() for c in found.values()) > (0.98 if form == "int4" else 0.999)
    # What is stored comes back.
    model, other = outlying(), tiny(shared=True)
    fill(other, tmp_path)
    wanted = model.get_parameter("text_decoder.bert.encoder.layer.0.intermediate.dense.weight")
    found = other.get_parameter("text_decoder.bert.encoder.layer.0.intermediate.dense.weight")
    assert torch.linalg.norm(found - wanted) < 0.1 * torch.linalg.norm(wanted)
    assert torch.linalg.norm((found - wanted)[:, ROWS]) < 0.01 * torch.linalg.norm(wanted[:, ROWS])


def test_an_export_goes_on_with_outliers_of_the_universal_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """text runs layers that were written, with their outlying rows, before the export stopped."""
    tensors: State = state()
    for name in tensors:
        if name.endswith("intermediate.dense.weight"):
            tensors[name][:, ROWS] *= 8
    checkpoint = write(tmp_path / "checkpoint", tensors)

    def export(out: Path) -> None:
        words = ["export", "--family", "mplug2", "--checkpoint", str(checkpoint), "--out", str(out)]
        monkeypatch.setattr(sys, "argv", words)
        main()

    finish = manifest.Stage.finish

    def stopping(self: manifest.Stage, module: str, record: dict, found: dict[str, torch.Tensor]) -> None:
        finish(self, module, record, found)
        if module == "universal":
            raise KeyboardInterrupt

    export(tmp_path / "whole/m")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest.Stage, "finish", stopping)
        export(tmp_path / "parts/m")
    export(tmp_path / "parts/m")
    whole, parts = ((tmp_path / name / "m/manifest.json").read_bytes() for name in ("whole", "parts"))
    assert whole == parts
    tensors_there = json.loads(whole)["tensors"]
    assert tensors_there["universal.layer3.intermediate.weight.outliers"]["shape"][0] == len(ROWS)
