"""What weights cost, and what they lose, as float32, int8, float16 and 4-bit blocks.

python -m export.quantisation --checkpoint DIR [--json F]

`quantise_model` puts a form's dequantised weights into a PyTorch model, so that evaluation can score the form without
graphs of it: the weights that an export stores. Activations stay float32 here: what int8 activations lose on top, the browser
shows.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from mplug2.model import Mplug2

from . import losses
from .build import build_variant
from .checkpoint import read_model
from .stored_forms import DEVICES, Forms
from .tensors import WeightStore


@dataclass(frozen=True)
class Cost:
    """A module in one form."""

    bytes: int
    relative_error: float
    """Of the large tensors: the root of the summed squared differences over the root of the summed squares."""


def quantise_model(model: Mplug2, form: str, modules: list[str] | None = None) -> dict[str, Cost]:
    """Rounds the large weights of the named modules (of the exported model; all where None) to a form, in place, the
    other modules untouched, so that calls for different modules add up; returns every module's cost.

    The model is put in eval mode, its batch norms folded into the convolutions.
    """
    forms = Forms((form,)) if modules is None else Forms(("float32",), dict.fromkeys(modules, (form,)))
    store = WeightStore(forms)
    build_variant(store, model, form)
    sizes: dict[str, int] = {}
    for weight in store.weights.values():
        sizes[weight.module] = sizes.get(weight.module, 0) + weight.nbytes
    unknown = set(modules or ()) - sizes.keys()
    if unknown:
        raise ValueError(f"the model has no module {', '.join(sorted(unknown))}; it has {', '.join(sizes)}")
    return {m: Cost(size, losses.together(losses.of_module(store.losses, m))) for m, size in sizes.items()}


def table(costs: dict[str, dict[str, Cost]]) -> str:
    """Markdown: modules down, forms across, MB and the relative error of the large weights in per cent."""
    forms = list(costs)
    modules = list(costs[forms[0]])
    lines = ["| module | " + " | ".join(forms) + " |", "|---" * (1 + len(forms)) + "|"]
    for module in modules:
        cells = [f"{c.bytes / 1e6:.2f} MB, {100 * c.relative_error:.2f} %" for c in (costs[f][module] for f in forms)]
        lines.append(f"| {module} | " + " | ".join(cells) + " |")
    totals = [f"{sum(c.bytes for c in costs[f].values()) / 1e6:.2f} MB" for f in forms]
    return "\n".join([*lines, "| all | " + " | ".join(totals) + " |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="also write bytes and relative errors here")
    args = parser.parse_args()
    costs = {form: quantise_model(read_model(args.checkpoint), form) for form in DEVICES}
    print(table(costs))
    if args.json:
        plain = {
            form: {module: {"bytes": c.bytes, "relativeError": c.relative_error} for module, c in by_module.items()}
            for form, by_module in costs.items()
        }
        args.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
