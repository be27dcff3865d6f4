"""What config.json may say: keys, types and bounds of each by itself, and which have to fit each other."""

from __future__ import annotations

from typing import get_type_hints

from mplug2.config import DecoderConfig, FusionConfig, HeadsConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig

from .errors import UnfitConfig, UnknownConfigKey

# By key of config.json; "" is its top.
SECTIONS = {
    "": Mplug2Config,
    "vision": VisionConfig,
    "text": TextConfig,
    "fusion": FusionConfig,
    "decoder": DecoderConfig,
    "ids": TokenIds,
    "heads": HeadsConfig,
}

# Of a model without the heads that only this project has; with them it has all tasks.
TASKS = ("caption", "answer", "rank")
# Sections in which a number may be 0: an id, no fusion.
FROM_ZERO = ("ids", "fusion")
CONSTANTS = ("mean", "std")
CORRECT = "correct that key"


def is_number(value: object) -> bool:
    """Whether JSON has a number here that float32 can hold; true, false and NaN are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e38 < value < 1e38


def fault(section: str, key: str, kind: object, value: object) -> str | None:
    """What a value of a field of type `kind` should be instead, or None where it is fine."""
    if key in CONSTANTS:
        fine = isinstance(value, list) and len(value) == 3 and all(map(is_number, value))
        return None if fine and (key == "mean" or min(value) > 0) else "three numbers, of `std` above 0"
    if key == "tasks":
        fine = isinstance(value, list) and value and all(name in TASKS for name in value)
        return None if fine else f"a list of {', '.join(TASKS)} or some of them"
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is int:
        least = 0 if section in FROM_ZERO else 1
        fine = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return None if fine else f"a whole number from {least}"
    if kind is float:
        return None if is_number(value) and value > 0 else "a number above 0"
    return None if isinstance(value, str) else "a text"


def check_values(where: object, section: str, values: dict) -> None:
    """Refuses an unknown key, and a value of another type or beyond its bounds; `where` is how messages call the file, ""
    the section of what is in none."""
    kinds = get_type_hints(SECTIONS[section])
    for key, value in values.items():
        path = f"{section}.{key}" if section else key
        if key not in kinds:
            raise UnknownConfigKey(f"{where} has the unknown key {path}", f"known there are {', '.join(kinds)}")
        # Sections are checked by themselves.
        wanted = fault(section, key, kinds[key], value) if section or key not in SECTIONS else None
        if wanted:
            raise UnfitConfig(f"{where}: {path} is {value!r}, not {wanted}", CORRECT)


def check_whole(config: Mplug2Config) -> None:
    """Refuses values that do not fit each other."""
    vision, text, fusion = config.vision, config.text, config.fusion
    for name, part in (("vision", vision), ("text", text)):
        if part.width % part.heads:
            raise UnfitConfig(f"{name}.heads {part.heads} do not share the width {part.width} evenly", CORRECT)
    if fusion.layers > fusion.layers_in_file:
        what = f"fusion.layers {fusion.layers} are more than the {fusion.layers_in_file} of the checkpoint"
        raise UnfitConfig(what, CORRECT)
    if fusion.layers == 0 and config.tasks != ("caption",):
        raise UnfitConfig("without layers of fusion a model has captions alone", 'give "tasks": ["caption"], or fusion.layers')
