"""Writes a model folder: graphs, blobs, tokenizer, labels, goldens and the manifest that joins them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2
from train.text import load_tokenizer

from . import losses
from .build import Built, build_module
from .check import Checker
from .frames import frames_of
from .goldens import fingerprints, in_order
from .graph import LOCATION, Value
from .parts import modules_of
from .shards import restore, write_new
from .stage import Stage
from .stored_forms import DEVICES, Forms
from .tasks import tasks_of
from .tensors import WeightStore

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
                "devices": DEVICES[b.variant],
                "file": write_file(out, f"graphs/{b.name}.{b.variant}.onnx", data),
                "weights": {"location": LOCATION, "bytes": b.writer.end},
                "initializers": [vars(item) for item in b.writer.initializers.values()],
            }
        )
    return graphs


def write_taps(out: Path, built: list[Built]) -> dict[str, dict]:
    """The float32 graphs that have taps in their tapped form: returns taps.json's entries, what they hand on besides and in
    which file.

    Nothing in the manifest speaks of them; their weights are those of the graphs that they stand in for.
    """
    graphs = {}
    for b in built:
        if b.variant == "float32" and b.writer.taps:
            data = b.writer.model(b.name, b.inputs, b.outputs, tapped=True).SerializeToString()
            file = write_file(out, f"graphs/{b.name}.{b.variant}-taps.onnx", data)
            graphs[b.name] = {"file": file, "outputs": described([v for v, _ in b.writer.taps])}
    return graphs


LEAST_BOUNDS = {"float32": 1e-3, "float16": 1e-3, "int4": 1e-3, "int8": 0.02}
"""Below these a difference says nothing: where outputs are few, as a head's two, 8-bit sums of other processors differ by more
than those of this one do from PyTorch."""


@dataclass
class Written:
    """What the manifest tells of the modules written so far."""

    blobs: list[dict] = field(default_factory=list)
    tensors: dict[str, dict] = field(default_factory=dict)
    graphs: dict[str, dict] = field(default_factory=dict)
    taps: dict[str, dict] = field(default_factory=dict)
    marks: dict[str, dict] = field(default_factory=dict)
    """Fingerprints by graph."""
    differences: dict[str, dict[str, float]] = field(default_factory=dict)
    """By variant and graph, the greatest between native runs and PyTorch."""
    cosines: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    """By variant, graph and output, of native runs to PyTorch on the checkpoint's own weights."""
    losses: dict[str, dict] = field(default_factory=dict)
    """By tensor, what rounding cost."""

    def add(self, record: dict) -> None:
        """A module's record: the same fields, of that module alone."""
        self.blobs += record["blobs"]
        for name in ("tensors", "graphs", "taps", "marks", "losses"):
            getattr(self, name).update(record[name])
        for name in ("differences", "cosines"):
            for variant, found in record[name].items():
                getattr(self, name).setdefault(variant, {}).update(found)

    def report(self) -> dict:
        """What the forms cost, as JSON: sizes, rounding errors by module and tensor, worst first, cosines of outputs."""
        lost = losses.from_json(self.losses)
        modules = {
            module: {"bytes": size, "weights": losses.report(losses.of_module(lost, module))}
            for module, size in sizes_of(self.blobs).items()
        }
        return {"modules": modules, "cosines": self.cosines}


class Parameters(Protocol):
    """Where a model's parameters come from, a module at a time."""

    def bring(self, module: str) -> None:
        """Puts a module's parameters into the model."""

    def release(self) -> None:
        """They are not needed any more."""


class InMemory:
    """A model that is whole."""

    def bring(self, module: str) -> None:
        """It is there."""

    def release(self) -> None:
        """It stays."""


def write_module(
    module: str, parameters: Parameters, checker: Checker, store: WeightStore, done: Written, folder: Path, taps: bool
) -> dict:
    """Writes a module's graphs and blobs, checks them, and returns the module's record."""
    parameters.bring(module)
    exact = checker.exact_outputs(module)
    known = set(store.losses)
    # From here on the module's PyTorch parameters are the dequantised weights.
    built = build_module(store, checker.model, module)
    graphs = write_graphs(folder, built)
    # Tensors point to blobs by their place among all modules' blobs.
    before = len(done.blobs)
    blobs = list(done.blobs)
    tensors = write_new(folder / "blobs", store, blobs)
    reference = checker.reference(module, set(graphs))
    parameters.release()
    found = checker.compare(built, reference, exact)
    return {
        "blobs": blobs[before:],
        "tensors": tensors,
        "graphs": graphs,
        "taps": write_taps(folder, built) if taps else {},
        "marks": fingerprints(reference),
        "differences": found.differences,
        "cosines": found.cosines,
        "losses": losses.as_json({name: loss for name, loss in store.losses.items() if name not in known}),
    }


