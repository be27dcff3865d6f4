"""What weights cost, and what they lose, as float32, int8, float16 and 4-bit blocks.

python -m export.quantisation --checkpoint DIR [--json F]

`quantise_model` puts a form's dequantised weights into a PyTorch model, so that evaluation can score the form without
graphs of it. Large tensors alone change form (the same ones as in the export); biases, norms, positions and whatever
else is small stay float32. Activations stay float32 here: what int8 activations lose on top, the browser shows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mplug2.model import Mplug2

from .build import build_variant
from .checkpoint import read_model
from .tensors import WeightStore, WriteBack, quantise

BLOCK = 64


@dataclass(frozen=True)
class Rounded:
    """What a form makes of a tensor: the values that its bytes mean, and how many bytes."""

    values: np.ndarray
    bytes: int


def as_float32(values: np.ndarray, axis: int) -> Rounded:
    """As it is."""
    return Rounded(values, values.size * 4)


def as_float16(values: np.ndarray, axis: int) -> Rounded:
    """Half precision."""
    return Rounded(values.astype(np.float16).astype(np.float32), values.size * 2)


def as_int8(values: np.ndarray, axis: int) -> Rounded:
    """Symmetric, a float32 scale per output channel: the exported form."""
    stored, scales = quantise(values, axis)
    shape = [-1 if i == axis else 1 for i in range(values.ndim)]
    return Rounded(stored * scales.reshape(shape), stored.size + scales.nbytes)


def block_quantise(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """rows N×K → (4-bit numbers N×blocks×64 as 0 … 15, float16 scales N×blocks): value = (number − 8) · scale.

    The value of greatest magnitude in a block becomes −8, whichever its sign: all sixteen numbers serve. The last
    block is filled up with zeros, as MatMulNBits lays it out.
    """
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % BLOCK)))
    blocks = padded.reshape(len(rows), -1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    scales = np.where(largest != 0, largest / -8, 1).astype(np.float16)
    # Values so small that their scale is no float16 above zero are zeros.
    divisors = np.where(scales == 0, np.inf, scales.astype(np.float32))
    numbers = np.clip(np.round(blocks / divisors[..., None]) + 8, 0, 15).astype(np.uint8)
    return numbers, scales


def as_int4(values: np.ndarray, axis: int) -> Rounded:
    """Blocks of 64 inputs of an output channel, a float16 scale each."""
    moved = np.moveaxis(values, axis, 0)
    rows = moved.reshape(len(moved), -1)
    numbers, scales = block_quantise(rows)
    meant = (numbers.astype(np.float32) - 8) * scales.astype(np.float32)[..., None]
    back = meant.reshape(len(rows), -1)[:, : rows.shape[1]].reshape(moved.shape)
    return Rounded(np.ascontiguousarray(np.moveaxis(back, 0, axis)), -(-rows.size // 2) + scales.nbytes)


Form = Callable[[np.ndarray, int], Rounded]
FORMS: dict[str, Form] = {"float32": as_float32, "int8": as_int8, "float16": as_float16, "int4": as_int4}


@dataclass
class Cost:
    """A module in one form."""

    bytes: int = 0
    error: float = 0.0
    """Sum of squared differences over the large tensors."""
    energy: float = 0.0
    """Sum of their squared values."""

    @property
    def relative_error(self) -> float:
        """Root of the summed squared differences over the root of the summed squares."""
        return float(np.sqrt(self.error / self.energy)) if self.energy else 0.0


@dataclass
class FormStore(WeightStore):
    """Takes weights from the graphs' builders as the exporter's store does, rounds those of `modules`, and counts."""

    form: Form
    modules: frozenset[str] | None
    costs: dict[str, Cost] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(quantised=False)

    def add_float(self, name: str, module: str, values: np.ndarray, write_back: WriteBack | None = None) -> str:
        if name not in self.weights:
            self.costs.setdefault(module, Cost()).bytes += values.size * 4
        return super().add_float(name, module, values)

    def add_large(self, name: str, module: str, values: np.ndarray, axis: int, write_back: WriteBack) -> str:
        if name in self.weights:
            return name
        values = np.ascontiguousarray(values, np.float32)
        chosen = self.modules is None or module in self.modules
        rounded = (self.form if chosen else as_float32)(values, axis)
        if chosen:
            write_back(rounded.values)
        super().add_float(name, module, rounded.values)
        cost = self.costs.setdefault(module, Cost())
        cost.bytes += rounded.bytes
        cost.error += float(np.square(rounded.values - values, dtype=np.float64).sum())
        cost.energy += float(np.square(values, dtype=np.float64).sum())
        return name


def quantise_model(model: Mplug2, form: str, modules: list[str] | None = None) -> dict[str, Cost]:
    """Rounds the large weights of the named modules (of the exported model; all where None) to a form, in place, the
    other modules untouched, so that calls for different modules add up; returns every module's cost.

    The model is put in eval mode, its batch norms folded into the convolutions.
    """
    store = FormStore(FORMS[form], None if modules is None else frozenset(modules))
    build_variant(store, model, "float32")
    unknown = set(modules or ()) - store.costs.keys()
    if unknown:
        raise ValueError(f"the model has no module {', '.join(sorted(unknown))}; it has {', '.join(store.costs)}")
    return store.costs


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
    costs = {form: quantise_model(read_model(args.checkpoint), form) for form in FORMS}
    print(table(costs))
    if args.json:
        plain = {
            form: {module: {"bytes": c.bytes, "relativeError": c.relative_error} for module, c in by_module.items()}
            for form, by_module in costs.items()
        }
        args.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
