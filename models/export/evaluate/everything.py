"""All figures with intervals and blind ones: captions, answers, match, retrieval, classes.

python -m evaluate.everything --data DIR --checkpoint DIR --out DIR [--dequantised [FORM]] [--tasks captions …]
python -m evaluate.everything --data DIR --predicted DIR --model DIR --out DIR [--tasks captions …]

Of a checkpoint in PyTorch, or of an exported model by what `npm run predict` wrote (`evaluate.predicted` says what to
ask it). Writes report.json (`metrics`, `calibration`, `captions`, `skipped`), report.md and each task's predictions as
JSON lines. With --dequantised the weights are what a form stores (int8, as shipped, where none is named); activations
stay float32.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from export.quantisation import quantise_model
from export.stored_forms import DEVICES
from train.checkpoint import load_model
from train.data import PHOTO_SETS, CaptionedPhoto, PhotoTars, captioned_photos, is_held_out
from train.questions import asked_questions

from . import calibration, captions, classify, match, meteor, metric, retrieval, vqa
from .bootstrap import Estimate
from .calibration import Calibration, calibrate
from .captions import Prediction
from .metric import Metric
from .predict import Search
from .predicted import PredictedSource
from .source import Source, TorchSource
from .subject import Subject

TASKS = ("captions", "answers", "match", "retrieval", "classes")
NEEDS_HEADS = ("match", "retrieval", "classes")


@dataclass
class Report:
    """What is written to report.json."""

    about: dict[str, object]
    metrics: list[Metric] = field(default_factory=list)
    calibration: list[Calibration] = field(default_factory=list)
    captions: dict[str, captions.Report] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """Everything but the details of captions."""
        parts = [", ".join(f"{name} {value}" for name, value in self.about.items()), metric.markdown(self.metrics)]
        parts += [calibration.markdown(found) for found in self.calibration]
        parts += [f"{task} skipped: {reason}\n" for task, reason in self.skipped.items()]
        return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


class Evaluation:
    """One source, one data folder, one output folder; each task adds to the report."""

    def __init__(self, source: Source, args: argparse.Namespace) -> None:
        self.source = source
        self.data: Path = args.data
        self.out: Path = args.out
        self.limit: int | None = args.limit
        self.with_meteor: bool = args.meteor
        self.photos = captioned_photos(args.data)
        self.report = Report(source.about | ({"photos at most": self.limit} if self.limit else {}))

    def held_out(self, dataset: str) -> list[CaptionedPhoto]:
        """Captioned photos held out, the first `limit` of them."""
        return [p for p in self.photos if p.held_out and p.dataset == dataset][: self.limit]

    def write(self, name: str, rows: Iterable[dict[str, object]]) -> None:
        """Writes predictions."""
        (self.out / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def captions(self) -> None:
        """CIDEr-D, BLEU-4 and METEOR on both sets."""
        if self.with_meteor and (lacks := meteor.missing()):
            self.report.skipped["METEOR"] = lacks
            self.with_meteor = False
        for dataset, split in (("flickr8k", "Flickr8k val"), ("coco", "COCO held out")):
            photos = self.held_out(dataset)
            if len(photos) < 2:
                self.report.skipped[f"captions, {split}"] = "there are fewer than two photos"
                continue
            images = [p.image for p in photos]
            said = self.source.captions(images)
            self.write(
                f"captions-{dataset}.jsonl",
                ({"media": p.image, "text": s.text, "log_p": round(s.log_p, 5)} for p, s in zip(photos, said)),
            )
            predictions = [Prediction(p, s.text, False) for p, s in zip(photos, said)]
            found = captions.evaluate(predictions, self.photos, self.with_meteor)
            self.report.captions[split] = found
            self.report.metrics += caption_metrics(found, split)

    def answers(self) -> None:
        """VQA accuracy and how far the answers' probabilities can be believed."""
        questions = vqa.held_out(self.data, self.limit)
        others = vqa.other_photos(questions)
        texts = [q.question for q in questions]
        here = self.source.answers([q.image for q in questions], texts)
        elsewhere = self.source.answers([others[q.image] for q in questions], texts)
        answered = vqa.judge(self.data, questions, here, elsewhere)
        self.write("answers.jsonl", map(vqa.prediction, answered))
        self.report.metrics += vqa.metrics(answered)
        for dataset, split in (("vqa_v2", "answers, VQA v2 held out"), ("daquar", "answers, DAQUAR held out")):
            some = [a for a in answered if a.question.dataset == dataset]
            if some:
                stated, right = np.exp([a.said.log_p for a in some]), np.array([a.right for a in some])
                images = [a.question.image for a in some]
                self.report.calibration.append(calibrate(split, stated, right, images))

    def match(self) -> None:
        """Accuracy of the two-way head and how far its probability can be believed."""
        pairs = match.make_pairs(self.held_out("flickr8k"))
        if not pairs:
            self.report.skipped["match"] = "no caption could be changed by rule"
            return
        images, texts = [p.image for p in pairs], [p.text for p in pairs]
        here = self.source.fits(images, texts)
        elsewhere = self.source.fits(match.other_photos(pairs), texts)
        rows = zip(pairs, here, elsewhere)
        self.write(
            "match.jsonl",
            (
                {"media": p.image, "text": p.text, "kind": p.kind, "fits": round(h, 5), "elsewhere": round(e, 5)}
                for p, h, e in rows
            ),
        )
        self.report.metrics += match.metrics(pairs, here, elsewhere)
        fits = np.array([float(p.fits) for p in pairs])
        self.report.calibration.append(calibrate("match, Flickr8k val", here, fits, images))

    def retrieval(self) -> None:
        """Recall between photos and sentences and among sentences."""
        photos = self.held_out("flickr8k")
        visual = self.source.photo_embeddings([p.image for p in photos])
        text = self.source.text_embeddings([caption for p in photos for caption in p.captions])
        self.report.metrics += retrieval.metrics(photos, visual, text)

    def classes(self) -> None:
        """Agreement with the original network."""
        held = {p.image for p in self.photos if p.held_out}
        by_set: dict[str, list[str]] = {}
        questions = [q.image for q in asked_questions(self.data)]
        held |= {image for image in questions if is_held_out(image)}
        for image in dict.fromkeys([*(p.image for p in self.photos), *questions]):
            by_set.setdefault(image.split("/")[0], []).append(image)
        images = [image for some in by_set.values() for image in some[: self.limit]]
        original = classify.original_classes(self.data, images, self.out / "original-classes.json")
        ours = self.source.classes(images)
        self.write("classes.jsonl", ({"media": i, "classes": ours[i], "original": original[i]} for i in images))
        self.report.metrics += classify.metrics(ours, original, held)

    def run(self, tasks: Sequence[str]) -> Report:
        """Runs the tasks and writes the report after each."""
        self.out.mkdir(parents=True, exist_ok=True)
        for task in TASKS:
            if task not in tasks:
                continue
            if task in NEEDS_HEADS and not self.source.has_heads:
                self.report.skipped[task] = "the checkpoint has no heads"
            else:
                getattr(self, task)()
            plain = asdict(self.report) | {"metrics": [m.plain() for m in self.report.metrics]}
            (self.out / "report.json").write_text(json.dumps(plain, indent=1) + "\n")
            (self.out / "report.md").write_text(self.report.markdown())
        return self.report


