"""Checks graphs as they are written, run natively, against PyTorch, a module at a time: on the weights that are stored, and on
the checkpoint's own, which tells what a form costs."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field

import numpy as np
import torch

from mplug2.model import Mplug2

from .build import Built
from .goldens import REFERENCES, Outputs, Seen, Values, differences, first_seen, pattern_pixels, sentence_ids, step_inputs
from .native import NativeGraph
from .stored_forms import Forms
from .tasks import CAPTION_LENGTHS

STEP, HEAD_BIAS = "decoder.step", "decoder.head.bias"
LOG_P = "logprob"
"""Ends the names of outputs that are mostly the logarithm of the vocabulary's size: their direction tells nothing."""


@dataclass
class Found:
    """By form and graph, what native runs gave."""

    differences: dict[str, dict[str, float]] = field(default_factory=dict)
    """The greatest from PyTorch on the stored weights."""
    cosines: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """By output too: of the angle to PyTorch on the checkpoint's own weights; of logits without their bias."""


@dataclass
class Checker:
    """The made picture and the sentence on their way through the modules: in PyTorch, on the stored weights and on the
    checkpoint's own, and in every form's graphs."""

    model: Mplug2
    sentence: list[int]
    seen: Seen
    exact: Seen
    native: dict[str, Values] = field(default_factory=dict)
    """By form, what its graphs have yielded, of modules that lack it those of their first."""

    @staticmethod
    def begin(model: Mplug2, vocabulary: list[str], forms: Forms) -> "Checker":
        """Before the first module."""
        pixels, sentence = pattern_pixels(model), sentence_ids(model, vocabulary)
        seen = first_seen(pixels, sentence, *CAPTION_LENGTHS)
        fed = {"pixels": pixels.numpy(), "ids": seen["ids"].int().numpy()}
        return Checker(model, sentence, seen, dict(seen), {form: dict(fed) for form in forms.used()})

    @torch.inference_mode()
    def reference(self, module: str, graphs: set[str]) -> Outputs:
        """What PyTorch has in a module's graphs; its parameters are in memory, as stored."""
        return {name: values for name, values in REFERENCES[module](self.model, self.seen).items() if name in graphs}

    @torch.inference_mode()
    def exact_outputs(self, module: str) -> Outputs:
        """The same of the checkpoint's own parameters, which are in memory."""
        return REFERENCES[module](self.model, self.exact)

    def compare(self, built: list[Built], reference: Outputs, exact: Outputs) -> Found:
        """Runs a module's graphs natively, each fed by those before in its form. One session is alive at a time."""
        found, outputs = Found(), {}
        forms = list(dict.fromkeys(b.variant for b in built))
        for b in built:
            graph = NativeGraph(b)
            # A form that this module lacks goes through its first, with all that it has cost before.
            through = [form for form in self.native if form == b.variant or (b.variant == forms[0] and form not in forms)]
            for form in through:
                made = graph(self._fed(b, form, self.seen))
                outputs.setdefault(form, {})[b.name] = made
                if form == b.variant:
                    # The checkpoint's own weights may say other words than the stored ones: those are what both are fed.
                    compared = graph(self._fed(b, form, self.exact)) if b.name == STEP else made
                    found.cosines.setdefault(form, {})[b.name] = cosines_of(b, compared, exact[b.name])
                self.native[form] |= made
            del graph
            gc.collect()
        found.differences = {form: differences(reference, made) for form, made in outputs.items()}
        return found

    def _fed(self, built: Built, form: str, said: Seen) -> Values:
        """A graph's inputs, and more: a decoder's step is fed the words that PyTorch has said."""
        steps = step_inputs(self.model, said["said"].tolist()) if built.name == STEP else {}
        return {**self.native[form], **steps}

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that has been computed, to go on from."""
        native = {form: {n: torch.from_numpy(v) for n, v in found.items()} for form, found in self.native.items()}
        all_found = {"seen": self.seen, "exact": self.exact, **native}
        # safetensors wants every tensor to own its memory.
        return {f"{owner}/{n}": t.clone().contiguous() for owner, found in all_found.items() for n, t in found.items()}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Goes on from what `tensors` gave."""
        for path, tensor in tensors.items():
            owner, name = path.split("/", 1)
            if owner in ("seen", "exact"):
                getattr(self, owner)[name] = tensor
            else:
                self.native[owner][name] = tensor.numpy()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of the angle between two arrays as vectors, in double precision."""
    x, y = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))


def cosines_of(built: Built, found: Values, exact: Values) -> dict[str, float]:
    """By output, the cosine to what it should be."""
    bias = built.writer.store.weights[HEAD_BIAS].values if built.name == STEP else 0
    return {
        name: cosine(found[name] - bias, wanted - bias) if name == "logits" else cosine(found[name], wanted)
        for name, wanted in exact.items()
        if not name.endswith(LOG_P)
    }