def write_modules(
    model: Mplug2, parameters: Parameters, checker: Checker, stage: Stage, forms: Forms, taps: bool
) -> Written:
    """Writes every module that is not finished yet, and tells how it goes on."""
    done, store = Written(), WeightStore(forms)
    modules = modules_of(model.config)
    for number, module in enumerate(modules, 1):
        begun, at = time.monotonic(), f"[{number}/{len(modules)}] {module}"
        finished = stage.finished(module)
        if finished:
            record, tensors = finished
            done.add(record)
            restore(stage.folder / "blobs", store, done.blobs, done.tensors)
            checker.restore(tensors)
            print(f"{at}: finished before", flush=True)
            continue
        print(at, end=": ", flush=True)
        record = write_module(module, parameters, checker, store, done, stage.folder, taps)
        stage.finish(module, record, checker.tensors())
        done.add(record)
        size = sum(blob["bytes"] for blob in record["blobs"])
        print(f"{size / 1e6:.2f} MB in {time.monotonic() - begun:.0f} s", flush=True)
        if record["losses"]:
            print("\n".join(f"  {line}" for line in losses.lines(losses.from_json(record["losses"]))), flush=True)
            print_cosines(record["cosines"])
    return done


def print_cosines(cosines: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """A line a form: what the module makes in the end, and what is farthest from float32's."""
    for variant, graphs in cosines.items():
        last = next(iter(list(graphs.values())[-1].items()))
        least = min((item for found in graphs.values() for item in found.items()), key=lambda item: item[1])
        shown = ", ".join(f"{output} {value:.5f}" for output, value in dict([last, least]).items())
        print(f"  {variant}, cosine to float32: {shown}", flush=True)


def goldens_of(checker: Checker, done: Written, vocabulary: list[str]) -> dict:
    """What goldens.json holds."""
    bounds = {}
    for variant, found in done.differences.items():
        print(variant, {k: f"{v:.2g}" for k, v in found.items()})
        # Twice the native difference: kernels differ in rounding, faults differ by far more.
        bounds[variant] = {k: max(LEAST_BOUNDS[variant], float(f"{2 * v:.2g}")) for k, v in in_order(found).items()}
    said = checker.seen["said"].tolist()
    print(f"the made picture: {load_tokenizer(vocabulary).decode(said)}")
    marks = in_order(done.marks)
    return {"input": {"kind": "pattern"}, "ids": checker.sentence, "outputs": marks, "tokens": said, "bounds": bounds}


def sizes_of(blobs: list[dict]) -> dict[str, int]:
    """Stored bytes by module."""
    sizes: dict[str, int] = {}
    for blob in blobs:
        sizes[blob["module"]] = sizes.get(blob["module"], 0) + blob["bytes"]
    return sizes


def print_sizes(blobs: list[dict]) -> None:
    """Stored bytes by module."""
    sizes = sizes_of(blobs)
    shown = {module: round(size / 1e6, 2) for module, size in sizes.items()}
    print("MB:", shown, f"all {sum(sizes.values()) / 1e6:.2f}")


def write_model(
    model: Mplug2,
    vocabulary: list[str],
    out: Path,
    identity: dict,
    forms: Forms = Forms(),
    quality: dict | None = None,
    taps: bool = False,
    parameters: Parameters | None = None,
    source: object | None = None,
) -> Written:
    """Writes everything but the card, and checks the graphs natively against PyTorch; with `taps`, tapped ones too.

    `parameters` fills an empty model a module at a time; None where it is whole. `source` tells the checkpoint apart from
    others (as JSON): with it, an export that ended half-way goes on. An earlier model stays until the new one is whole.
    """
    config = model.config
    forms.check(modules_of(config), config.vision.stem)
    key = source and [source, asdict(config), vocabulary, forms.listed(), taps]
    stage = Stage(out, key)
    checker = Checker.begin(model, vocabulary, forms)
    done = write_modules(model, parameters or InMemory(), checker, stage, forms, taps)
    print_sizes(done.blobs)
    folder = stage.folder
    if taps:
        (folder / "taps.json").write_bytes(compact({"graphs": done.taps}) + b"\n")
    goldens = goldens_of(checker, done, vocabulary)
    manifest = {
        "format": "owlet-model",
        "version": 1,
        **identity,
        "family": config.family,
        "card": "README.md",
        "tokenizer": tokenizer_files(folder, vocabulary),
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
        "blobs": done.blobs,
        "tensors": done.tensors,
        "graphs": done.graphs,
        "tasks": tasks_of(config, labels_file(folder, config)),
        **({"quality": quality} if quality else {}),
        "goldens": write_file(folder, "goldens.json", compact(goldens)),
    }
    stage.publish(compact(manifest) + b"\n")
    return done
