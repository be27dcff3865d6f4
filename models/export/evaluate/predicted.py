"""Evaluation of a model as it runs in a browser: what `npm run predict` is to be asked, and its results read.

    python -m evaluate.predicted --data DIR --out DIR

writes photos and questions below DIR and prints the commands that run them; then

    python -m evaluate.everything --data DIR --predicted DIR --model DIR --out DIR

has the figures of the tasks whose results are where the printed commands put them.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from train.data import PHOTO_SETS, PhotoTars, captioned_photos
from train.questions import asked_questions

from . import match, vqa
from .predict import Said

BEAMS = 3
LABELS = "labels.json"
EVERY = "every"
HELD_OUT = "held-out"
# Results by file: the folder of photos, the task, and the file of questions where the task has one.
RUNS = {
    "captions": (HELD_OUT, f"caption --beams {BEAMS}", None),
    "answers": (EVERY, f"answer --beams {BEAMS}", "questions.jsonl"),
    "match": (EVERY, "match", "sentences.jsonl"),
    "embeddings": (f"{HELD_OUT}/flickr8k", "embed", "captions.jsonl"),
    "classes": (EVERY, "classify", None),
}


def results(folder: Path, run: str) -> Path:
    """Where a run's results lie."""
    return folder / "results" / f"{run}.jsonl"


def read_rows(path: Path) -> Iterator[dict]:
    """Lines of a results file; ValueError for one that tells of an error."""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line:
            continue
        row = json.loads(line)
        if "error" in row:
            raise ValueError(f"{path}:{number}: {row['error']['message']}")
        yield row


class PredictedSource:
    """What `npm run predict` wrote. KeyError for what it wasn't asked."""

    def __init__(self, folder: Path, model: Path) -> None:
        """model: the folder of the exported model, whose names of classes are read."""
        self.about: dict[str, object] = {"weights": "as shipped", "arithmetic": "in the browser", "search": f"beam {BEAMS}"}
        self.has_heads = True
        self._folder = folder
        labels = json.loads((model / LABELS).read_text())
        self._class_of = {label: index for index, label in enumerate(labels)}

    def _rows(self, run: str) -> Iterator[dict]:
        return read_rows(results(self._folder, run))

    def captions(self, images: Sequence[str]) -> list[Said]:
        said = {row["media"]: Said(row["text"], row["logprob"]) for row in self._rows("captions")}
        return [said[image] for image in images]

    def answers(self, images: Sequence[str], questions: Sequence[str]) -> list[Said]:
        said = {(r["media"], r["question"]): Said(r["text"], r["logprob"]) for r in self._rows("answers")}
        return [said[asked] for asked in zip(images, questions)]

    def fits(self, images: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        found = {(row["media"], row["text"]): row["probability"] for row in self._rows("match")}
        return np.array([found[pair] for pair in zip(images, texts)])

    def _embeddings(self, kind: str, wanted: Sequence[str]) -> torch.Tensor:
        vectors = {row[kind]: row["vector"] for row in self._rows("embeddings") if kind in row}
        return torch.tensor([vectors[one] for one in wanted])

    def photo_embeddings(self, images: Sequence[str]) -> torch.Tensor:
        return self._embeddings("media", [image.split("/")[-1] for image in images])

    def text_embeddings(self, texts: Sequence[str]) -> torch.Tensor:
        return self._embeddings("text", texts)

    def classes(self, images: Sequence[str]) -> dict[str, list[int]]:
        found = {row["media"]: [self._class_of[one["label"]] for one in row["labels"]] for row in self._rows("classes")}
        return {image: found[image] for image in images}


def write_lines(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """JSON lines, each once."""
    path.write_text("".join(dict.fromkeys(json.dumps(row) + "\n" for row in rows)))


def prepare(data: Path, out: Path) -> None:
    """Writes photos, as they are stored, and questions; photos of runs over fewer are links to the same files."""
    photos = captioned_photos(data)
    questions = vqa.held_out(data)
    tars = PhotoTars(data, PHOTO_SETS)
    for image in dict.fromkeys([*(p.image for p in photos), *(q.image for q in asked_questions(data))]):
        path = out / EVERY / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tars.stored(image))
    for photo in photos:
        path = out / HELD_OUT / photo.image
        if photo.held_out and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(out / EVERY / photo.image, path)
    others = vqa.other_photos(questions)
    asked = [(image, q.question) for q in questions for image in (q.image, others[q.image])]
    write_lines(out / "questions.jsonl", ({"media": image, "question": text} for image, text in asked))
    held = [p for p in photos if p.held_out and p.dataset == "flickr8k"]
    pairs = match.make_pairs(held)
    shown = [(image, p.text) for p, other in zip(pairs, match.other_photos(pairs)) for image in (p.image, other)]
    write_lines(out / "sentences.jsonl", ({"media": image, "text": text} for image, text in shown))
    write_lines(out / "captions.jsonl", ({"text": text} for p in held for text in p.captions))
    (out / "results").mkdir(exist_ok=True)


def commands(out: Path) -> list[str]:
    """The command of each run."""
    lines = []
    for run, (folder, task, questions) in RUNS.items():
        asked = "" if questions is None else f" --questions {out / questions}"
        where = f"--media {out / folder}{asked} --out {results(out, run)}"
        lines.append(f"npm run predict -- --task {task} {where} --device wasm --resume")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    out = args.out.resolve()
    prepare(args.data, out)
    print("\n".join(commands(out)))


if __name__ == "__main__":
    main()
