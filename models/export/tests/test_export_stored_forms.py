"""Models in other forms than the usual two, and in several at once: what is stored for whom, what runs, what is told of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from released_checkpoint import state, write
from tiny_model import VOCABULARY, tiny

from export import manifest
from export.__main__ import main
from export.build import build_graphs
from export.errors import UnknownForm
from export.exported import fill
from export.manifest import write_model
from export.native import NativeGraph
from export.rounding import BLOCK
from export.stored_forms import DEFAULT, DEVICES, Forms
from export.tensors import WeightStore
from mplug2.model import Mplug2

IDENTITY = {"id": "tiny", "name": "Tiny", "licence": "none"}


def written(folder: Path, forms: Forms, model: Mplug2 | None = None) -> dict:
    write_model(model or tiny(), VOCABULARY, folder, IDENTITY, forms)
    return json.loads((folder / "manifest.json").read_text())


def operators(folder: Path, graph: str, form: str) -> set[str]:
    return {node.op_type for node in onnx.load(folder / f"graphs/{graph}.{form}.onnx", load_external_data=False).graph.node}


def blobs_read(manifest: dict, graph: str, form: str) -> set[int]:
    """Those that a page fetches for a graph."""
    [variant] = [v for v in manifest["graphs"][graph]["variants"] if v["name"] == form]
    tensors = manifest["tensors"]
    names = {item["tensor"] for item in variant["initializers"]}
    names |= {tensors[name]["quantisation"]["scales"] for name in names if "quantisation" in tensors[name]}
    return {piece["blob"] for name in names for piece in tensors[name]["pieces"]}


def test_four_bit_models_store_blocks_and_int8_rows(tmp_path: Path) -> None:
    manifest = written(tmp_path, Forms(("int4",)))
    tensors = manifest["tensors"]
    matrix = tensors["decoder.layer0.attention.qkv.weight"]
    assert (matrix["dtype"], matrix["shape"]) == ("uint4", [192, 1, BLOCK])
    assert matrix["quantisation"] == {"scheme": "blocks", "scales": "decoder.layer0.attention.qkv.weight.scales"}
    scales = tensors["decoder.layer0.attention.qkv.weight.scales"]
    assert (scales["dtype"], scales["shape"]) == ("float16", [192, 1])
    assert sum(piece["bytes"] for piece in matrix["pieces"]) == 192 * BLOCK // 2
    # Rows are looked up in it; and inputs that are no whole blocks.
    assert tensors["decoder.words.weight"]["dtype"] == tensors["vision.conv1.weight"]["dtype"] == "int8"
    assert {v["name"] for g in manifest["graphs"].values() for v in g["variants"]} == {"int4"}
    [variant] = manifest["graphs"]["decoder.step"]["variants"]
    assert variant["devices"] == ["wasm", "webgpu"]
    words = [item["dtype"] for item in variant["initializers"] if item["tensor"] == "decoder.words.weight"]
    assert sorted(words) == ["float32", "int8"]
    [item] = [i for i in variant["initializers"] if i["tensor"] == "decoder.layer0.attention.qkv.weight"]
    assert (item["dtype"], item["bytes"]) == ("uint4", 192 * BLOCK // 2)
    assert operators(tmp_path, "decoder.step", "int4") >= {"MatMulNBits", "Gather", "MatMul"}


def test_float16_models_have_float32_graphs(tmp_path: Path) -> None:
    manifest = written(tmp_path / "half", Forms(("float16",)))
    written(tmp_path / "plain", Forms(("float32",)))
    large = {name for name, tensor in manifest["tensors"].items() if tensor["dtype"] == "float16"}
    assert {"decoder.words.weight", "vision.conv1.weight", "text.layer0.ffn_output.weight"} <= large
    assert {t["dtype"] for t in manifest["tensors"].values()} == {"float16", "float32"}
    for graph, spec in manifest["graphs"].items():
        [variant] = spec["variants"]
        assert {item["dtype"] for item in variant["initializers"]} <= {"float32"}
        half, plain = (tmp_path / f"{n}/graphs/{graph}.{f}.onnx" for n, f in (("half", "float16"), ("plain", "float32")))
        assert half.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("kinds", [{}, {"bridge": True, "heads": True}, {"heads": True, "shared": True}])
@pytest.mark.parametrize("form", ["int4", "float16"])
def test_graphs_compute_with_what_is_stored(tmp_path: Path, form: str, kinds: dict[str, bool]) -> None:
    done = write_model(tiny(**kinds), VOCABULARY, tmp_path, IDENTITY, Forms((form,)))
    assert set(done.differences) == {form}
    assert all(difference < 1e-4 for difference in done.differences[form].values())
    bounds = json.loads((tmp_path / "goldens.json").read_text())["bounds"]
    assert set(bounds[form].values()) == {1e-3}


@pytest.mark.parametrize("form", ["int4", "float16"])
def test_a_model_of_any_form_comes_back(tmp_path: Path, form: str) -> None:
    model, other = tiny(heads=True, shared=True), tiny(heads=True, shared=True)
    written(tmp_path, Forms((form,)), model)
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter.data)
    fill(other, tmp_path)
    for name in ("text_decoder.cls.predictions.transform.dense.weight", "itm_head.weight", "vision_proj.weight"):
        assert torch.allclose(model.get_parameter(name), other.get_parameter(name), 1e-6, 1e-7)


def test_several_kinds_lie_apart_and_share_what_is_small(tmp_path: Path) -> None:
    manifest = written(tmp_path, Forms(("int8", "float32", "int4")))
    tensors = manifest["tensors"]
    assert [v["name"] for v in manifest["graphs"]["fusion"]["variants"]] == ["int8", "float32", "int4"]
    assert tensors["fusion.layer2.attention.qkv.weight"]["dtype"] == "int8"
    assert tensors["fusion.layer2.attention.qkv.weight.int4"]["dtype"] == "uint4"
    # What has only one way to be stored is stored once.
    assert "decoder.words.weight.int4" not in tensors and "decoder.words.weight" in tensors
    for graph in manifest["graphs"]:
        eight, widened, four = (blobs_read(manifest, graph, form) for form in ("int8", "float32", "int4"))
        assert eight == widened
        module = manifest["graphs"][graph]["module"]
        owned = {piece["blob"] for t in tensors.values() if t["module"] == module for piece in t["pieces"]}
        common = {p["blob"] for n, t in tensors.items() if n.endswith(".bias") and t["module"] == module for p in t["pieces"]}
        assert eight & four >= common and eight & four & owned == common
        # The patches' matrix, all that a frame's graph has of large ones, has no whole blocks.
        assert graph == "vision.frame" or (eight - four and four - eight)


def test_a_later_kind_is_made_of_the_exact_weights(tmp_path: Path) -> None:
    """Not of those that the first kind has rounded."""
    alone, _ = build_graphs(tiny(), ("int4",))
    both, _ = build_graphs(tiny(), ("int8", "int4"))
    name = "decoder.layer1.ffn_output.weight"
    if alone.weights[name].dtype != "uint4":
        name = "decoder.layer1.intermediate.weight"
    assert np.array_equal(alone.weights[name].stored, both.weights[f"{name}.int4"].stored)
    assert np.array_equal(alone.weights[f"{name}.scales"].stored, both.weights[f"{name}.int4.scales"].stored)


def test_every_module_may_have_forms_of_its_own(tmp_path: Path) -> None:
    """text runs the universal layers too, which are stored as universal says."""
    forms = Forms.parse(["int4", "universal=float32,int8", "fusion=float16"])
    done = write_model(tiny(), VOCABULARY, tmp_path, IDENTITY, forms)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    found = {name: [v["name"] for v in graph["variants"]] for name, graph in manifest["graphs"].items()}
    assert found["vision.blocks"] == found["text"] == found["decoder.step"] == ["int4"]
    assert found["universal"] == ["int8", "float32"] and found["fusion"] == ["float16"]
    assert manifest["tensors"]["universal.layer3.attention.qkv.weight"]["dtype"] == "int8"
    assert operators(tmp_path, "text", "int4") >= {"MatMulNBits", "MatMul"}
    # int8 products round what runs through them; all else agrees with PyTorch.
    assert done.differences["int4"]["text"] < 1e-4 and done.differences["float32"]["universal"] < 1e-4
    assert 1e-4 < done.differences["float16"]["fusion"] < 0.02


def test_a_stem_takes_back_one_kind_of_rounding() -> None:
    with pytest.raises(UnknownForm, match="vision as int8 and int4.*vision=FORM"):
        Forms(("int8", "int4")).check(["vision"], "efficientnet")
    Forms(("int8", "int4"), {"vision": ("int8", "float32")}).check(["vision"], "efficientnet")
    Forms(("int8", "int4")).check(["vision"], "conv3d")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["int3"], "there is no form int3; give int8, float32, float16, int4, or MODULE=FORM"),
        (["int4", "vision=int4,half"], "--variants vision=int4,half: there is no form half"),
        (["=int4"], "--variants =int4"),
        (["vision="], "--variants vision="),
    ],
)
def test_unknown_forms_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(UnknownForm, match=message):
        Forms.parse(words)


def test_forms_are_written_in_their_order_whatever_was_given() -> None:
    assert Forms.parse(["int4", "float32", "int8", "int4"]).every == ("int8", "float32", "int4")
    assert Forms.parse(["vision=int4"]) == Forms(DEFAULT, {"vision": ("int4",)})
    assert Forms.parse([*DEVICES]).every == tuple(DEVICES)
    assert Forms(("int8", "float32")).kinds("text") == ["int8"]


def export(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, out: Path, *more: str) -> None:
    words = ["export", "--family", "mplug2", "--checkpoint", str(checkpoint), "--out", str(out), *more]
    monkeypatch.setattr(sys, "argv", words)
    main()


def test_the_command_tells_what_forms_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    more = ["--variants", "int8", "int4", "vision=float16", "--report", str(report)]
    export(monkeypatch, write(tmp_path / "checkpoint", state()), tmp_path / "out", *more)
    lines = capsys.readouterr().out.splitlines()
    [four] = [line for line in lines if line.startswith("  int4, weights off by") and "universal." in line]
    assert " %, most of all universal." in four and ".int4 " in four
    assert any(line.startswith("  float16, cosine to float32: visual 1.0000") for line in lines)
    assert sum(line.startswith("  int8, cosine to float32: ") for line in lines) == 4
    found = json.loads(report.read_text())
    assert found["used"] and not found["missing"]
    modules, cosines = found["forms"]["modules"], found["forms"]["cosines"]
    assert list(modules["vision"]["weights"]) == ["float16"] and set(modules["text"]["weights"]) == {"int8", "int4"}
    for kind, most in (("int8", 0.02), ("int4", 0.15)):
        errors = list(modules["text"]["weights"][kind]["tensors"].values())
        assert errors == sorted(errors, reverse=True) and 0 < errors[0] < most
        assert errors[-1] <= modules["text"]["weights"][kind]["relativeError"] <= errors[0]
    sizes = {path.stat().st_size for path in (tmp_path / "out/blobs").iterdir()}
    assert sum(module["bytes"] for module in modules.values()) >= sum(sizes)
    assert 1 > cosines["int8"]["decoder.step"]["logits"] > cosines["int4"]["decoder.step"]["logits"] > 0.9
    assert not any(name.endswith("logprob") for name in cosines["int8"]["decoder.step"])


def test_cosines_are_to_the_checkpoints_own_weights(tmp_path: Path) -> None:
    """Of float32 graphs they are 1; of others what PyTorch on the exact weights gives, logits without their bias."""
    plain = write_model(tiny(), VOCABULARY, tmp_path / "plain", IDENTITY, Forms(("float32",)))
    values = [c for found in plain.cosines["float32"].values() for c in found.values()]
    assert len(values) > 10 and min(values) > 0.999999
    exact = tiny()
    with torch.no_grad():
        exact.text_decoder["cls"]["predictions"].bias += 50 * torch.randn(len(VOCABULARY))
    done = write_model(exact, VOCABULARY, tmp_path / "biased", IDENTITY, Forms(("int4",)))
    # A bias that drowns all else would hide what is lost.
    assert done.cosines["int4"]["decoder.step"]["logits"] < 0.9999


def test_bounds_allow_for_coarser_forms_before_a_graph(tmp_path: Path) -> None:
    """What a form costs runs through modules that lack it, in their first form, and on to those that have it."""
    done = write_model(tiny(), VOCABULARY, tmp_path, IDENTITY, Forms.parse(["int8", "int4", "universal=int8"]))
    eight, four = done.differences["int8"], done.differences["int4"]
    assert four["universal"] > 3 * eight["universal"] and four["fusion"] > 3 * eight["fusion"]
    bounds = json.loads((tmp_path / "goldens.json").read_text())["bounds"]
    assert bounds["int4"]["universal"] >= 1.9 * four["universal"]
    assert "int4" not in done.cosines or "universal" not in done.cosines["int4"]


def test_an_export_in_several_kinds_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """text finds the universal layers' weights in both kinds on the disk; all files are those of an export in one go."""
    checkpoint, more = write(tmp_path / "checkpoint", state()), ("--variants", "int8", "int4", "--report")
    export(monkeypatch, checkpoint, tmp_path / "whole/m", *more, str(tmp_path / "whole.json"))
    finish, left = manifest.Stage.finish, ["vision", "universal", "decoder"]

    def stopping(self: manifest.Stage, module: str, record: dict, tensors: dict[str, torch.Tensor]) -> None:
        finish(self, module, record, tensors)
        if module == left[-1]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest.Stage, "finish", stopping)
        export(patch, checkpoint, tmp_path / "parts/m", *more, str(tmp_path / "parts.json"))
    export(monkeypatch, checkpoint, tmp_path / "parts/m", *more, str(tmp_path / "parts.json"))
    files = [{p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in map(tmp_path.joinpath, ("whole", "parts"))]
    assert files[0] == files[1] and len(files[0]) > 20
    assert (tmp_path / "whole.json").read_bytes() == (tmp_path / "parts.json").read_bytes()


def test_store_refuses_two_tensors_of_one_name() -> None:
    store = WeightStore(Forms())
    store.add_float("a", "m", np.zeros(2))
    with pytest.raises(ValueError, match="two different tensors are named a"):
        store.add_float("a", "m", np.ones(2))


@pytest.mark.parametrize("variant", DEVICES)
def test_native_graphs_of_every_form_run(variant: str) -> None:
    _, built = build_graphs(tiny(), (variant,))
    frame = next(NativeGraph(b) for b in built if b.name == "vision.frame")
    assert np.isfinite(frame({"pixels": np.zeros((1, 3, 1, 28, 28), np.float32)})["tokens"]).all()
