"""Tapped graphs hand on what PyTorch has at the same places; all other files are the same with and without them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from tiny_model import PATCH, VOCABULARY, close, tiny

from export.build import Built, build_graphs
from export.graph import LOCATION
from export.manifest import write_model
from export.native import external_data
from mplug2.model import Mplug2

IDENTITY = {"id": "tiny", "name": "Tiny", "licence": "none"}
TAPPED = {"vision.blocks", "universal", "text", "fusion"}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_no_file_of_a_model_changes(tmp_path: Path) -> None:
    for folder, taps in (("plain", False), ("tapped", True), ("again", True), ("again", False)):
        write_model(tiny(bridge=True), VOCABULARY, tmp_path / folder, IDENTITY, taps=taps)
    plain, tapped = files_of(tmp_path / "plain"), files_of(tmp_path / "tapped")
    assert plain == files_of(tmp_path / "again")
    assert tapped.items() >= plain.items()
    assert tapped.keys() - plain.keys() == {"taps.json", *(f"graphs/{name}.float32-taps.onnx" for name in TAPPED)}
    taps = json.loads(tapped["taps.json"])["graphs"]
    assert taps.keys() == TAPPED
    for graph in taps.values():
        data = tapped[graph["file"]["path"]]
        assert (len(data), hashlib.sha256(data).hexdigest()) == (graph["file"]["bytes"], graph["file"]["sha256"])


def run_tapped(built: Built, feeds: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """All outputs of a graph's tapped form."""
    options, data = ort.SessionOptions(), external_data(built.writer).tobytes()
    options.intra_op_num_threads = 1
    options.add_external_initializers_from_files_in_memory([LOCATION], [data], [len(data)])
    model = built.writer.model(built.name, built.inputs, built.outputs, tapped=True).SerializeToString()
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: value.numpy() for name, value in feeds.items()})))


def watched(model: Mplug2, bridge: bool) -> dict[str, torch.Tensor]:
    """By the names of taps, what modules of the PyTorch model yield whenever they are run."""
    found: dict[str, torch.Tensor] = {}
    encoder, text = model.visual_encoder["visual"], model.text_encoder
    modules = {f"block{i}": block for i, block in enumerate(encoder.transformer["resblocks"])}
    modules |= {f"text.layer{i}": layer for i, layer in text["encoder"].layer.items()}
    modules |= {f"fusion.layer{i}": layer for i, layer in model.fusion_encoder["encoder"].layer.items()}
    modules |= {"text.embed": text["embeddings"], **({"ln_post": encoder.ln_post} if bridge else {})}
    for name, module in modules.items():
        module.register_forward_hook(lambda _, __, output, name=name: found.__setitem__(name, output))
    return found


@pytest.mark.parametrize("bridge", [False, True])
@torch.inference_mode()
def test_taps_agree_with_pytorch(bridge: bool) -> None:
    model = tiny(bridge=bridge)
    _, graphs = build_graphs(model, ("float32",))
    tapped = {built.name: built for built in graphs}
    found = watched(model, bridge)
    cells = model.cells(torch.randn(2, 3, 3, 2 * PATCH, 2 * PATCH))
    tokens = model.visual_encoder["visual"].tokens(cells)
    visual = model.vision(cells)
    wanted = {"vision.blocks": {name: found[name] for name in found if name.startswith(("block", "ln_post"))}}
    memory = model.universal(visual)
    # In vision mode the last layers of the text encoder are the universal ones.
    wanted["universal"] = {"latents": found["text.layer2"], "universal": found["text.layer3"]}
    ids = torch.randint(len(VOCABULARY), (2, 6))
    hidden = model.text(ids, torch.ones_like(ids))
    model.fusion(hidden, memory, torch.ones_like(ids))
    for name in ("text", "fusion"):
        wanted[name] = {tap: found[tap] for tap in found if tap.startswith(f"{name}.")}
    feeds = {"vision.blocks": {"tokens": tokens}, "universal": {"visual": visual}, "text": {"ids": ids.int()}}
    feeds["fusion"] = {"hidden": hidden, "memory": memory}
    for graph, values in wanted.items():
        made = run_tapped(tapped[graph], feeds[graph])
        assert values.keys() == made.keys() - {output.name for output in tapped[graph].outputs}
        for tap, value in values.items():
            assert close(made[tap], value), tap
