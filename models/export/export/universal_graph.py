"""The universal module in vision mode (arXiv 2302.00402, section 3.3): latents gather, visual tokens read them."""

from __future__ import annotations

from mplug2.model import Mplug2

from .bert_graph import encoder_layer
from .graph import GraphWriter, Value
from .weights import ModuleWeights


def universal_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """visual B×N×E → memory B×N×E."""
    text = model.config.text
    first = text.layers - text.universal_layers
    layers = [model.text_encoder["encoder"].layer[str(i)] for i in range(first, text.layers)]
    stored = g.weight(w.small("latents", layers[0].latents))
    shape = g.op(
        "Concat", g.op("Shape", "visual", start=0, end=1), g.constant([model.config.latents, text.width]), axis=0
    )
    latents = g.op("Expand", stored, shape)
    for i, layer in enumerate(layers[:-1]):
        latents = encoder_layer(g, w, f"layer{first + i}", layer, text, latents, "visual")
        if i == 0:
            g.tap("latents", latents, ("batch", model.config.latents, text.width))
    y = encoder_layer(g, w, f"layer{text.layers - 1}", layers[-1], text, "visual", latents)
    tokens = ("batch", "tokens", text.width)
    g.tap("universal", y, tokens)
    x = g.add_norm("visual", y, w.norm("visn_emb_norm", model.visn_emb_norm), text.norm_eps)
    g.op("Identity", x, name="memory")
    return "universal", [Value("visual", "float32", tokens)], [Value("memory", "float32", tokens)]
