"""The universal module in vision mode (arXiv 2302.00402, section 3.3): latents gather, visual tokens read them.

Visual tokens attend to each other, which costs the square of their number. Where that is too much for one run
(`split.rows_a_run`) the module is two graphs: `universal.gather` for all tokens at once, and `universal.read` for some
rows of them at a time, since from the keys and values on each row goes its own way.
"""

from __future__ import annotations

from mplug2.model import Mplug2

from .bert_graph import encoder_layer, feed_forward, heads, linear_qkv, output, read_memory, residual
from .graph import GraphWriter, Value
from .weights import ModuleWeights


def gather(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> str:
    """The latents B×M×E after all universal layers but the last, from `visual` B×N×E."""
    text = model.config.text
    layers, first = model.universal_layers(), text.layers - text.universal_layers
    stored = g.weight(w.small("latents", layers[0].latents))
    shape = g.op(
        "Concat", g.op("Shape", "visual", start=0, end=1), g.constant([model.config.latents, text.width]), axis=0
    )
    latents = g.op("Expand", stored, shape)
    for i, layer in enumerate(layers[:-1]):
        latents = encoder_layer(g, w, f"layer{first + i}", layer, text, latents, "visual")
        if i == 0:
            g.tap("latents", latents, ("batch", model.config.latents, text.width))
    return latents


def finish(g: GraphWriter, w: ModuleWeights, model: Mplug2, y: str, rows: Value) -> Value:
    """`visual` and the last layer's y, both of the shape of `rows`, summed and normalised as the output `memory`."""
    g.tap("universal", y, rows.shape)
    x = g.add_norm("visual", y, w.norm("visn_emb_norm", model.visn_emb_norm), model.config.text.norm_eps)
    g.op("Identity", x, name="memory")
    return Value("memory", "float32", rows.shape)


def universal_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """visual B×N×E → memory B×N×E."""
    text = model.config.text
    visual = Value("visual", "float32", ("batch", "tokens", text.width))
    latents = gather(g, w, model)
    y = encoder_layer(g, w, f"layer{text.layers - 1}", model.universal_layers()[-1], text, "visual", latents)
    return "universal", [visual], [finish(g, w, model, y, visual)]


def gather_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """visual B×N×E → gathered B×M×E, and the last layer's visual_query B×N×E, visual_key and visual_value B×heads×N×d."""
    text = model.config.text
    g.op("Identity", gather(g, w, model), name="gathered")
    attention = model.universal_layers()[-1].attention
    packed = linear_qkv(g, w, f"layer{text.layers - 1}.attention", attention, text, "visual")
    size = text.width // text.heads
    q, k, v = g.op("Split", packed, g.constant([text.width] * 3), outputs=3, axis=2)
    g.op("Identity", q, name="visual_query")
    g.op("Identity", heads(g, k, text.heads, size), name="visual_key")
    g.op("Identity", heads(g, v, text.heads, size), name="visual_value")
    cache = ("batch", text.heads, "tokens", size)
    return (
        "universal.gather",
        [Value("visual", "float32", ("batch", "tokens", text.width))],
        [
            Value("gathered", "float32", ("batch", model.config.latents, text.width)),
            Value("visual_query", "float32", ("batch", "tokens", text.width)),
            Value("visual_key", "float32", cache),
            Value("visual_value", "float32", cache),
        ],
    )


def read_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """Some rows of visual and visual_query B×R×E, all of the rest that `universal.gather` made → memory B×R×E."""
    text = model.config.text
    layer, at = model.universal_layers()[-1], f"layer{text.layers - 1}"
    rows = ("batch", "rows", text.width)
    q = heads(g, "visual_query", text.heads, text.width // text.heads)
    y = output(g, w, f"{at}.attention", layer.attention, g.attend(q, "visual_key", "visual_value", text.width))
    x = residual(g, w, f"{at}.attention", layer.attention, text, "visual", y)
    x = read_memory(g, w, f"{at}.crossattention", layer.crossattention, text, x, "gathered")
    y = feed_forward(g, w, at, layer, text, x)
    visual = Value("visual", "float32", rows)
    cache = ("batch", text.heads, "tokens", text.width // text.heads)
    return (
        "universal.read",
        [
            visual,
            Value("visual_query", "float32", rows),
            Value("visual_key", "float32", cache),
            Value("visual_value", "float32", cache),
            Value("gathered", "float32", ("batch", model.config.latents, text.width)),
        ],
        [finish(g, w, model, y, visual)],
    )
