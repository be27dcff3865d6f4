"""Graphs in several forms: what each file holds, that all run, that they mean what evaluation scores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tiny_model import tiny

from export.build import Built, build_graphs
from export.forms import BEAMS, LEAST_COSINE, PAST, QUESTION, least_cosine, run_file, write_built, write_forms
from export.native import NativeGraph, external_data
from export.quantisation import quantise_model


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("forms")
    return out, json.loads(json.dumps(write_forms(tiny(heads=True, shared=True), out, {"name": "tiny"})))


def operators(file: Path) -> set[str]:
    return {node.op_type for node in onnx.load(file, load_external_data=False).graph.node}


def feeds_of(out: Path, graph: dict) -> dict[str, np.ndarray]:
    """Inputs as the bench reads them."""
    data, feeds = (out / graph["feeds"]["path"]).read_bytes(), {}
    for each in graph["feeds"]["inputs"]:
        count = int(np.prod(each["shape"]))
        feeds[each["name"]] = np.frombuffer(data, each["dtype"], count, each["offset"]).reshape(each["shape"])
    return feeds


def test_every_graph_has_every_form_and_is_near_float32(written: tuple[Path, dict]) -> None:
    out, forms = written
    _, built = build_graphs(tiny(heads=True, shared=True), ("float32",))
    assert [graph["graph"] for graph in forms["graphs"]] == [b.name for b in built]
    for graph in forms["graphs"]:
        assert list(graph["forms"]) == list(LEAST_COSINE) == list(forms["notes"])
        wanted = run_file(out / f"float32/{graph['graph']}", feeds_of(out, graph))
        for form, file in graph["forms"].items():
            assert file["bytes"] == sum((out / file[kind]).stat().st_size for kind in ("model", "weights"))
            found = run_file(out / f"{form}/{graph['graph']}", feeds_of(out, graph))
            assert least_cosine(found, wanted) == pytest.approx(file["cosine"], abs=1e-5)


def test_the_task_is_one_photo_a_question_and_beams_with_a_past(written: tuple[Path, dict]) -> None:
    _, forms = written
    shapes = {g["graph"]: {i["name"]: i["shape"] for i in g["feeds"]["inputs"]} for g in forms["graphs"]}
    assert shapes["vision.frame"]["pixels"][:3] == [1, 3, 1]
    assert shapes["text"]["ids"] == shapes["fusion"]["hidden"][:2] == [1, QUESTION]
    step = shapes["decoder.step"]
    assert step["ids"] == [BEAMS, 1]
    assert step["past_key_0"][::2] == [BEAMS, PAST]
    assert step["cross_key_0"][0] == 1
    runs = {graph["graph"]: graph["runs"] for graph in forms["graphs"]}
    assert runs["decoder.step"] == 10 and runs["decoder.memory"] == 1


@pytest.mark.parametrize("form", LEAST_COSINE)
def test_each_is_what_an_export_ships(written: tuple[Path, dict], form: str) -> None:
    out, _ = written
    _, built = build_graphs(tiny(heads=True, shared=True), (form,))
    for b in built:
        folder = out / form / b.name
        model = b.writer.model(b.name, b.inputs, b.outputs)
        assert (folder / "model.onnx").read_bytes() == model.SerializeToString()
        assert (folder / "weights.bin").read_bytes() == external_data(b.writer).tobytes()


def test_forms_are_made_of_their_operators_and_types(written: tuple[Path, dict]) -> None:
    out, _ = written
    assert "MatMulNBits" in operators(out / "int4/decoder.step/model.onnx")
    assert "DynamicQuantizeMatMul" in operators(out / "int8/decoder.step/model.onnx")
    # Two columns are .
    assert "MatMulNBits" not in operators(out / "int4/match/model.onnx")


def test_four_bit_weights_are_the_scored_ones(written: tuple[Path, dict]) -> None:
    """Rounded in PyTorch they give what the file gives."""
    out, forms = written
    model = tiny(heads=True, shared=True)
    quantise_model(model, "int4")
    _, built = build_graphs(model, ("float32",))
    for graph, b in zip(forms["graphs"], built):
        feeds = feeds_of(out, graph)
        found = run_file(out / f"int4/{b.name}", feeds)
        for name, values in NativeGraph(b)(feeds).items():
            if values.dtype == np.float32:
                assert np.abs(found[name] - values).max() < 1e-4


def test_a_broken_file_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(folder: Path, built: Built) -> None:
        write_built(folder, built)
        weights = folder / "weights.bin"
        weights.write_bytes(weights.read_bytes()[::-1] if folder.parent.name == "int4" else weights.read_bytes())

    monkeypatch.setattr("export.forms.write_built", spoilt)
    with pytest.raises(SystemExit, match="as int4 is"):
        write_forms(tiny(), tmp_path, {"name": "tiny"})
