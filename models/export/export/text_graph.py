"""The text encoder and fusion (arXiv 2302.00402, sections 3.3 and 3.4) as ONNX, without masks: rows of one length."""

from __future__ import annotations

from mplug2.model import Mplug2

from .bert_graph import encoder_layer
from .graph import GraphWriter, Value
from .split import Group, handed_on
from .weights import ModuleWeights
from .words_graph import IDS, embed


def text_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """ids B×L → hidden B×L×E. The last layers are the universal ones: their tensors are the module `universal`'s."""
    text = model.config.text
    first_universal = text.layers - text.universal_layers
    x, _ = embed(g, w, model, model.text_encoder["embeddings"], g.constant([0]), g.op("Shape", "ids", start=1, end=2))
    rows = ("batch", "length", text.width)
    g.tap("text.embed", x, rows)
    for i, layer in enumerate(model.text_encoder["encoder"]):
        owner = w if i < first_universal else w.of("universal")
        x = encoder_layer(g, owner, f"layer{i}", layer, text, x, None)
        g.tap(f"text.layer{i}", x, rows)
    g.op("Identity", x, name="hidden")
    return "text", [IDS], [Value("hidden", "float32", rows)]


def fusion_graph(
    g: GraphWriter, w: ModuleWeights, model: Mplug2, group: Group
) -> tuple[str, list[Value], list[Value]]:
    """hidden B×L×E, memory B×N×E → fused B×L×E, answer_memory B×(N+L)×E; of several groups, each hands hidden on to the
    next. A memory of batch 1 serves every row."""
    text = model.config.text
    rows = ("batch", "length", text.width)
    x = begin = handed_on("hidden", group.first)
    layers = list(model.fusion_encoder["encoder"].layer.items())
    for i, layer in layers[group.first : group.stop]:
        x = encoder_layer(g, w, f"layer{i}", layer, text, x, "memory")
        g.tap(f"fusion.layer{i}", x, rows)
    inputs = [Value(begin, "float32", rows), Value("memory", "float32", ("memory_batch", "tokens", text.width))]
    if not group.last:
        end = g.op("Identity", x, name=handed_on("hidden", group.stop))
        return group.name, inputs, [Value(end, "float32", rows)]
    fused = g.op("Identity", x, name="fused")
    every = g.op("Concat", g.op("Shape", begin, start=0, end=1), g.constant([1, 1]), axis=0)
    g.op("Concat", g.op("Expand", "memory", every), fused, axis=1, name="answer_memory")
    return (
        group.name,
        inputs,
        [
            Value("fused", "float32", rows),
            Value("answer_memory", "float32", ("batch", "answer_tokens", text.width)),
        ],
    )
