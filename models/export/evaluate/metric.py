"""One figure of a report, and reports as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from .bootstrap import Estimate


@dataclass(frozen=True)
class Metric:
    """A figure with its 95 % interval over photos. Shares are between 0 and 1."""

    name: str
    split: str
    value: float
    low: float
    high: float
    count: int
    """How many captions, questions, pairs or photos it is about."""
    blind: float | None = None
    """The same figure for the best rule that sees no photo."""
    beside: dict[str, float] = field(default_factory=dict)
    """Other figures to hold it against."""

    @staticmethod
    def of(
        name: str,
        split: str,
        estimate: Estimate,
        count: int,
        blind: float | None = None,
        beside: dict[str, float] | None = None,
    ) -> "Metric":
        """A metric from an estimate."""
        return Metric(name, split, estimate.value, estimate.low, estimate.high, count, blind, beside or {})

    def plain(self) -> dict[str, object]:
        """For JSON, as a model's manifest has it: numbers rounded, what isn't there left out."""
        kept = {name: value for name, value in asdict(self).items() if value not in (None, {})}
        if "beside" in kept:
            kept["beside"] = {name: round(value, 5) for name, value in self.beside.items()}
        return {name: round(value, 5) if isinstance(value, float) else value for name, value in kept.items()}


def markdown(metrics: Sequence[Metric]) -> str:
    """A table, one row a metric."""
    rows = ["| figure | split | value | 95 % | blind | beside | of |", "|---|---|---|---|---|---|---|"]
    for m in metrics:
        blind = "" if m.blind is None else f"{m.blind:.3f}"
        beside = ", ".join(f"{name} {value:.3f}" for name, value in m.beside.items())
        rows.append(
            f"| {m.name} | {m.split} | {m.value:.3f} | {m.low:.3f} – {m.high:.3f} | {blind} | {beside} | {m.count} |"
        )
    return "\n".join(rows) + "\n"
