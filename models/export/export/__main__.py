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

from .decoder_graph import memory_graph, step_graph
from .goldens import differences, feeds_of, fingerprints, reference_outputs
from .graph import LOCATION, GraphWriter
from .shards import write_blobs
from .tensors import WeightStore
from .universal_graph import universal_graph
from .vision_graph import vision_graph
from .weights import ModuleWeights

GRAPHS = (
    ("vision", vision_graph),
    ("universal", universal_graph),
    ("decoder", memory_graph),
    ("decoder", step_graph),
)
VARIANTS = {"int8": ["wasm"], "float32": ["wasm", "webgpu"]}
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
    model.eval()
    store = WeightStore()
    graphs: dict[str, dict] = {}
    built: dict[tuple[str, str], tuple[bytes, GraphWriter]] = {}
    for variant, devices in VARIANTS.items():
        for module, build in GRAPHS:
            g = GraphWriter(store, variant)
            name, inputs, outputs = build(g, ModuleWeights(store, module), model)
            data = g.model(name, inputs, outputs).SerializeToString()
            built[name, variant] = (data, g)
            entry = graphs.setdefault(
                name,
                {
                    "module": module,
                    "inputs": [{"name": v.name, "dtype": v.dtype, "shape": v.shape} for v in inputs],
                    "outputs": [{"name": v.name, "dtype": v.dtype, "shape": v.shape} for v in outputs],
                    "variants": [],
                },
            )
            entry["variants"].append(
                {
                    "name": variant,
                    "devices": devices,
                    "file": write_file(out, f"graphs/{name}.{variant}.onnx", data),
                    "weights": {"location": LOCATION, "bytes": g.end},
                    "initializers": [vars(item) for item in g.initializers.values()],
                }
            )
    blobs: list[dict] = []
    tensors: dict[str, dict] = {}
    for module in dict.fromkeys(m for m, _ in GRAPHS):
        owned = [w for w in store.weights.values() if w.module == module]
        tensors |= write_blobs(out / "blobs", module, owned, blobs)

    # From here on the PyTorch model computes with the dequantised weights.
    reference, tokens = reference_outputs(model, MIN_LENGTH, MAX_LENGTH)
    bounds = {}
    for variant in VARIANTS:
        done: dict[str, dict[str, np.ndarray]] = {}

        def run(graph: str, variant: str = variant, done: dict = done) -> dict[str, np.ndarray]:
            done[graph] = run_natively(*built[graph, variant], feeds_of(graph, model, done, tokens))
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
