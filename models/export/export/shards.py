"""Weights as content-addressed blobs of at most 4 MiB. A blob belongs to one module; a tensor may span blobs."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from .tensors import Weight, WeightStore, outliers_name, rows_name

BLOB_BYTES = 4 * 1024 * 1024
ALIGNMENT = 4


def write_blobs(folder: Path, module: str, weights: list[Weight], blobs: list[dict]) -> dict[str, dict]:
    """Writes a module's tensors end to end: little-endian, row-major, each aligned to 4 bytes, so that no float is cut by a
    blob's end. Appends the blobs to `blobs` and returns the manifest's entries of the tensors. No more than a blob and a
    tensor is held besides the weights."""
    first, end, filling = len(blobs), 0, bytearray()

    def write_blob() -> None:
        digest = hashlib.sha256(filling).hexdigest()
        (folder / f"{digest}.bin").write_bytes(filling)
        blobs.append({"sha256": digest, "bytes": len(filling), "module": module})
        filling.clear()

    def append(data: memoryview | bytes) -> None:
        nonlocal end
        end += len(data)
        while len(data):
            room = BLOB_BYTES - len(filling)
            filling.extend(data[:room])
            data = data[room:]
            if len(filling) == BLOB_BYTES:
                write_blob()

    entries = {}
    for weight in weights:
        append(bytes(-end % ALIGNMENT))
        at, left, pieces = end, weight.nbytes, []
        append(memoryview(np.ascontiguousarray(weight.stored).reshape(-1).view(np.uint8)))
        while left:
            blob, offset = divmod(at, BLOB_BYTES)
            size = min(left, BLOB_BYTES - offset)
            pieces.append({"blob": first + blob, "offset": offset, "bytes": size})
            at, left = at + size, left - size
        entry: dict = {"module": module, "dtype": weight.dtype, "shape": list(weight.shape), "pieces": pieces}
        if weight.axis is not None:
            entry["quantisation"] = {"scheme": "symmetric", "axis": weight.axis, "scales": weight.scales_name}
        elif weight.scales is not None:
            entry["quantisation"] = {"scheme": "blocks", "scales": weight.scales_name}
        entries[weight.name] = entry
    if filling:
        write_blob()
    return entries


def read_tensor(folder: Path, blobs: list[dict], pieces: list[dict], dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array that pieces of blobs hold."""
    data = np.empty(sum(piece["bytes"] for piece in pieces), np.uint8)
    at = 0
    for piece in pieces:
        with (folder / f"{blobs[piece['blob']]['sha256']}.bin").open("rb") as blob:
            blob.seek(piece["offset"])
            blob.readinto(memoryview(data)[at : at + piece["bytes"]])
        at += piece["bytes"]
    return data.view("uint8" if dtype == "uint4" else dtype).reshape(shape)


def written_weight(folder: Path, blobs: list[dict], entries: dict[str, dict], name: str) -> Weight:
    """A weight that has been written, by the manifest's entries; its bytes stay on the disk."""
    entry = entries[name]
    how = entry.get("quantisation", {})
    scales = written_weight(folder, blobs, entries, how["scales"]).stored if how else None
    dtype, shape = entry["dtype"], tuple(entry["shape"])
    weight = Weight(name, entry["module"], dtype, shape, lambda: np.empty(0), how.get("axis"), scales, written=True)
    if outliers_name(name) in entries:
        weight.outliers, weight.rows = (
            written_weight(folder, blobs, entries, each) for each in (outliers_name(name), rows_name(name))
        )
    weight.read = partial(read_tensor, folder, blobs, entry["pieces"], dtype, weight.array_shape)
    return weight


def write_new(folder: Path, store: WeightStore, blobs: list[dict]) -> dict[str, dict]:
    """Writes the weights that have not been written yet, module by module and part by part, and lets go of their bytes. Appends
    their blobs, and returns the manifest's entries."""
    entries: dict[str, dict] = {}
    new = [weight for weight in store.weights.values() if not weight.written]
    for module, part in dict.fromkeys((weight.module, weight.part) for weight in new):
        owned = [weight for weight in new if (weight.module, weight.part) == (module, part)]
        found = write_blobs(folder, module, owned, blobs)
        for weight in owned:
            read = partial(read_tensor, folder, blobs, found[weight.name]["pieces"], weight.dtype, weight.array_shape)
            weight.read, weight.written = read, True
        entries |= found
    return entries


def restore(folder: Path, store: WeightStore, blobs: list[dict], entries: dict[str, dict]) -> None:
    """Puts written weights into a store, by their entries."""
    for name in entries:
        store.weights[name] = written_weight(folder, blobs, entries, name)
