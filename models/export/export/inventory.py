"""What becomes of every tensor of a checkpoint: used, skipped for a reason, missing, unexpected or of the wrong shape."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mplug2.config import Mplug2Config

from .errors import UnfitTensors, WrongShape, listed, telling_unwritable
from .tensor_source import Header


@dataclass(frozen=True)
class Inventory:
    """Names by what becomes of them."""

    config: Mplug2Config
    used: list[str]
    skipped: dict[str, str]
    """By name, the reason."""
    missing: list[str]
    unexpected: list[str]
    misshapen: list[str]
    """A line for each."""
    resized: list[str]
    """Of those used, what is fitted to pictures of another size."""

    def reasons(self) -> dict[str, list[str]]:
        """Skipped names by reason."""
        found: dict[str, list[str]] = {}
        for name, reason in self.skipped.items():
            found.setdefault(reason, []).append(name)
        return found

    def lines(self) -> list[str]:
        """In short."""
        skipped = [f"skipped {len(names)}: {reason}" for reason, names in self.reasons().items()]
        wrong = {"missing": self.missing, "unexpected": self.unexpected, "of the wrong shape": self.misshapen}
        return [
            f"used {len(self.used)} tensors",
            *skipped,
            *(f"resized to {self.config.grid} × {self.config.grid} places: {name}" for name in self.resized),
            *(f"{what} {len(names)}: {listed(names)}" for what, names in wrong.items() if names),
        ]

    def write(self, file: Path, forms: dict | None = None) -> None:
        """In full, as JSON; with what the forms cost, once they are written."""
        whole = {
            "config": asdict(self.config),
            "used": self.used,
            "skipped": self.reasons(),
            "missing": self.missing,
            "unexpected": self.unexpected,
            "misshapen": self.misshapen,
            "resized": self.resized,
            **({"forms": forms} if forms else {}),
        }
        with telling_unwritable(file):
            file.write_text(json.dumps(whole, indent=1) + "\n")

    def check(self, checkpoint: Path) -> None:
        """Refuses a hole, a tensor of unknown use and a wrong shape."""
        if self.missing or self.unexpected:
            missing, unexpected = listed(self.missing) or "nothing", listed(self.unexpected) or "nothing"
            what = f"{checkpoint.name}: missing {missing}, unexpected {unexpected}"
            raise UnfitTensors(what, "give the whole checkpoint of one task, as its training saved it")
        if self.misshapen:
            remedy = "the file is damaged, or config.json is another checkpoint's"
            raise WrongShape(f"{checkpoint.name}: {listed(self.misshapen)}", remedy)


def misfit(name: str, header: Header, wanted: tuple[int, ...]) -> str | None:
    """What is wrong with a tensor's shape or type, or None."""
    if not header.floating:
        return f"{name} holds no floats"
    return None if header.shape == wanted else f"{name} is {list(header.shape)}, not {list(wanted)}"
