"""A tiny random mPLUG-2 is written as a model folder: shards hold what was stored, tasks are wired, figures agree."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import VOCABULARY, tiny

from export.build import build_variant
from export.exported import FLOAT32, ExportedStore, fill
from export.manifest import write_model
from export.rounding import quantise
from export.shards import BLOB_BYTES, write_blobs, written_weight
from export.tensors import Weight, WeightStore
from mplug2.config import HeadsConfig
from train.checkpoint import load_model, save_model
from train.generate import greedy

IDENTITY = {"id": "tiny", "name": "Tiny", "licence": "none"}
GRAPHS = {"vision.frame", "vision.blocks", "universal", "text", "fusion", "decoder.memory", "decoder.step"}
HEADS = {"match", "embed.visual", "embed.text", "classify"}


KINDS = [(False, True, True), (True, True, False), (True, False, False)]


@pytest.mark.parametrize(("bridge", "heads", "shared"), KINDS)
def test_graphs_agree_with_pytorch(
    tmp_path: Path, bridge: bool, heads: bool, shared: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(tiny(bridge, heads, shared), VOCABULARY, tmp_path, IDENTITY)
    line = next(text for text in capsys.readouterr().out.splitlines() if text.startswith("float32"))
    found = ast.literal_eval(line.removeprefix("float32 "))
    assert set(found) == (GRAPHS | HEADS if heads else GRAPHS)
    assert all(float(value) < 1e-4 for value in found.values())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for blob in manifest["blobs"]:
        data = (tmp_path / "blobs" / f"{blob['sha256']}.bin").read_bytes()
        assert len(data) == blob["bytes"] and hashlib.sha256(data).hexdigest() == blob["sha256"]
    for graph in manifest["graphs"].values():
        for variant in graph["variants"]:
            file = (tmp_path / variant["file"]["path"]).read_bytes()
            assert b"DequantizeLinear" not in file


def written(folder: Path, **kinds: bool) -> dict:
    write_model(tiny(**kinds), VOCABULARY, folder, IDENTITY)
    return json.loads((folder / "manifest.json").read_text())


def tensors_of(manifest: dict, graph: str) -> dict[str, str]:
    """Tensors that a graph is made of, with the module that owns each."""
    used = {item["tensor"] for item in manifest["graphs"][graph]["variants"][0]["initializers"]}
    return {name: manifest["tensors"][name]["module"] for name in used}


def test_what_several_graphs_use_is_stored_once(tmp_path: Path) -> None:
    manifest = written(tmp_path, shared=True)
    text, universal, step = (tensors_of(manifest, graph) for graph in ("text", "universal", "decoder.step"))
    assert set(text.values()) == {"text", "universal", "embeddings"}
    assert set(step.values()) == {"decoder", "embeddings"}
    common = text.keys() & universal.keys()
    assert any("layer3.attention.qkv" in name for name in common) and not any("crossattention" in name for name in text)
    tables = [n for n, t in manifest["tensors"].items() if len(t["shape"]) == 2 and len(VOCABULARY) in t["shape"]]
    assert tables == ["embeddings.words.weight"]


def test_two_word_tables_stay_two(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    assert "embeddings" not in {t["module"] for t in manifest["tensors"].values()}
    assert {"text.words.weight", "decoder.words.weight"} <= manifest["tensors"].keys()


def test_tasks_read_what_was_made_before(tmp_path: Path) -> None:
    manifest = written(tmp_path, heads=True, shared=True)
    tasks, graphs = manifest["tasks"], manifest["graphs"]
    assert set(tasks) == {"caption", "answer", "rank", "match", "embed", "embed-text", "classify"}
    search = {"ids", "beam_index", "k", "targets"}
    for task in tasks.values():
        made = {"pixels"} if task["media"] else set()
        for step in task["steps"]:
            if "graph" in step:
                graph = graphs[step["graph"]]
                wanted = {step.get("inputs", {}).get(i["name"], i["name"]) for i in graph["inputs"]}
                if step["kind"] in ("generate", "rank"):
                    wanted = {name for name in wanted if name not in search and not name.startswith("past_")}
                assert wanted <= made
                made |= {o["name"] for o in graph["outputs"]}
            made.add(step.get("output"))
            assert {step[key] for key in ("logits", "embedding") if key in step} <= made
    labels = tasks["classify"]["steps"][-1]["labels"]
    names = json.loads((tmp_path / labels["path"]).read_text())
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[207], names[999]) == ("tench", "golden retriever", "toilet tissue")


def test_a_model_without_heads_has_neither_their_graphs_nor_their_tasks(tmp_path: Path) -> None:
    manifest = written(tmp_path)
    assert set(manifest["tasks"]) == {"caption", "answer", "rank"} and set(manifest["graphs"]) == GRAPHS
    assert "pooled" not in {o["name"] for o in manifest["graphs"]["vision.frame"]["outputs"]}
    assert not (tmp_path / "labels.json").exists()


def test_float32_graphs_alone_keep_float32_weights(tmp_path: Path) -> None:
    model = tiny(bridge=True)
    before = model.visn_fc.weight.detach().clone()
    quality = {"metrics": [], "data": ["none"], "limits": []}
    write_model(model, VOCABULARY, tmp_path, IDENTITY, FLOAT32, quality)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["quality"] == quality
    assert {t["dtype"] for t in manifest["tensors"].values()} == {"float32"}
    assert {v["name"] for g in manifest["graphs"].values() for v in g["variants"]} == {"float32"}
    assert torch.equal(model.visn_fc.weight, before)


def test_a_tensor_spans_blobs_and_comes_back_whole(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((3, BLOB_BYTES // 8 + 5)).astype(np.float32)
    odd = np.ones(3, np.int8)
    weights = [Weight.of("m.odd", "m", odd), Weight.of("m.long", "m", values)]
    blobs: list[dict] = []
    entries = write_blobs(tmp_path, "m", weights, blobs)
    assert len(entries["m.long"]["pieces"]) == 2
    joined = b"".join(
        (tmp_path / f"{blobs[p['blob']]['sha256']}.bin").read_bytes()[p["offset"] : p["offset"] + p["bytes"]]
        for p in entries["m.long"]["pieces"]
    )
    assert joined == values.tobytes()
    assert np.array_equal(written_weight(tmp_path, blobs, entries, "m.long").stored, values)


def test_quantising_keeps_every_channel_within_half_a_step() -> None:
    values = np.random.default_rng(1).standard_normal((16, 6)).astype(np.float32) * np.arange(6)
    stored, scales = quantise(values, 1)
    assert scales[0] == 1 and not stored[:, 0].any()
    assert (np.abs(stored * scales - values).max(axis=0) <= scales / 2 + 1e-6).all()


@pytest.mark.parametrize("kinds", [{"bridge": True, "heads": True}, {"heads": True, "shared": True}])
def test_an_exported_model_comes_back(tmp_path: Path, kinds: dict[str, bool]) -> None:
    exported = tiny(**kinds)
    write_model(exported, VOCABULARY, tmp_path, IDENTITY)
    other = tiny(**kinds)
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter.data)
    fill(other, tmp_path)
    stores = [WeightStore(FLOAT32) for _ in range(2)]
    for store, model in zip(stores, (exported, other)):
        build_variant(store, model, "float32")
    wanted, found = (store.weights for store in stores)
    assert wanted.keys() == found.keys()
    assert all(np.allclose(wanted[name].values, found[name].values, 1e-6, 1e-6) for name in wanted)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["tensors"]["universal.latents"]["shape"].reverse()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="universal.latents has the shape"):
        fill(other, tmp_path)


def test_training_can_start_from_the_shipped_model(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "owlet-mini"
    model, vocabulary = load_model(shipped, heads=HeadsConfig(384, 1000))
    assert len(vocabulary) == model.config.text.vocab and model.config.heads is not None
    save_model(tmp_path, model, vocabulary)
    again, _ = load_model(tmp_path)
    store = WeightStore(FLOAT32)
    build_variant(store, again, "float32")
    known = ExportedStore(shipped, json.loads((shipped / "manifest.json").read_text()))
    names = [name for name in store.weights if name in known]
    assert {name.split(".")[0] for name in names} >= {"vision", "universal", "decoder", "embeddings"}
    assert all(np.allclose(store.weights[name].values, known.values(name), 1e-4, 1e-6) for name in names)


def test_margins_are_of_the_allowed_tokens() -> None:
    model = tiny()
    memory = torch.randn(1, 5, model.config.text.width)
    tokens, margins = greedy(model, memory, min_length=3, max_length=3)
    assert len(tokens) == len(margins) == 3 and model.config.ids.end not in tokens
    with torch.inference_mode():
        logits = model.logits(model.decoder_hidden(torch.tensor([[model.config.ids.start]]), memory)[0, -1])
    allowed = [logit for token, logit in enumerate(logits.tolist()) if token != model.config.ids.end]
    best, second = sorted(allowed, reverse=True)[:2]
    assert margins[0] == pytest.approx(best - second, abs=1e-5)
