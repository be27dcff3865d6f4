"""Exports a checkpoint folder (config.json, weights.safetensors, vocab.txt) to a model that the runtime loads.

python -m export --family mplug2 --checkpoint DIR --out models/<id>
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime as ort

from mplug2.model import Mplug2
from train.checkpoint import load_model
from train.text import load_tokenizer

from .build import VARIANTS, build_graphs
from .goldens import differences, feeds_of, fingerprints, pattern_pixels, reference_outputs
from .graph import LOCATION, GraphWriter
from .shards import write_shards

MIN_LENGTH, MAX_LENGTH = 4, 20


def write_file(out: Path, path: str, data: bytes) -> dict:
    """Writes a file of the model's folder and returns its reference with proof."""
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    (out / path).write_bytes(data)
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def external_data(g: GraphWriter) -> np.ndarray:
    """What the loader assembles for a graph: every initializer at its offset."""
    data = np.zeros(g.end, np.uint8)
    for item in g.initializers.values():
        weight = g.store.weights[item.tensor]
        values = weight.values if item.dtype == "float32" else weight.stored
        data[item.offset : item.offset + item.bytes] = np.frombuffer(values.tobytes(), np.uint8)
    return data


def run_natively(model: bytes, g: GraphWriter, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One run of the graph over its weights by native onnxruntime, for checking the export."""
    options = ort.SessionOptions()
    # The session reads this memory as long as it lives.
    data = external_data(g).tobytes()
    options.add_external_initializers_from_files_in_memory([LOCATION], [data], [len(data)])
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


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


def export(model: Mplug2, vocabulary: list[str], out: Path, identity: dict) -> None:
    """Writes everything but the card, and checks the graphs natively against PyTorch."""
    for stale in ("graphs", "blobs"):
        shutil.rmtree(out / stale, ignore_errors=True)
    (out / "blobs").mkdir(parents=True)
    # From here on the PyTorch model computes with the dequantised weights.
    store, built = build_graphs(model)
    graphs: dict[str, dict] = {}
    models: dict[tuple[str, str], tuple[bytes, GraphWriter]] = {}
    for b in built:
        data = b.writer.model(b.name, b.inputs, b.outputs).SerializeToString()
        models[b.name, b.variant] = (data, b.writer)
        entry = graphs.setdefault(
            b.name,
            {
                "module": b.module,
                "inputs": [{"name": v.name, "dtype": v.dtype, "shape": v.shape} for v in b.inputs],
                "outputs": [{"name": v.name, "dtype": v.dtype, "shape": v.shape} for v in b.outputs],
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
    blobs, tensors = write_shards(out / "blobs", store)

    pixels = pattern_pixels(model)
    reference, tokens, _ = reference_outputs(model, pixels, MIN_LENGTH, MAX_LENGTH)
    bounds = {}
    for variant in VARIANTS:
        done: dict[str, dict[str, np.ndarray]] = {}

        def run(graph: str, variant: str = variant, done: dict = done) -> dict[str, np.ndarray]:
            done[graph] = run_natively(*models[graph, variant], feeds_of(graph, model, pixels, done, tokens))
            return done[graph]

        found = differences(reference, run)
        print(variant, {k: f"{v:.2g}" for k, v in found.items()})
        # Twice the native difference: kernels differ in rounding, faults differ by far more.
        bounds[variant] = {k: max(1e-3, float(f"{2 * v:.2g}")) for k, v in found.items()}
    goldens = {"input": {"kind": "pattern"}, "outputs": fingerprints(reference), "tokens": tokens, "bounds": bounds}
    config = model.config
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
            "mean": config.mean,
            "std": config.std,
            "orientation": "exif",
            "alpha": "white",
            "colour": "as-stored",
        },
        "blobs": blobs,
        "tensors": tensors,
        "graphs": graphs,
        "tasks": {
            "caption": {
                "kind": "caption",
                "graphs": {
                    "vision": "vision",
                    "universal": "universal",
                    "memory": "decoder.memory",
                    "step": "decoder.step",
                },
                "prompt": [config.ids.start],
                "end": config.ids.end,
                "minLength": MIN_LENGTH,
                "maxLength": MAX_LENGTH,
            }
        },
        "goldens": write_file(out, "goldens.json", json.dumps(goldens, separators=(",", ":")).encode()),
    }
    (out / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")) + "\n")
    total = sum(b["bytes"] for b in blobs)
    print(f"{len(blobs)} blobs, {total / 1e6:.2f} MB; the made picture: {load_tokenizer(vocabulary).decode(tokens)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=["mplug2"], required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", help="shown to people; default: the folder's name")
    parser.add_argument("--licence", default="see README.md")
    args = parser.parse_args()
    model, vocabulary = load_model(args.checkpoint)
    out = args.out.resolve()
    identity = {"id": out.name, "name": args.name or out.name, "licence": args.licence}
    export(model, vocabulary, out, identity)


if __name__ == "__main__":
    main()
