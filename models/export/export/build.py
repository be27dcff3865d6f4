"""Builds every graph in every variant; on the way the PyTorch model takes over the dequantised weights."""

from __future__ import annotations

from dataclasses import dataclass

from mplug2.model import Mplug2

from .decoder_graph import memory_graph, step_graph
from .graph import GraphWriter, Value
from .tensors import WeightStore
from .universal_graph import universal_graph
from .vision_graph import vision_graph
from .weights import ModuleWeights

GRAPHS = (
    ("vision", vision_graph),
    ("universal", universal_graph),
    ("decoder", memory_graph),
    ("decoder", step_graph),
)
VARIANTS = {"int8": ["wasm"], "float32": ["wasm", "webgpu"]}


@dataclass(frozen=True)
class Built:
    """A graph in one variant."""

    name: str
    module: str
    variant: str
    inputs: list[Value]
    outputs: list[Value]
    writer: GraphWriter


def build_graphs(model: Mplug2) -> tuple[WeightStore, list[Built]]:
    """All stored weights, and the graphs over them. Afterwards `model` (in eval mode, its batch norms folded) computes
    with exactly what is stored."""
    model.eval()
    store = WeightStore()
    built = []
    for variant in VARIANTS:
        for module, build in GRAPHS:
            g = GraphWriter(store, variant)
            name, inputs, outputs = build(g, ModuleWeights(store, module), model)
            built.append(Built(name, module, variant, inputs, outputs, g))
    return store, built
