"""The decoder as two graphs over one module: `decoder.memory` (cross-attention keys and values, once per input)
and `decoder.step` (any number of new tokens over any number of cached ones)."""

from __future__ import annotations

import numpy as np

from mplug2.model import Mplug2

from .bert_graph import feed_forward, heads, output, project_qkv, query, residual
from .graph import GraphWriter, Value
from .split import Group, handed_on
from .weights import ModuleWeights
from .words_graph import IDS, embed


def decoder_layers(model: Mplug2) -> list:
    """The decoder's layers in order."""
    return list(model.text_decoder["bert"]["encoder"])


def memory_graph(
    g: GraphWriter, w: ModuleWeights, model: Mplug2, group: Group
) -> tuple[str, list[Value], list[Value]]:
    """memory B×N×E → cross_key_i, cross_value_i B×heads×N×d of the group's layers, by one matrix product."""
    text = model.config.text
    size = text.width // text.heads
    numbers = range(group.first, group.stop)
    layers = decoder_layers(model)
    attentions = [layers[i].crossattention.self for i in numbers]
    projections = [attention[kind] for attention in attentions for kind in ("key", "value")]
    packed = g.linear("memory", *w.linears(f"{handed_on('memory', group.first)}.kv", projections))
    names = [f"cross_{kind}_{i}" for i in numbers for kind in ("key", "value")]
    split = heads(g, packed, len(projections) * text.heads, size)
    g.op("Split", split, g.constant([text.heads] * len(projections)), outputs=names, axis=1)
    cache = ("batch", text.heads, "tokens", size)
    return (
        group.name,
        [Value("memory", "float32", ("batch", "tokens", text.width))],
        [Value(name, "float32", cache) for name in names],
    )


def causal_mask(g: GraphWriter, past: str, end: str) -> str:
    """L×(past+L): 0 where the key is not later than the query, else −1e9."""
    zero, one = g.constant(0), g.constant(1)
    start, stop = (g.op("Squeeze", n) for n in (past, end))
    rows = g.op("Unsqueeze", g.op("Range", start, stop, one), g.constant([1]))
    columns = g.op("Range", zero, stop, one)
    later = g.op("Less", rows, columns)
    return g.op("Where", later, g.constant(-1e9, np.float32), g.constant(0, np.float32))


def choose(g: GraphWriter, logits: str) -> list[Value]:
    """The log-softmax of logits B×L×vocabulary → the `k` likeliest after the last position; log p of the targets."""
    logp = g.op("LogSoftmax", logits, axis=-1)
    last = g.op("Gather", logp, g.constant(-1), axis=1)
    g.op("TopK", last, "k", outputs=["top_logprob", "top_id"], axis=-1, largest=1, sorted=1)
    wanted = g.op("GatherElements", logp, g.op("Unsqueeze", "targets", g.constant([2])), axis=2)
    g.op("Squeeze", wanted, g.constant([2]), name="target_logprob")
    return [
        Value("top_logprob", "float32", ("batch", "k")),
        Value("top_id", "int64", ("batch", "k")),
        Value("target_logprob", "float32", ("batch", "length")),
    ]


def step_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """ids B×L, caches → logits B×L×vocabulary, what to choose from, grown self-attention caches.

    Row b continues row `beam_index`[b] of the past. Cross-attention's keys and values of batch 1 serve every row.
    """
    text = model.config.text
    size = text.width // text.heads
    past = g.op("Shape", "past_key_0", start=2, end=3)
    end = g.op("Add", past, g.op("Shape", "ids", start=1, end=2))
    x, table = embed(g, w, model, model.text_decoder["bert"]["embeddings"], past, end)
    mask = causal_mask(g, past, end)
    inputs = [
        IDS,
        Value("beam_index", "int32", ("batch",)),
        Value("k", "int64", (1,)),
        Value("targets", "int32", ("batch", "length")),
    ]
    outputs = [Value("logits", "float32", ("batch", "length", text.vocab))]
    for i, layer in enumerate(decoder_layers(model)):
        at, attention, cross = f"layer{i}", layer.attention, layer.crossattention
        q, k, v = project_qkv(g, w, f"{at}.attention", attention, text, x)
        before = [g.op("Gather", f"past_{kind}_{i}", "beam_index", axis=0) for kind in ("key", "value")]
        k = g.op("Concat", before[0], k, axis=2, name=f"present_key_{i}")
        v = g.op("Concat", before[1], v, axis=2, name=f"present_value_{i}")
        y = output(g, w, f"{at}.attention", attention, g.attend(q, k, v, text.width, mask))
        x = residual(g, w, f"{at}.attention", attention, text, x, y)
        q = query(g, w, f"{at}.crossattention", cross, text, x)
        y = g.attend(q, f"cross_key_{i}", f"cross_value_{i}", text.width)
        y = output(g, w, f"{at}.crossattention", cross, y)
        x = residual(g, w, f"{at}.crossattention", cross, text, x, y)
        x = feed_forward(g, w, at, layer, text, x)
        for kind in ("key", "value"):
            inputs.append(Value(f"cross_{kind}_{i}", "float32", ("memory_batch", text.heads, "tokens", size)))
            inputs.append(Value(f"past_{kind}_{i}", "float32", ("past_batch", text.heads, "past", size)))
            outputs.append(Value(f"present_{kind}_{i}", "float32", ("batch", text.heads, "present", size)))
    head = model.text_decoder["cls"]["predictions"]
    transform = head["transform"]
    x = g.contrib("Gelu", g.linear(x, *w.linears("head.dense", [transform["dense"]])))
    x = g.layer_norm(x, w.norm("head.norm", transform["LayerNorm"]), text.norm_eps)
    logits = g.linear(x, table, w.small("head.bias", head.bias), name="logits")
    return "decoder.step", inputs, [*outputs, *choose(g, logits)]
