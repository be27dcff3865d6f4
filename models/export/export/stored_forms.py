"""Which forms every module is exported in, and in which of them its weights are stored.

A form is a set of graphs over weights of one kind. Weights are stored once for the forms that can share them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .errors import UnknownForm, listed

DEVICES = {
    "int8": ["wasm"],
    "float32": ["wasm", "webgpu"],
    "float16": ["wasm", "webgpu"],
    "int4": ["wasm", "webgpu"],
}
"""By form, what runs its graphs. In this order forms are written, and a device takes the first that it runs: on WASM int8 is fastest
and 4-bit kernels are slowest, so that they serve where nothing else fits."""
DEFAULT = ("int8", "float32")


def in_order(forms: Iterable[str]) -> tuple[str, ...]:
    """As they are written, each once."""
    given = set(forms)
    return tuple(form for form in DEVICES if form in given)


@dataclass(frozen=True)
class Forms:
    """The forms of all modules, and those of single modules that have others."""

    every: tuple[str, ...] = DEFAULT
    single: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def parse(words: list[str]) -> "Forms":
        """`FORM` for all modules, `MODULE=FORM,FORM` for one."""
        every: list[str] = []
        single: dict[str, tuple[str, ...]] = {}
        for word in words:
            module, is_single, rest = word.rpartition("=")
            forms = rest.split(",") if is_single else [word]
            unknown = [form for form in forms if form not in DEVICES]
            if unknown or (is_single and not module):
                remedy = f"give {', '.join(DEVICES)}, or MODULE=FORM,FORM for one module"
                raise UnknownForm(f"--variants {word}: there is no form {listed(unknown) or word}", remedy)
            if is_single:
                single[module] = in_order(forms)
            else:
                every += forms
        return Forms(in_order(every or DEFAULT), single)

    def check(self, modules: list[str], stem: str) -> None:
        """Refuses a module that the model lacks; and two kinds of weights for a convolutional stem, whose biases take back
        the rounding of one."""
        unknown = [module for module in self.single if module not in modules]
        if unknown:
            raise UnknownForm(f"the model has no module {listed(unknown)}", f"it has {', '.join(modules)}")
        if stem != "conv3d" and len(self.kinds("vision")) > 1:
            what = f"vision as {' and '.join(self.kinds('vision'))}: its stem takes back the rounding of one kind of weights"
            raise UnknownForm(what, "choose one of them for vision, by vision=FORM")

    def used(self) -> tuple[str, ...]:
        """All forms of any module."""
        return in_order([*self.every, *(form for forms in self.single.values() for form in forms)])

    def of(self, module: str) -> tuple[str, ...]:
        """The forms of a module's graphs, in order."""
        return self.single.get(module, self.every)

    def kind(self, module: str, form: str) -> str:
        """How a module's large weights are stored for graphs of a form, be they another module's."""
        forms = self.of(module)
        chosen = form if form in forms else forms[0]
        return "int8" if chosen == "float32" and "int8" in forms else chosen

    def kinds(self, module: str) -> list[str]:
        """The kinds of large weights that a module has, in order."""
        return list(dict.fromkeys(self.kind(module, form) for form in self.of(module)))

    def listed(self) -> list:
        """As JSON, to tell exports apart."""
        return [self.every, sorted(self.single.items())]
