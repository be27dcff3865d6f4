"""What rounding cost every large tensor, and every module in each kind that it is stored in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

SHOWN = 3


@dataclass
class Loss:
    """A tensor's, or several tensors' together: sums of squared differences and of squared float32 values."""

    module: str
    kind: str
    error: float = 0.0
    energy: float = 0.0

    @staticmethod
    def between(module: str, kind: str, exact: np.ndarray, rounded: np.ndarray) -> "Loss":
        """Of one tensor."""
        difference = (rounded - exact).ravel()
        return Loss(module, kind, squares(difference), squares(exact.ravel()))

    @property
    def relative(self) -> float:
        """Root of the summed squared differences over the root of the summed squares."""
        return float(np.sqrt(self.error / self.energy)) if self.energy else 0.0


def squares(values: np.ndarray) -> float:
    """The sum of a vector's squares, in double precision."""
    return float(np.einsum("i,i->", values, values, dtype=np.float64))


def worst_first(losses: Mapping[str, Loss]) -> list[tuple[str, Loss]]:
    """Tensors by relative error, falling."""
    return sorted(losses.items(), key=lambda item: -item[1].relative)


def together(losses: Mapping[str, Loss]) -> float:
    """The relative error of all of them, as one vector."""
    return Loss("", "", sum(loss.error for loss in losses.values()), sum(loss.energy for loss in losses.values())).relative


def by_kind(losses: Mapping[str, Loss]) -> dict[str, dict[str, Loss]]:
    """A module's tensors by the kind of weights that they are part of."""
    found: dict[str, dict[str, Loss]] = {}
    for name, loss in losses.items():
        found.setdefault(loss.kind, {})[name] = loss
    return found


def of_module(losses: Mapping[str, Loss], module: str) -> dict[str, Loss]:
    """Those of a module."""
    return {name: loss for name, loss in losses.items() if loss.module == module}


def lines(losses: Mapping[str, Loss]) -> list[str]:
    """A line a kind: a module's rounding error, and the tensors that have lost most."""
    found = []
    for kind, tensors in by_kind(losses).items():
        worst = ", ".join(f"{name} {100 * loss.relative:.2f} %" for name, loss in worst_first(tensors)[:SHOWN])
        found.append(f"{kind}, weights off by {100 * together(tensors):.2f} %, most of all {worst}")
    return found


def report(losses: Mapping[str, Loss]) -> dict[str, dict]:
    """The same in full: by kind the error of all, and of every tensor, the worst first."""
    return {
        kind: {
            "relativeError": together(tensors),
            "tensors": {name: loss.relative for name, loss in worst_first(tensors)},
        }
        for kind, tensors in by_kind(losses).items()
    }


def as_json(losses: Mapping[str, Loss]) -> dict[str, dict]:
    """To be read again by `from_json`."""
    return {name: asdict(loss) for name, loss in losses.items()}


def from_json(found: Mapping[str, dict]) -> dict[str, Loss]:
    """What `as_json` gave."""
    return {name: Loss(**fields) for name, fields in found.items()}
