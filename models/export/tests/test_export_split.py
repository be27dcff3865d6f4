"""Modules cut into several graphs and runs say what PyTorch says, for odd sizes and any number of frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from odd_model import SIZE, odd
from tiny_model import VOCABULARY, close, native_graphs, tiny

from export import split
from export.build import build_graphs
from export.manifest import write_model
from export.native import NativeGraph
from export.released import BASE, LARGE
from export.tasks import tasks_of
from mplug2.config import Mplug2Config, owlet_mini
from mplug2.model import Mplug2

IDENTITY = {"id": "tiny", "name": "Tiny", "licence": "none"}
Values = dict[str, np.ndarray]


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part is a graph by itself, and the last universal layer runs row by row."""
    monkeypatch.setattr(split, "RUN_WORK", 1)


def by_rows(graph: NativeGraph, values: Values, most: int) -> Values:
    """What the runtime does for `universal.read`: parts of `visual` and `visual_query` along axis 1, joined."""
    found = []
    for start in range(0, values["visual"].shape[1], most):
        rows = {name: values[name][:, start : start + most] for name in ("visual", "visual_query")}
        found.append(graph({**values, **rows})["memory"])
    return {"memory": np.concatenate(found, 1)}


def follow(model: Mplug2, graphs: dict[str, Callable[[Values], Values]], task: str, values: Values) -> Values:
    """Runs a task's steps up to its decoder, as the runtime does: pixels frame by frame, rows in parts."""
    values = dict(values)
    for step in tasks_of(model.config, None)[task]["steps"]:
        if step["kind"] == "frames":
            pixels = values["pixels"]
            runs = [graphs[step["graph"]]({"pixels": pixels[:, :, t : t + 1]}) for t in range(pixels.shape[2])]
            values["tokens"] = np.concatenate([run["tokens"] for run in runs], 1)
        elif step["kind"] == "run":
            fed = {**values, **{name: values[of] for name, of in step.get("inputs", {}).items()}}
            graph = graphs[step["graph"]]
            values |= by_rows(graph, fed, step["parts"]["most"]) if "parts" in step else graph(fed)
    return values


def check_task(model: Mplug2, frames: int) -> None:
    """Compares what the path of an answer makes of a video and a question, up to the decoder's steps, with PyTorch."""
    graphs = native_graphs(model)
    text = model.config.text
    pixels, ids = torch.randn(1, 3, frames, SIZE, SIZE), torch.randint(text.vocab, (1, 6))
    made = follow(model, graphs, "answer", {"pixels": pixels.numpy(), "ids": ids.numpy().astype(np.int32)})
    visual = model.vision(model.cells(pixels))
    memory = model.universal(visual)
    fused = model.fusion(model.text(ids, torch.ones_like(ids)), memory, torch.ones_like(ids))
    answer_memory = torch.cat([memory, fused], 1)
    wanted = {"visual": visual, "memory": memory, "fused": fused, "answer_memory": answer_memory}
    for i, layer in enumerate(model.text_decoder["bert"]["encoder"]):
        for kind in ("key", "value"):
            attention = layer.crossattention
            wanted[f"cross_{kind}_{i}"] = attention.split(attention.self[kind](answer_memory))
    for name, value in wanted.items():
        assert close(made[name], value), name
    check_steps(model, graphs["decoder.step"], made, answer_memory)


