"""Looks through a pickle's opcodes before it is loaded: it may name what is on a list and nothing else.

Nothing of the pickle runs here. Loading afterwards is by `weights_only`, which has a longer list of its own.
"""

from __future__ import annotations

import pickletools
import zipfile
from pathlib import Path
from typing import BinaryIO

from .errors import RefusedPickle, UnreadableCheckpoint

STORAGES = ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
ALLOWED = frozenset(
    [
        # Dictionaries of tensors, in their order.
        "collections.OrderedDict",
        # A tensor over a storage, and a parameter over a tensor.
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        # What else training scripts put beside the weights.
        "torch.Size",
        "torch.device",
        *(f"torch.{name}Storage" for name in STORAGES),
        *(f"torch.{name}" for name in DTYPES),
    ]
)
STRINGS = frozenset(["SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"])
PUT = frozenset(["PUT", "BINPUT", "LONG_BINPUT"])
GET = frozenset(["GET", "BINGET", "LONG_BINGET"])
# A registered number stands for a global that the file does not name.
HIDDEN = frozenset(["EXT1", "EXT2", "EXT4"])
REMEDY = "load it where you trust it and save its tensors as safetensors"
# Before zip files torch wrote a magic number, a protocol, the machine, the state and the storages' keys, then raw bytes.
LEGACY_PICKLES = 5
ZIP = b"PK\x03\x04"


def globals_of(stream: BinaryIO) -> set[str]:
    """Every `module.name` that one pickle asks for; leaves the stream behind the pickle's end."""
    found: set[str] = set()
    strings: list[str | None] = []
    memo: dict[int, str | None] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in ("GLOBAL", "INST"):
            found.add(str(argument).replace(" ", ".", 1))
        elif name == "STACK_GLOBAL":
            module, attribute = ([None, None] + strings)[-2:]
            found.add(f"{module}.{attribute}" if module and attribute else "a name that is computed")
        elif name in HIDDEN:
            found.add(f"extension {argument}")
        if name in PUT:
            memo[int(argument)] = strings[-1] if strings else None
        elif name == "MEMOIZE":
            memo[len(memo)] = strings[-1] if strings else None
        elif name in STRINGS:
            strings.append(argument)
        elif name in GET:
            strings.append(memo.get(int(argument)))
        elif name != "FRAME":
            # Only names pushed right before a global count as its names.
            strings.append(None)
    return found


def scan(file: Path) -> bool:
    """Refuses a `.pth` or `.bin` whose pickles ask for anything off the list. Returns whether it is a zip file, whose
    tensors can be mapped."""
    try:
        # As torch tells them apart, so that no other part of the file is scanned than is loaded.
        with file.open("rb") as stream:
            zipped = stream.read(len(ZIP)) == ZIP
        if zipped:
            with zipfile.ZipFile(file) as archive:
                pickles = [name for name in archive.namelist() if name.endswith(".pkl")]
                found: set[str] = set()
                for name in pickles:
                    with archive.open(name) as stream:
                        found |= globals_of(stream)
        else:
            with file.open("rb") as stream:
                found = set().union(*(globals_of(stream) for _ in range(LEGACY_PICKLES)))
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UnreadableCheckpoint(f"{file.name} is no whole PyTorch file", "copy or download it again") from error
    refused = sorted(found - ALLOWED)
    if refused:
        raise RefusedPickle(f"{file.name} would run {', '.join(refused)}, and was not loaded", REMEDY)
    return zipped
