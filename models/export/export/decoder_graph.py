"""The decoder as two graphs over one module: `decoder.memory` (cross-attention keys and values, once per input)
and `decoder.step` (any number of new tokens over any number of cached ones)."""

from __future__ import annotations

import numpy as np

from mplug2.model import Mplug2

from .bert_graph import feed_forward, heads, output, project_qkv, query, residual
from .graph import GraphWriter, Value
from .weights import ModuleWeights


def decoder_layers(model: Mplug2) -> list:
    """The decoder's layers in order."""
    return list(model.text_decoder["bert"]["encoder"])


def memory_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """memory B×N×E → cross_key_i, cross_value_i B×heads×N×d of every layer, by one matrix product."""
    text = model.config.text
    size = text.width // text.heads
    projections = [a for layer in decoder_layers(model) for a in (layer.crossattention.self["key"], layer.crossattention.self["value"])]
    packed = g.linear("memory", *w.linears("memory.kv", projections))
    names = [f"cross_{kind}_{i}" for i in range(len(projections) // 2) for kind in ("key", "value")]
    split = heads(g, packed, len(projections) * text.heads, size)
    g.op("Split", split, g.constant([text.heads] * len(projections)), outputs=names, axis=1)
    cache = ("batch", text.heads, "tokens", size)
    return (
        "decoder.memory",
        [Value("memory", "float32", ("batch", "tokens", text.width))],
        [Value(name, "float32", cache) for name in names],
    )


def embed(g: GraphWriter, w: ModuleWeights, model: Mplug2, past: str, end: str) -> tuple[str, str]:
    """ids → embeddings B×L×E behind their LayerNorm, and the name of the word matrix (E×vocabulary).

    The table is stored once, as the output matrix wants it; a token's embedding is one of its columns.
    """
    embeddings = model.text_decoder["bert"]["embeddings"]
    # E×V, a scale per piece: the same bytes serve the output matrix.
    table = w.matrix("words", [embeddings.word_embeddings.weight])
    if g.variant == "int8":
        taken = g.op("Cast", g.op("Gather", g.weight(table, "int8"), "ids", axis=1), to=1)
        scales = g.op("Gather", g.weight(f"{table}.scales"), "ids", axis=0)
        taken = g.op("Mul", taken, scales)
    else:
        taken = g.op("Gather", g.weight(table), "ids", axis=1)
    rows = g.transpose(taken, 1, 2, 0)
    places = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
    stored = g.weight(w.small("positions", places))
    x = g.op("Add", rows, g.op("Slice", stored, past, end, g.constant([0])))
    return g.layer_norm(x, w.norm("embedding_norm", embeddings.LayerNorm), model.config.text.norm_eps), table


def causal_mask(g: GraphWriter, past: str, end: str) -> str:
    """L×(past+L): 0 where the key is not later than the query, else −1e9."""
    zero, one = g.constant(0), g.constant(1)
    start, stop = (g.op("Squeeze", n) for n in (past, end))
    rows = g.op("Unsqueeze", g.op("Range", start, stop, one), g.constant([1]))
    columns = g.op("Range", zero, stop, one)
    later = g.op("Less", rows, columns)
    return g.op("Where", later, g.constant(-1e9, np.float32), g.constant(0, np.float32))


def step_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """ids B×L, caches → logits B×L×vocabulary, grown self-attention caches."""
    config = model.config
    text = config.text
    size = text.width // text.heads
    layers = decoder_layers(model)
    past = g.op("Shape", "past_key_0", start=2, end=3)
    end = g.op("Add", past, g.op("Shape", "ids", start=1, end=2))
    x, table = embed(g, w, model, past, end)
    mask = causal_mask(g, past, end)
    inputs = [Value("ids", "int32", ("batch", "length"))]
    outputs = [Value("logits", "float32", ("batch", "length", text.vocab))]
    for i, layer in enumerate(layers):
        at, attention, cross = f"layer{i}", layer.attention, layer.crossattention
        q, k, v = project_qkv(g, w, f"{at}.attention", attention, text, x)
        k, = g.op("Concat", f"past_key_{i}", k, outputs=[f"present_key_{i}"], axis=2)
        v, = g.op("Concat", f"past_value_{i}", v, outputs=[f"present_value_{i}"], axis=2)
        y = output(g, w, f"{at}.attention", attention, g.attend(q, k, v, text.width, mask))
        x = residual(g, w, f"{at}.attention", attention, text, x, y)
        q = query(g, w, f"{at}.crossattention", cross, text, x)
        y = g.attend(q, f"cross_key_{i}", f"cross_value_{i}", text.width)
        y = output(g, w, f"{at}.crossattention", cross, y)
        x = residual(g, w, f"{at}.crossattention", cross, text, x, y)
        x = feed_forward(g, w, at, layer, text, x)
        for kind in ("key", "value"):
            inputs.append(Value(f"cross_{kind}_{i}", "float32", ("batch", text.heads, "tokens", size)))
            inputs.append(Value(f"past_{kind}_{i}", "float32", ("batch", text.heads, "past", size)))
            outputs.append(Value(f"present_{kind}_{i}", "float32", ("batch", text.heads, "present", size)))
    head = model.text_decoder["cls"]["predictions"]
    transform = head["transform"]
    x = g.contrib("Gelu", g.linear(x, *w.linears("head.dense", [transform["dense"]])))
    x = g.layer_norm(x, w.norm("head.norm", transform["LayerNorm"]), text.norm_eps)
    g.op("Identity", g.linear(x, table, w.small("head.bias", head.bias)), outputs=["logits"])
    return "decoder.step", inputs, outputs
