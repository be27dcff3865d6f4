"""Weights as content-addressed blobs of at most 4 MiB. A blob belongs to one module; a tensor may span blobs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .tensors import Weight, WeightStore

BLOB_BYTES = 4 * 1024 * 1024
ALIGNMENT = 4


@dataclass(frozen=True)
class Stream:
    """One module's tensors end to end, and where each begins."""

    data: bytes
    starts: dict[str, int]


def join(weights: list[Weight]) -> Stream:
    """Little-endian, row-major, every tensor aligned to 4 bytes, so that no float is cut by a blob's end."""
    data, starts = bytearray(), {}
    for weight in weights:
        data += bytes(-len(data) % ALIGNMENT)
        starts[weight.name] = len(data)
        data += weight.stored.tobytes()
    return Stream(bytes(data), starts)


def write_blobs(folder: Path, module: str, weights: list[Weight], blobs: list[dict]) -> dict[str, dict]:
    """Writes a module's blobs, appends them to `blobs`, and returns the manifest's entries of its tensors."""
    stream = join(weights)
    first = len(blobs)
    for start in range(0, len(stream.data), BLOB_BYTES):
        piece = stream.data[start : start + BLOB_BYTES]
        digest = hashlib.sha256(piece).hexdigest()
        (folder / f"{digest}.bin").write_bytes(piece)
        blobs.append({"sha256": digest, "bytes": len(piece), "module": module})
    entries = {}
    for weight in weights:
        at, left, pieces = stream.starts[weight.name], weight.stored.nbytes, []
        while left:
            blob, offset = divmod(at, BLOB_BYTES)
            size = min(left, BLOB_BYTES - offset)
            pieces.append({"blob": first + blob, "offset": offset, "bytes": size})
            at, left = at + size, left - size
        entry: dict = {
            "module": module,
            "dtype": str(weight.stored.dtype),
            "shape": list(weight.stored.shape),
            "pieces": pieces,
        }
        if weight.axis is not None:
            entry["quantisation"] = {"scheme": "symmetric", "axis": weight.axis, "scales": weight.scales}
        entries[weight.name] = entry
    return entries


def write_shards(folder: Path, store: WeightStore) -> tuple[list[dict], dict[str, dict]]:
    """Writes all stored weights and returns the manifest's lists of blobs and of tensors."""
    blobs: list[dict] = []
    tensors: dict[str, dict] = {}
    for module in dict.fromkeys(w.module for w in store.weights.values()):
        owned = [w for w in store.weights.values() if w.module == module]
        tensors |= write_blobs(folder, module, owned, blobs)
    return blobs, tensors
