"""Checks graphs as they are written, run natively, against PyTorch on the same weights, a module at a time."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field

import torch

from mplug2.model import Mplug2

from .build import Built
from .goldens import REFERENCES, Outputs, Seen, Values, differences, first_seen, pattern_pixels, sentence_ids, step_inputs
from .native import NativeGraph
from .tasks import CAPTION_LENGTHS


@dataclass
class Checker:
    """The made picture and the sentence on their way through the modules, in PyTorch and in every variant's graphs."""

    model: Mplug2
    sentence: list[int]
    seen: Seen
    native: dict[str, Values] = field(default_factory=dict)
    """By variant, what its graphs have yielded."""

    @staticmethod
    def begin(model: Mplug2, vocabulary: list[str], variants: tuple[str, ...]) -> "Checker":
        """Before the first module."""
        pixels, sentence = pattern_pixels(model), sentence_ids(model, vocabulary)
        seen = first_seen(pixels, sentence, *CAPTION_LENGTHS)
        fed = {"pixels": pixels.numpy(), "ids": seen["ids"].int().numpy()}
        return Checker(model, sentence, seen, {variant: dict(fed) for variant in variants})

    @torch.inference_mode()
    def reference(self, module: str, graphs: set[str]) -> Outputs:
        """What PyTorch has in a module's graphs; its parameters are in memory, as stored."""
        return {name: values for name, values in REFERENCES[module](self.model, self.seen).items() if name in graphs}

    def compare(self, built: list[Built], reference: Outputs) -> dict[str, dict[str, float]]:
        """By variant and graph, the greatest difference of the graphs run natively, each fed by those before. One session is
        alive at a time."""
        found: dict[str, Outputs] = {}
        for b in built:
            values = self.native[b.variant]
            fed = {**values, **step_inputs(self.model, self.seen["said"].tolist())} if b.name == "decoder.step" else values
            outputs = NativeGraph(b)(fed)
            values |= outputs
            found.setdefault(b.variant, {})[b.name] = outputs
            gc.collect()
        return {variant: differences(reference, outputs) for variant, outputs in found.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that has been computed, to go on from."""
        native = {f"{variant}/{n}": torch.from_numpy(v) for variant, found in self.native.items() for n, v in found.items()}
        # safetensors wants every tensor to own its memory.
        return {name: t.clone().contiguous() for name, t in {**{f"seen/{n}": t for n, t in self.seen.items()}, **native}.items()}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Goes on from what `tensors` gave."""
        for path, tensor in tensors.items():
            owner, name = path.split("/", 1)
            if owner == "seen":
                self.seen[name] = tensor
            else:
                self.native[owner][name] = tensor.numpy()
