"""Changes an exported model where it lies: one float32 tensor, or what its manifest says of its quality.

An export of weights that were rounded already would round them once more; so every other tensor stays byte for byte what
it was. The goldens stay too: an amendment is for values that they don't depend on, which the runtime's self-test checks.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from .exported import read_manifest
from .manifest import compact
from .stage import MANIFEST, replace_file


def write_manifest(folder: Path, manifest: dict) -> None:
    """Puts a manifest in the place of the folder's, whole or not at all."""
    replace_file(folder / MANIFEST, compact(manifest) + b"\n")


def amend_tensor(folder: Path, name: str, values: np.ndarray) -> None:
    """Puts float32 `values` in the place of a tensor's. The new blobs are there before the manifest names them, and the old
    ones after, so that the folder is at every moment one model or the other. KeyError where the model has no such tensor,
    ValueError where it isn't float32 of this shape."""
    manifest = read_manifest(folder)
    tensor, blobs = manifest["tensors"][name], manifest["blobs"]
    if tensor["dtype"] != "float32" or tensor["shape"] != list(values.shape):
        raise ValueError(f"{name} is {tensor['dtype']} of the shape {tensor['shape']}, not float32 of {list(values.shape)}")
    left = np.ascontiguousarray(values, "<f4").tobytes()
    former = []
    for piece in tensor["pieces"]:
        blob = blobs[piece["blob"]]
        former.append(folder / "blobs" / f"{blob['sha256']}.bin")
        data = bytearray(former[-1].read_bytes())
        data[piece["offset"] : piece["offset"] + piece["bytes"]] = left[: piece["bytes"]]
        left = left[piece["bytes"] :]
        blob["sha256"] = hashlib.sha256(data).hexdigest()
        replace_file(folder / "blobs" / f"{blob['sha256']}.bin", bytes(data))
    write_manifest(folder, manifest)
    named = {blob["sha256"] for blob in blobs}
    for file in former:
        if file.stem not in named:
            file.unlink()