def caption_metrics(found: captions.Report, split: str) -> list[Metric]:
    """The figures that the table shows; blind is the most common training caption."""
    rows: list[tuple[str, Estimate, float | None, dict[str, float]]] = [
        (
            "CIDEr-D",
            found.cider_d,
            found.common_cider_d,
            {"another photo's": found.shuffled_cider_d, "people": found.people_cider_d},
        ),
        (
            "BLEU-4",
            found.bleu[3],
            found.common_bleu_4,
            {"another photo's": found.shuffled_bleu_4, "people": found.people_bleu_4},
        ),
    ]
    if found.meteor:
        beside = {"another photo's": found.shuffled_meteor, "people": found.people_meteor}
        rows.append(("METEOR", found.meteor, found.common_meteor, beside))
    return [Metric.of(name, split, estimate, found.photos, blind, beside) for name, estimate, blind, beside in rows]


def torch_source(args: argparse.Namespace) -> TorchSource:
    """The checkpoint that was asked for, in the form that was asked for."""
    model, vocabulary = load_model(args.checkpoint)
    if args.dequantised:
        quantise_model(model, args.dequantised, args.modules)
    about = {
        "weights": " ".join([args.dequantised or "as trained", *(args.modules or [])]),
        "arithmetic": "bfloat16" if args.bfloat16 else "float32",
        "search": f"beam {args.beam}{', reference' if args.reference else ''}",
    }
    tars = PhotoTars(args.data, PHOTO_SETS)
    return TorchSource(Subject(model, vocabulary, args.bfloat16), tars, Search(args.beam, args.reference), about)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    of = parser.add_mutually_exclusive_group(required=True)
    of.add_argument("--checkpoint", type=Path)
    of.add_argument("--predicted", type=Path, help="what evaluate.predicted wrote, with the results of its commands")
    parser.add_argument("--model", type=Path, help="with --predicted: the exported model that was asked")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--dequantised", nargs="?", choices=list(DEVICES), const="int8", help="with the weights a form stores")
    parser.add_argument("--modules", nargs="+", help="which modules take that form; default: all")
    parser.add_argument("--beam", type=int, default=3)
    parser.add_argument("--reference", action="store_true", help="mPLUG-2's own search")
    parser.add_argument("--meteor", action="store_true", help="where Java and pycocoevalcap are found")
    parser.add_argument("--limit", type=int, help="photos of each data set, for a quick look")
    parser.add_argument("--bfloat16", action="store_true", help="under autocast, for a quick look")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    if args.predicted and not args.model:
        parser.error("--predicted needs --model")
    torch.set_num_threads(args.threads)
    source = PredictedSource(args.predicted, args.model) if args.predicted else torch_source(args)
    print(Evaluation(source, args).run(args.tasks).markdown())


if __name__ == "__main__":
    main()
