"""Every graph by itself in three forms, with something to feed it, to be timed in a browser (`npm run bench -- forms`).

python -m export.forms --checkpoint DIR --out DIR

They are the graphs of `python -m export`, each with its external data as the loader puts it together. float16 is not among them: its
weights reach onnxruntime as float32. Every file is run natively once: how near its outputs are to float32's is in
forms.json, with all else that the bench needs.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort

from mplug2.model import Mplug2

from .build import Built, build_graphs
from .check import cosine
from .checkpoint import read_model
from .goldens import TOP, Values, pattern_pixels
from .graph import ALIGNMENT, LOCATION
from .native import NativeGraph, external_data
from .rounding import BLOCK

QUESTION, PAST, BEAMS, STEPS = 12, 10, 3, 10
TASK = (
    f"One photo; a question of {QUESTION} tokens; {STEPS} steps of the decoder, "
    f"each of {BEAMS} beams over a past of {PAST} tokens."
)
NOTES = {
    "float32": "The exported graphs with the checkpoint's own weights.",
    "int8": "The exported graphs, as shipped: a scale per output channel, products by DynamicQuantizeMatMul. What "
    "remains a convolution is stored as int8 but widened before onnxruntime gets it, and float32 here.",
    "int4": f"The exported graphs: large matrices are blocks of {BLOCK} 4-bit numbers (MatMulNBits, activations float32). Word "
    "table, convolutions and matrices whose inputs are no whole blocks are stored as int8; products with them are float32.",
}
# The cosine of the angle between an output and float32's; below, a file is taken to be broken.
LEAST_COSINE = {"float32": 0.999999, "int8": 0.95, "int4": 0.5}


def write_built(folder: Path, built: Built) -> None:
    """The bytes that the runtime hands to onnxruntime."""
    folder.mkdir(parents=True, exist_ok=True)
    model = built.writer.model(built.name, built.inputs, built.outputs)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / LOCATION).write_bytes(external_data(built.writer).tobytes())


def task_feeds(model: Mplug2, graphs: dict[str, NativeGraph]) -> dict[str, Values]:
    """What each graph is fed in TASK: a made picture and seeded tokens, or the outputs of the graphs before it."""
    text, random = model.config.text, np.random.default_rng(17)

    def tokens(rows: int, length: int) -> np.ndarray:
        return random.integers(text.vocab, size=(rows, length), dtype=np.int32)

    def step(length: int) -> Values:
        fed = {name: tokens(BEAMS, length) for name in ("ids", "targets")}
        return {**fed, "beam_index": np.arange(BEAMS, dtype=np.int32), "k": np.array([TOP])}

    values: Values = {"pixels": pattern_pixels(model).numpy(), "ids": tokens(1, QUESTION)}
    empty = np.zeros((BEAMS, text.heads, 0, text.width // text.heads), np.float32)
    feeds = {}
    for name, graph in graphs.items():
        given = values
        if name == "decoder.step":
            pasts = [each for each in graph.inputs if each.startswith("past_")]
            before = graph({**values, **step(PAST), **dict.fromkeys(pasts, empty)})
            given = {**values, **step(1), **{past: before[past.replace("past_", "present_")] for past in pasts}}
        feeds[name] = {each: given[each] for each in graph.inputs}
        values = {**values, **graph(given)}
    return feeds


def write_feeds(file: Path, feeds: Values) -> list[dict]:
    """Writes a graph's inputs one behind the other, and returns where each lies, with its dtype and shape."""
    file.parent.mkdir(parents=True, exist_ok=True)
    data, inputs = bytearray(), []
    for name, values in feeds.items():
        data += bytes(-len(data) % ALIGNMENT)
        inputs.append({"name": name, "dtype": str(values.dtype), "shape": list(values.shape), "offset": len(data)})
        data += values.tobytes()
    file.write_bytes(data)
    return inputs


def run_file(folder: Path, feeds: Values) -> Values:
    """One native run of a graph as it was written."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def least_cosine(found: Values, wanted: Values) -> float:
    """The least cosine of the angle between two runs' values of one output; ids are left out, close ones may change."""
    return min(cosine(found[name], values) for name, values in wanted.items() if values.dtype == np.float32)


def write_forms(model: Mplug2, out: Path, checkpoint: dict) -> dict:
    """Writes FORM/GRAPH/{model.onnx,weights.bin} and feeds/GRAPH.bin, checks every file, and returns forms.json."""
    built = {form: build_graphs(copy.deepcopy(model), (form,))[1] for form in LEAST_COSINE}
    feeds = task_feeds(model, {b.name: NativeGraph(b) for b in built["float32"]})
    graphs = []
    for i, plain in enumerate(built["float32"]):
        name = plain.name
        for form, all_built in built.items():
            write_built(out / form / name, all_built[i])
        wanted = run_file(out / "float32" / name, feeds[name])
        files = {}
        for form, least in LEAST_COSINE.items():
            near = least_cosine(run_file(out / form / name, feeds[name]), wanted)
            if not near >= least:
                raise SystemExit(f"{name} as {form} is {near:.6f} near float32, which is less than {least}")
            paths = {"model": f"{form}/{name}/model.onnx", "weights": f"{form}/{name}/{LOCATION}"}
            size = sum((out / path).stat().st_size for path in paths.values())
            files[form] = {**paths, "bytes": size, "cosine": round(near, 6)}
        graphs.append(
            {
                "graph": name,
                "module": plain.module,
                "runs": STEPS if name == "decoder.step" else 1,
                "feeds": {"path": f"feeds/{name}.bin", "inputs": write_feeds(out / f"feeds/{name}.bin", feeds[name])},
                "forms": files,
            }
        )
    about = {"format": "owlet-forms", "version": 1, "checkpoint": checkpoint, "task": TASK, "location": LOCATION}
    return {**about, "notes": NOTES, "graphs": graphs}


def table(graphs: list[dict]) -> str:
    """Markdown: graphs down, forms across, MB as onnxruntime gets them and the cosine."""
    lines = ["| graph | " + " | ".join(LEAST_COSINE) + " |", "|---" * (1 + len(LEAST_COSINE)) + "|"]
    for graph in graphs:
        cells = [f"{file['bytes'] / 1e6:.2f} MB, {file['cosine']:.5f}" for file in graph["forms"].values()]
        lines.append(f"| {graph['graph']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    digest = hashlib.sha256((args.checkpoint / "weights.safetensors").read_bytes()).hexdigest()
    model = read_model(args.checkpoint)
    forms = write_forms(model, args.out, {"name": args.checkpoint.resolve().name, "sha256": digest})
    (args.out / "forms.json").write_text(json.dumps(forms, indent=1) + "\n")
    print(table(forms["graphs"]))


if __name__ == "__main__":
    main()
