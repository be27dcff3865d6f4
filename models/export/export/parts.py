"""Which parameters the graphs of a module are made of, and which modules a model has."""

from __future__ import annotations

from mplug2.config import Mplug2Config

from .build import graphs_of


def modules_of(config: Mplug2Config) -> list[str]:
    """The modules that the model's tasks run, in the order in which their inputs come about."""
    return list(dict.fromkeys(module for module, _ in graphs_of(config)))


def prefixes(module: str, config: Mplug2Config) -> tuple[str, ...]:
    """How the names of a module's parameters begin. Text has the universal layers too, which its graph runs."""
    text = config.text
    universal = range(text.layers - text.universal_layers, text.layers)
    return {
        "vision": ("visual_encoder.visual.", "stem.", "visn_fc.", "visn_layer_norm."),
        "universal": ("visn_emb_norm.", *(f"text_encoder.encoder.layer.{i}." for i in universal)),
        "text": ("text_encoder.",),
        "fusion": ("fusion_encoder.",),
        "decoder": ("text_decoder.",),
        "match": ("itm_head.",),
        "embed": ("vision_proj.", "text_proj."),
        "classify": ("class_head.",),
    }[module]
