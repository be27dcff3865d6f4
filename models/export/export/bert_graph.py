"""BERT layers as ONNX nodes: shared by universal layers, decoder, text encoder and fusion."""

from __future__ import annotations

from mplug2.bert import Attention, Layer
from mplug2.config import TextConfig

from .graph import GraphWriter
from .weights import ModuleWeights


def heads(g: GraphWriter, x: str, count: int, width: int) -> str:
    """B×L×(count·width) → B×count×L×width."""
    return g.transpose(g.reshape(x, 0, 0, count, width), 0, 2, 1, 3)


def query_factor(config: TextConfig) -> float:
    """1/√(head width), folded into the query's weights."""
    return (config.width // config.heads) ** -0.5


def self_attention(g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str) -> str:
    """Unmasked self-attention with its output projection, before residual and norm."""
    q, k, v = project_qkv(g, w, at, a, config, x)
    return output(g, w, at, a, g.attend(q, k, v, config.width))


def project_qkv(g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str) -> list[str]:
    """Query, key and value, each B×heads×L×d."""
    packed = linear_qkv(g, w, at, a, config, x)
    split = heads(g, packed, 3 * config.heads, config.width // config.heads)
    return g.op("Split", split, g.constant([config.heads] * 3), outputs=3, axis=1)


def linear_qkv(g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str) -> str:
    """Query, key and value side by side, B×L×3E."""
    layers = [a.self["query"], a.self["key"], a.self["value"]]
    return g.linear(x, *w.linears(f"{at}.qkv", layers, [query_factor(config), 1.0, 1.0]))


def query(g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str) -> str:
    """Query alone, B×heads×L×d."""
    packed = g.linear(x, *w.linears(f"{at}.query", [a.self["query"]], [query_factor(config)]))
    return heads(g, packed, config.heads, config.width // config.heads)


def output(g: GraphWriter, w: ModuleWeights, at: str, a: Attention, x: str) -> str:
    """The projection behind the heads."""
    return g.linear(x, *w.linears(f"{at}.output", [a.output["dense"]]))


def cross_attention(
    g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str, memory: str
) -> str:
    """Cross-attention that projects its own keys and values, before residual and norm."""
    packed = g.linear(memory, *w.linears(f"{at}.kv", [a.self["key"], a.self["value"]]))
    split = heads(g, packed, 2 * config.heads, config.width // config.heads)
    k, v = g.op("Split", split, g.constant([config.heads] * 2), outputs=2, axis=1)
    return output(g, w, at, a, g.attend(query(g, w, at, a, config, x), k, v, config.width))


def feed_forward(g: GraphWriter, w: ModuleWeights, at: str, layer: Layer, config: TextConfig, x: str) -> str:
    """The feed-forward layer with residual and norm."""
    hidden = g.linear(x, *w.linears(f"{at}.intermediate", [layer.intermediate["dense"]]))
    y = g.linear(g.contrib("Gelu", hidden), *w.linears(f"{at}.ffn_output", [layer.output["dense"]]))
    return g.add_norm(x, y, w.norm(f"{at}.ffn_norm", layer.output["LayerNorm"]), config.norm_eps)


def residual(g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str, y: str) -> str:
    """LayerNorm(x + y) behind an attention."""
    return g.add_norm(x, y, w.norm(f"{at}.norm", a.output["LayerNorm"]), config.norm_eps)


def read_memory(
    g: GraphWriter, w: ModuleWeights, at: str, a: Attention, config: TextConfig, x: str, memory: str
) -> str:
    """Cross-attention with residual and norm."""
    return residual(g, w, at, a, config, x, cross_attention(g, w, at, a, config, x, memory))


def encoder_layer(
    g: GraphWriter, w: ModuleWeights, at: str, layer: Layer, config: TextConfig, x: str, memory: str | None
) -> str:
    """A whole layer without masks: self-attention, cross-attention where there is a memory, feed-forward."""
    at_self, at_cross = f"{at}.attention", f"{at}.crossattention"
    x = residual(g, w, at_self, layer.attention, config, x, self_attention(g, w, at_self, layer.attention, config, x))
    if memory is not None:
        x = read_memory(g, w, at_cross, layer.crossattention, config, x, memory)
    return feed_forward(g, w, at, layer, config, x)
