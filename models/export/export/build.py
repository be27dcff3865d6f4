"""Builds every graph in every variant; on the way the PyTorch model takes over the dequantised weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2

from .decoder_graph import memory_graph, step_graph
from .graph import GraphWriter, Value
from .heads_graph import classify_graph, embed_text_graph, embed_visual_graph, match_graph
from .split import Group, fusion_groups, memory_groups, vision_groups
from .stored_forms import DEFAULT, Forms
from .tasks import graphs_named, tasks_of
from .tensors import WeightStore
from .text_graph import fusion_graph, text_graph
from .universal_graph import gather_graph, read_graph, universal_graph
from .vision_graph import blocks_graph, frame_graph
from .weights import ModuleWeights

Described = tuple[str, list[Value], list[Value]]
Builder = Callable[[GraphWriter, ModuleWeights, Mplug2], Described]


class GroupBuilder(Protocol):
    """Builds one graph of a module that may be cut into several."""

    def __call__(self, g: GraphWriter, w: ModuleWeights, model: Mplug2, group: Group) -> Described: ...


def builders(config: Mplug2Config) -> dict[str, tuple[str, Builder]]:
    """By name, every graph that the configuration could have, with its module, in the order in which inputs come about."""

    def groups(module: str, build: GroupBuilder, found: list[Group]) -> dict[str, tuple[str, Builder]]:
        return {group.name: (module, partial(build, group=group)) for group in found}

    return {
        "vision.frame": ("vision", frame_graph),
        **groups("vision", blocks_graph, vision_groups(config)),
        "universal": ("universal", universal_graph),
        "universal.gather": ("universal", gather_graph),
        "universal.read": ("universal", read_graph),
        **groups("decoder", memory_graph, memory_groups(config)),
        "decoder.step": ("decoder", step_graph),
        "text": ("text", text_graph),
        **groups("fusion", fusion_graph, fusion_groups(config)),
        "match": ("match", match_graph),
        "embed.visual": ("embed", embed_visual_graph),
        "embed.text": ("embed", embed_text_graph),
        "classify": ("classify", classify_graph),
    }


@dataclass(frozen=True)
class Built:
    """A graph in one variant."""

    name: str
    module: str
    variant: str
    inputs: list[Value]
    outputs: list[Value]
    writer: GraphWriter


def graphs_of(config: Mplug2Config) -> list[tuple[str, Builder]]:
    """The graphs that the model's tasks run, each with its module."""
    named = graphs_named(tasks_of(config, None))
    return [found for name, found in builders(config).items() if name in named]


def build_graphs(model: Mplug2, variants: tuple[str, ...] = DEFAULT) -> tuple[WeightStore, list[Built]]:
    """All stored weights, and the graphs over them in these forms, module by module.

    Afterwards `model` (in eval mode, its batch norms folded) computes with exactly what is stored, of several kinds the first.
    """
    store = WeightStore(Forms(variants))
    modules = dict.fromkeys(module for module, _ in graphs_of(model.config))
    return store, [built for module in modules for built in build_module(store, model, module)]


def build_module(store: WeightStore, model: Mplug2, module: str) -> list[Built]:
    """A module's graphs in all its forms, in their order, its weights added to the store."""
    forms = store.forms.of(module)
    first = store.forms.kinds(module)[0]
    # The first kind's values go into the model: the others are made of the exact ones before.
    later = [form for form in forms if store.forms.kind(module, form) != first]
    built = {form: build_variant(store, model, form, module) for form in sorted(forms, key=lambda form: form not in later)}
    return [each for form in forms for each in built[form]]


def build_variant(store: WeightStore, model: Mplug2, variant: str, only: str | None = None) -> list[Built]:
    """Every graph in one form, or those of one module, its weights added to the store."""
    model.eval()
    built = []
    for module, build in graphs_of(model.config):
        if only in (None, module):
            g = GraphWriter(store, variant)
            name, inputs, outputs = build(g, ModuleWeights(store, module, variant), model)
            built.append(Built(name, module, variant, inputs, outputs, g))
    return built