def check_steps(model: Mplug2, graph: Callable[[Values], Values], made: Values, memory: torch.Tensor) -> None:
    """Compares two runs of the decoder's step, of three rows and then of two that go on from them, with PyTorch on whole
    rows; `made` has the keys and values of `memory` 1×N×E."""
    text = model.config.text
    ids = torch.randint(text.vocab, (3, 4))
    pasts = [f"{kind}_{i}" for i in range(model.config.decoder.layers) for kind in ("key", "value")]
    past = {f"past_{name}": np.zeros((1, text.heads, 0, text.width // text.heads), np.float32) for name in pasts}
    for begins, rows, new in (([0, 0, 0], ids, 4), ([2, 1], torch.cat([ids[[2, 1]], ids[:2, :1]], 1), 1)):
        fed = rows[:, -new:].numpy().astype(np.int32)
        run = {"ids": fed, "targets": fed, "beam_index": np.array(begins, np.int32), "k": np.array([3])}
        found = graph({**made, **past, **run})
        logits = model.logits(model.decoder_hidden(rows, memory.expand(len(rows), -1, -1)))[:, -new:]
        logp = logits.log_softmax(-1)
        assert close(found["logits"], logits)
        assert close(found["top_logprob"], logp[:, -1].topk(3).values)
        assert close(found["target_logprob"], logp.gather(2, rows[:, -new:, None])[..., 0])
        past = {f"past_{name}": found[f"present_{name}"] for name in pasts}


@pytest.mark.parametrize("frames", [1, 3, 16])
@pytest.mark.parametrize("bridge", [False, True])
@torch.inference_mode()
def test_odd_sizes_agree_whole(bridge: bool, frames: int) -> None:
    model = odd(bridge)
    assert len(native_graphs(model)) == 7
    check_task(model, frames)


@pytest.mark.parametrize("frames", [1, 3, 16])
@torch.inference_mode()
def test_odd_sizes_agree_in_parts(cut: None, frames: int) -> None:
    model = odd(universal_layers=3)
    assert len(native_graphs(model)) == 1 + 6 + 2 + 3 + 1 + 1 + 3
    check_task(model, frames)


def test_universal_parts_are_made_of_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = build_graphs(odd(), ("int8",))
    # Of 145 rows' scores, 1,740 bytes each.
    monkeypatch.setattr(split, "SCORES_BYTES", 4000)
    assert split.rows_a_run(odd().config) == 2
    store, built = build_graphs(odd(), ("int8",))
    assert {"universal.gather", "universal.read"} <= {b.name for b in built}
    assert store.weights.keys() == whole.weights.keys()
    assert all(np.array_equal(store.weights[name].stored, whole.weights[name].stored) for name in whole.weights)


def test_a_model_in_parts_is_written_and_checked(cut: None, tmp_path: Path) -> None:
    write_model(tiny(bridge=True, heads=True), VOCABULARY, tmp_path, IDENTITY)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    goldens = json.loads((tmp_path / "goldens.json").read_text())
    assert goldens["outputs"].keys() == manifest["graphs"].keys()
    assert len(manifest["graphs"]) == 1 + 4 + 2 + 2 + 1 + 1 + 2 + 4
    assert all(bound < 1e-2 for bound in goldens["bounds"]["float32"].values())
    read = next(s for s in manifest["tasks"]["caption"]["steps"] if s.get("graph") == "universal.read")
    assert read["parts"] == {"axis": "rows", "most": 1}
    assert [v["shape"][1] for v in manifest["graphs"]["universal.read"]["inputs"][:2]] == ["rows", "rows"]


@pytest.mark.parametrize("config", [LARGE, BASE])
def test_published_sizes_are_cut_to_runs_that_end_soon(config: Mplug2Config) -> None:
    rows, tokens = split.rows_a_run(config), split.visual_tokens(config)
    assert rows is not None and rows * config.text.heads * tokens * 4 <= split.SCORES_BYTES
    # A photo is still one run.
    assert rows > 1 + config.grid**2
    for groups in (split.vision_groups(config), split.memory_groups(config), split.fusion_groups(config)):
        assert [g.first for g in groups] == [0, *(g.stop for g in groups[:-1])]
        assert [g.last for g in groups] == [False] * (len(groups) - 1) + [True]
    assert split.vision_groups(config)[-1].stop == 2 * config.vision.layers
    # Halves are the smallest parts: two of them would be too much at sixteen frames.
    assert len(split.vision_groups(config)) == 2 * config.vision.layers
    assert max(len(task["steps"]) for task in tasks_of(config, None).values()) <= 64


def test_small_models_stay_whole() -> None:
    config = owlet_mini(8000)
    assert split.rows_a_run(config) is None
    for groups in (split.vision_groups, split.memory_groups, split.fusion_groups):
        assert len(groups(config)) == 1


def test_parts_fill_a_graph_up_to_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "RUN_WORK", 10)
    found = split.grouped("g", [4, 6, 1, 20, 3])
    assert [(g.name, g.first, g.stop, g.last) for g in found] == [
        ("g.0", 0, 2, False),
        ("g.1", 2, 3, False),
        ("g.2", 3, 4, False),
        ("g.3", 4, 5, True),
    ]
    assert split.grouped("g", [4, 6]) == [split.Group("g", 0, 2, True)]
