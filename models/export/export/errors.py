"""What can be wrong with what is exported: one line that names the thing and says what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHOWN = 3
FULL = (errno.ENOSPC, errno.EDQUOT)


class ExportError(Exception):
    """The export ends. `message` names what is wrong, `remedy` what helps."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}; {remedy}")


class UnreadableCheckpoint(ExportError):
    """A file is missing, cut short, or of no known form."""


class RefusedPickle(ExportError):
    """A pickle asks for something that is not on the list of `export.pickle_scan`."""


class OtherFamily(ExportError):
    """The tensors are of another model family."""


class UnknownConfigKey(ExportError):
    """config.json has a key that nothing reads."""


class UnfitConfig(ExportError):
    """config.json has a value that cannot be, or two that do not fit each other."""


class ConfigNeeded(ExportError):
    """Something that the tensors do not tell, and config.json does not either."""


class ConfigMismatch(ExportError):
    """config.json says something else than the tensors."""


class UnsupportedConfig(ExportError):
    """The configuration would run a part that is not exported."""


class UnfitTensors(ExportError):
    """A tensor is missing, or one of unknown use is there."""


class WrongShape(ExportError):
    """A tensor has another shape, or holds no floats."""


class NotFinite(ExportError):
    """A tensor holds NaN or an infinity."""


class NotTied(ExportError):
    """A tensor and its second name differ."""


class UnfitVocabulary(ExportError):
    """The vocabulary and the word table do not match."""


class UnreadableQuality(ExportError):
    """quality.json beside a checkpoint is none."""


class UnwritableOutput(ExportError):
    """A file or folder cannot be made where it was asked for."""


class UnknownForm(ExportError):
    """A form that does not exist, or one for a module that does not, or several that can't be had of one module."""


class BeyondFloat16(ExportError):
    """A number, or the scale of a block of numbers, that float16 has not."""


class DiskFull(ExportError):
    """There was no room for a file."""


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


@contextmanager
def telling_full_disk(folder: Path) -> Iterator[None]:
    """Turns the system's "no space" and "over quota" inside into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        remedy = "make room and run the same command again: finished modules are kept"
        raise DiskFull(f"no room left on the disk of {folder}", remedy) from error


@contextmanager
def telling_unwritable(path: Path) -> Iterator[None]:
    """Turns what keeps a file or folder from being made inside, but for a full disk, into UnwritableOutput."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise
        what = f"{path} cannot be written ({error.strerror})"
        raise UnwritableOutput(what, "give a place that exists or can be made, and that may be written") from error
