"""Every graph by itself in four forms, with something to feed it, to be timed in a browser (`npm run bench -- forms`).

python -m export.forms --checkpoint DIR --out DIR

float32 and int8 are the graphs of `python -m export`, float32 with the checkpoint's own weights; float16 and int4 are
float32 graphs with the same weights in the forms of `export.quantisation`. Every file is run natively once: how near
its outputs are to float32's is in forms.json, with all else that the bench needs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from mplug2.model import Mplug2

from .build import Built, build_variant
from .checkpoint import read_model
from .goldens import TOP, Values, pattern_pixels
from .graph import ALIGNMENT, LOCATION
from .native import NativeGraph, external_data
from .quantisation import BLOCK
from .tensors import WeightStore

QUESTION, PAST, BEAMS, STEPS = 12, 10, 3, 10
TASK = (
    f"One photo; a question of {QUESTION} tokens; {STEPS} steps of the decoder, "
    f"each of {BEAMS} beams over a past of {PAST} tokens."
)
NOTES = {
    "float32": "The exported graphs with the checkpoint's own weights.",
    "int8": "The exported graphs, as shipped: a scale per output channel, products by DynamicQuantizeMatMul. What "
    "remains a convolution is stored as int8 but widened before onnxruntime gets it, and float32 here.",
    "float16": "Large weights are float16, cast to float32 once, when a session is made; activations are float32.",
    "int4": f"Large matrices are blocks of {BLOCK} 4-bit numbers with a float32 scale each (MatMulNBits, activations "
    "float32). What remains a convolution, and the word table from which ids take rows, stay float32. The 1×1 "
    "convolutions that int8 does as matrix products are such here too.",
}
# The cosine of the angle between an output and float32's; below, a file is taken to be broken. A stem of a few million
# weights loses much to 4 bits: 0.73 with one checkpoint, as PyTorch says too.
LEAST_COSINE = {"float32": 0.999999, "int8": 0.95, "float16": 0.9999, "int4": 0.5}

# It tells of every node.
logging.getLogger(MatMulNBitsQuantizer.__module__).setLevel(logging.ERROR)


def whole(built: Built) -> onnx.ModelProto:
    """A graph with its weights inside."""
    model = built.writer.model(built.name, built.inputs, built.outputs)
    data = external_data(built.writer)
    for tensor in model.graph.initializer:
        item = built.writer.initializers.get(tensor.name)
        if item is not None:
            tensor.raw_data = data[item.offset : item.offset + item.bytes].tobytes()
            tensor.data_location = onnx.TensorProto.DEFAULT
            tensor.ClearField("external_data")
    return model


def as_float16(model: onnx.ModelProto, large: set[str]) -> onnx.ModelProto:
    """The weights `large` in half precision, each behind a cast that a session does once, when it is made.

    onnxruntime's own converter rounds what is between the nodes too: another form than the one that is scored.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.name in large:
            name, half = tensor.name, f"{tensor.name}.float16"
            tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(np.float16), half))
            casts.append(onnx.helper.make_node("Cast", [half], [name], name=half, to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def as_int4(model: onnx.ModelProto, large: set[str]) -> onnx.ModelProto:
    """Products with the matrices `large` by MatMulNBits, every other node as it was."""
    others = [node.name for node in model.graph.node if node.op_type == "MatMul" and node.input[1] not in large]
    quantizer = MatMulNBitsQuantizer(model, 4, BLOCK, is_symmetric=True, nodes_to_exclude=others)
    quantizer.process()
    return quantizer.model.model


def write_built(folder: Path, built: Built) -> None:
    """The bytes that the runtime hands to onnxruntime."""
    folder.mkdir(parents=True, exist_ok=True)
    model = built.writer.model(built.name, built.inputs, built.outputs)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / LOCATION).write_bytes(external_data(built.writer).tobytes())


def write_converted(folder: Path, model: onnx.ModelProto) -> None:
    """The same two files of a graph that has its weights inside."""
    folder.mkdir(parents=True, exist_ok=True)
    # It would be appended to; and it is not written where nothing is large.
    (folder / LOCATION).write_bytes(b"")
    onnx.save_model(model, folder / "model.onnx", save_as_external_data=True, location=LOCATION)


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
    cosines = []
    for name, values in wanted.items():
        if values.dtype == np.float32:
            a, b = found[name].ravel().astype(np.float64), values.ravel().astype(np.float64)
            cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
    return min(cosines)


def write_forms(model: Mplug2, out: Path, checkpoint: dict) -> dict:
    """Writes FORM/GRAPH/{model.onnx,weights.bin} and feeds/GRAPH.bin, checks every file, and returns forms.json.

    The model ends with the values of int8, as by an export.
    """
    exact = WeightStore(quantised=False)
    float32 = build_variant(exact, model, "float32")
    feeds = task_feeds(model, {b.name: NativeGraph(b) for b in float32})
    matrices = build_variant(exact, model, "int4")
    stored = WeightStore()
    int8 = build_variant(stored, model, "int8")
    large = {weight.name for weight in stored.weights.values() if weight.axis is not None}
    graphs = []
    for plain, quantised, matrix in zip(float32, int8, matrices):
        name = plain.name
        write_built(out / "float32" / name, plain)
        write_built(out / "int8" / name, quantised)
        write_converted(out / "float16" / name, as_float16(whole(plain), large))
        write_converted(out / "int4" / name, as_int4(whole(matrix), large))
        wanted = run_file(out / "float32" / name, feeds[name])
        files = {}
        for form, least in LEAST_COSINE.items():
            cosine = least_cosine(run_file(out / form / name, feeds[name]), wanted)
            if not cosine >= least:
                raise SystemExit(f"{name} as {form} is {cosine:.6f} near float32, which is less than {least}")
            paths = {"model": f"{form}/{name}/model.onnx", "weights": f"{form}/{name}/{LOCATION}"}
            size = sum((out / path).stat().st_size for path in paths.values())
            files[form] = {**paths, "bytes": size, "cosine": round(cosine, 6)}
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
