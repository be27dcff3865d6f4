"""Writes a model folder: graphs, blobs, tokenizer, labels, goldens and the manifest that joins them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2
from train.text import load_tokenizer

from .build import VARIANTS, Built, build_graphs
from .frames import frames_of
from .goldens import chained_outputs, differences, fingerprints, pattern_pixels, reference_outputs, sentence_ids
from .graph import LOCATION, Value
from .native import NativeGraph
from .shards import write_shards
from .tasks import CAPTION_LENGTHS, tasks_of

LABELS = Path(__file__).with_name("imagenet-labels.json")


def compact(data: object) -> bytes:
    """JSON without white space."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def write_file(out: Path, path: str, data: bytes) -> dict:
    """Writes a file of the model's folder and returns its reference with proof."""
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    (out / path).write_bytes(data)
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def tokenizer_files(out: Path, vocabulary: list[str]) -> dict:
    """tokenizer.json and tokenizer_config.json in the form that transformers.js reads."""
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "clean_up_tokenization_spaces": True,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    return {
        "kind": "wordpiece",
        "tokenizer": write_file(out, "tokenizer.json", load_tokenizer(vocabulary).to_str().encode()),
        "config": write_file(out, "tokenizer_config.json", json.dumps(config, indent=1).encode()),
    }


def labels_file(out: Path, config: Mplug2Config) -> dict | None:
    """labels.json, one name per class, where the model has a class head."""
    if not config.heads:
        return None
    names = json.loads(LABELS.read_text())
    if len(names) != config.heads.classes:
        raise SystemExit(f"the class head has {config.heads.classes} classes, {LABELS.name} {len(names)} names")
    return write_file(out, "labels.json", compact(names))


def described(values: list[Value]) -> list[dict]:
    """Inputs or outputs as the manifest has them."""
    return [{"name": v.name, "dtype": v.dtype, "shape": v.shape} for v in values]


def write_graphs(out: Path, built: list[Built]) -> dict[str, dict]:
    """Writes every graph in every variant and returns the manifest's entries."""
    graphs: dict[str, dict] = {}
    for b in built:
        data = b.writer.model(b.name, b.inputs, b.outputs).SerializeToString()
        entry = graphs.setdefault(
            b.name,
            {
                "module": b.module,
                "inputs": described(b.inputs),
                "outputs": described(b.outputs),
                "variants": [],
            },
        )
        entry["variants"].append(
            {
                "name": b.variant,
                "devices": VARIANTS[b.variant],
                "file": write_file(out, f"graphs/{b.name}.{b.variant}.onnx", data),
                "weights": {"location": LOCATION, "bytes": b.writer.end},
                "initializers": [vars(item) for item in b.writer.initializers.values()],
            }
        )
    return graphs


def write_taps(out: Path, built: list[Built]) -> None:
    """taps.json, and the float32 graphs that have taps in their tapped form: what they hand on besides, in which file.

    Nothing in the manifest speaks of them; their weights are those of the graphs that they stand in for.
    """
    graphs = {}
    for b in built:
        if b.variant == "float32" and b.writer.taps:
            data = b.writer.model(b.name, b.inputs, b.outputs, tapped=True).SerializeToString()
            file = write_file(out, f"graphs/{b.name}.{b.variant}-taps.onnx", data)
            graphs[b.name] = {"file": file, "outputs": described([v for v, _ in b.writer.taps])}
    (out / "taps.json").write_bytes(compact({"graphs": graphs}) + b"\n")


LEAST_BOUNDS = {"float32": 1e-3, "int8": 0.02}
"""Below these a difference says nothing: where outputs are few, as a head's two, 8-bit sums of other processors differ by more
than those of this one do from PyTorch."""


def checked_goldens(model: Mplug2, built: list[Built], vocabulary: list[str]) -> dict:
    """Compares the graphs, run natively, with PyTorch on the same weights; returns what goldens.json holds."""
    pixels, sentence = pattern_pixels(model), sentence_ids(model, vocabulary)
    everything, said, _ = reference_outputs(model, pixels, sentence, *CAPTION_LENGTHS)
    names = {b.name for b in built}
    reference = {graph: outputs for graph, outputs in everything.items() if graph in names}
    bounds = {}
    for variant in dict.fromkeys(b.variant for b in built):
        graphs = {b.name: NativeGraph(b) for b in built if b.variant == variant}
        found = differences(reference, chained_outputs(model, graphs, pixels, sentence, said))
        print(variant, {k: f"{v:.2g}" for k, v in found.items()})
        # Twice the native difference: kernels differ in rounding, faults differ by far more.
        bounds[variant] = {k: max(LEAST_BOUNDS[variant], float(f"{2 * v:.2g}")) for k, v in found.items()}
    print(f"the made picture: {load_tokenizer(vocabulary).decode(said)}")
    marks = fingerprints(reference)
    return {"input": {"kind": "pattern"}, "ids": sentence, "outputs": marks, "tokens": said, "bounds": bounds}


def print_sizes(blobs: list[dict]) -> None:
    """Stored bytes by module."""
    sizes: dict[str, int] = {}
    for blob in blobs:
        sizes[blob["module"]] = sizes.get(blob["module"], 0) + blob["bytes"]
    shown = {module: round(size / 1e6, 2) for module, size in sizes.items()}
    print("MB:", shown, f"all {sum(sizes.values()) / 1e6:.2f}")


def write_model(
    model: Mplug2,
    vocabulary: list[str],
    out: Path,
    identity: dict,
    variants: tuple[str, ...] = tuple(VARIANTS),
    quality: dict | None = None,
    taps: bool = False,
) -> None:
    """Writes everything but the card, and checks the graphs natively against PyTorch; with `taps`, tapped ones too."""
    for stale in ("graphs", "blobs"):
        shutil.rmtree(out / stale, ignore_errors=True)
    for stale in ("labels.json", "taps.json"):
        (out / stale).unlink(missing_ok=True)
    (out / "blobs").mkdir(parents=True)
    # From here on the PyTorch model computes with the dequantised weights.
    store, built = build_graphs(model, variants)
    config = model.config
    graphs = write_graphs(out, built)
    if taps:
        write_taps(out, built)
    blobs, tensors = write_shards(out / "blobs", store)
    print_sizes(blobs)
    goldens = checked_goldens(model, built, vocabulary)
    manifest = {
        "format": "owlet-model",
        "version": 1,
        **identity,
        "family": config.family,
        "card": "README.md",
        "tokenizer": tokenizer_files(out, vocabulary),
        "preprocess": {
            "size": config.image_size,
            "resize": "bicubic",
            "frames": frames_of(config),
            "mean": config.mean,
            "std": config.std,
            "orientation": "exif",
            "alpha": "white",
            "colour": "as-stored",
        },
        "blobs": blobs,
        "tensors": tensors,
        "graphs": graphs,
        "tasks": tasks_of(config, labels_file(out, config)),
        **({"quality": quality} if quality else {}),
        "goldens": write_file(out, "goldens.json", compact(goldens)),
    }
    (out / "manifest.json").write_bytes(compact(manifest) + b"\n")
