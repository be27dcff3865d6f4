"""The heads as ONNX: match, embed (pictures, videos and text in one space) and classify."""

from __future__ import annotations

import numpy as np
from torch import nn

from mplug2.model import Mplug2

from .graph import GraphWriter, Value
from .weights import ModuleWeights

# What torch's `normalize` divides by at least.
LEAST_LENGTH = 1e-12


def match_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """fused B×L×E → match_logits B×2 from the first token: [does not fit, fits]."""
    text, head = model.config.text, model.itm_head
    first = g.op("Gather", "fused", g.constant(0), axis=1)
    # Two columns are not worth quantising.
    y = g.op("MatMul", first, g.weight(w.small("weight", head.weight.T)))
    g.op("Add", y, g.weight(w.small("bias", head.bias)), name="match_logits")
    return (
        "match",
        [Value("fused", "float32", ("batch", "length", text.width))],
        [Value("match_logits", "float32", ("batch", 2))],
    )


def embedding(g: GraphWriter, w: ModuleWeights, at: str, projection: nn.Linear, tokens: str) -> None:
    """The mean of B×N×E tokens, projected and made 1 long, as the output `embedding`."""
    y = g.linear(g.op("ReduceMean", tokens, axes=[1], keepdims=0), w.matrix(at, [projection.weight]))
    length = g.op("Max", g.op("ReduceL2", y, axes=[-1], keepdims=1), g.constant(LEAST_LENGTH, np.float32))
    g.op("Div", y, length, name="embedding")


def embed_visual_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """memory B×N×E → embedding B×W."""
    embedding(g, w, "visual", model.vision_proj, "memory")
    return (
        "embed.visual",
        [Value("memory", "float32", ("batch", "tokens", model.config.text.width))],
        [Value("embedding", "float32", ("batch", model.vision_proj.out_features))],
    )


def embed_text_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """hidden B×L×E → embedding B×W."""
    embedding(g, w, "text", model.text_proj, "hidden")
    return (
        "embed.text",
        [Value("hidden", "float32", ("batch", "length", model.config.text.width))],
        [Value("embedding", "float32", ("batch", model.text_proj.out_features))],
    )


def classify_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """pooled B×T×C → class_logits B×classes, from the mean over the frames."""
    mean = g.op("ReduceMean", "pooled", axes=[1], keepdims=0)
    g.linear(mean, *w.linears("head", [model.class_head]), name="class_logits")
    return (
        "classify",
        [Value("pooled", "float32", ("batch", "frames", model.class_head.in_features))],
        [Value("class_logits", "float32", ("batch", model.class_head.out_features))],
    )
