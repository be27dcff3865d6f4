"""Scores captions against what people wrote: CIDEr-D and BLEU with 95 % intervals, beside baselines.

    python -m evaluate.captions --data DIR --predictions F.jsonl [--json OUT] [--meteor]

A predictions line is ``{"media": "flickr8k/NAME.webp" or "NAME.webp", "text": "..."}``; one with ``error`` is
counted and stands as an empty sentence. The document frequency is that of the photos evaluated, also
while resampling. `people` is the mean over the references of one against the others (of the same photo);
the blind baselines see no photo: the most common training caption for every photo, and the predictions
dealt out to the photos at random.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from train.data import CaptionedPhoto, captioned_photos

from .bleu import bleu, bleu_statistics
from .bootstrap import SEED, Estimate, interval, resamples
from .cider import CiderD, N
from .meteor import meteor
from .tokenize import tokenize

Sentence = list[str]


@dataclass(frozen=True)
class Report:
    """Every figure of one predictions file; shares are of the photos, lengths in tokens."""

    photos: int
    errors: int
    photos_trained_on: int
    held_out_without_prediction: int
    cider_d: Estimate
    bleu: list[Estimate]
    distinct_share: float
    most_frequent_share: float
    most_frequent: str
    mean_length: float
    mean_reference_length: float
    people_cider_d: float
    people_bleu_4: float
    common_caption: str
    common_cider_d: float
    common_bleu_4: float
    shuffled_cider_d: float
    shuffled_bleu_4: float
    meteor: Estimate | None
    people_meteor: float | None
    common_meteor: float | None
    shuffled_meteor: float | None


@dataclass(frozen=True)
class Prediction:
    """One line of a predictions file, its photo found."""

    photo: CaptionedPhoto
    text: str
    failed: bool


def read_predictions(path: Path, photos: list[CaptionedPhoto]) -> list[Prediction]:
    """Reads a predictions file; ValueError for a photo unknown, ambiguous by its name alone, or given twice."""
    by_name: dict[str, list[CaptionedPhoto]] = {}
    for photo in photos:
        by_name.setdefault(photo.image, []).append(photo)
        by_name.setdefault(photo.image.rsplit("/", 1)[-1], []).append(photo)
    predictions: list[Prediction] = []
    seen: set[str] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        row = json.loads(line)
        found = by_name.get(row["media"], [])
        if len(found) != 1:
            raise ValueError(f"{path}:{number}: {len(found)} photos with captions are named {row['media']}")
        if found[0].image in seen:
            raise ValueError(f"{path}:{number}: {row['media']} has a line already")
        seen.add(found[0].image)
        failed = "error" in row
        predictions.append(Prediction(found[0], "" if failed else row["text"], failed))
    if not predictions:
        raise ValueError(f"{path}: no predictions")
    return predictions


def people(references: list[list[Sentence]]) -> tuple[float, float]:
    """CIDEr-D and BLEU-4 of each reference against the others of its photo, averaged over the references."""
    rounds = min(len(sentences) for sentences in references)
    if rounds < 2:
        return float("nan"), float("nan")
    cider: list[float] = []
    bleu_4: list[float] = []
    for k in range(rounds):
        held = [sentences[k] for sentences in references]
        others = [sentences[:k] + sentences[k + 1 :] for sentences in references]
        cider.append(float(np.mean(CiderD(others).scores(held))))
        bleu_4.append(float(bleu(bleu_statistics(held, others).sum(0))[-1]))
    return float(np.mean(cider)), float(np.mean(bleu_4))


def people_meteor(references: list[list[Sentence]]) -> float:
    """METEOR of each photo's first reference against its others: of all five in turn it would take minutes."""
    return meteor([sentences[0] for sentences in references], [sentences[1:] for sentences in references]).value


def most_common_caption(photos: list[CaptionedPhoto]) -> Sentence:
    """The sentence written most often about photos that are trained on; the first one on a tie."""
    counts = Counter(tuple(tokenize(c)) for p in photos if not p.held_out for c in p.captions)
    return list(counts.most_common(1)[0][0]) if counts else []


def evaluate(predictions: list[Prediction], photos: list[CaptionedPhoto], with_meteor: bool = False) -> Report:
    """Computes every figure; `photos` is everything in the data folder. METEOR needs Java and pycocoevalcap."""
    candidates = [tokenize(p.text) for p in predictions]
    references = [[tokenize(c) for c in p.photo.captions] for p in predictions]
    count = len(candidates)

    scorer = CiderD(references)
    scores = np.array(scorer.scores(candidates))
    statistics = bleu_statistics(candidates, references)
    draws = resamples(count)
    cider_draws = draws @ scores / count
    bleu_draws = bleu(draws @ statistics)
    values = bleu(statistics.sum(0))

    shuffled = candidates.copy()
    random.Random(SEED).shuffle(shuffled)
    common = most_common_caption(photos)
    people_cider, people_bleu = people(references)
    frequent, times = Counter(" ".join(c) for c in candidates).most_common(1)[0]
    evaluated = {p.photo.image for p in predictions}
    datasets = {p.photo.dataset for p in predictions}
    return Report(
        photos=count,
        errors=sum(p.failed for p in predictions),
        photos_trained_on=sum(not p.photo.held_out for p in predictions),
        held_out_without_prediction=sum(
            p.held_out and p.dataset in datasets and p.image not in evaluated for p in photos
        ),
        cider_d=Estimate(float(scores.mean()), *interval(cider_draws)),
        bleu=[Estimate(float(values[n]), *interval(bleu_draws[:, n])) for n in range(N)],
        distinct_share=len({tuple(c) for c in candidates}) / count,
        most_frequent_share=times / count,
        most_frequent=frequent,
        mean_length=float(np.mean([len(c) for c in candidates])),
        mean_reference_length=float(np.mean([len(s) for sentences in references for s in sentences])),
        people_cider_d=people_cider,
        people_bleu_4=people_bleu,
        common_caption=" ".join(common),
        common_cider_d=float(np.mean(scorer.scores([common] * count))),
        common_bleu_4=float(bleu(bleu_statistics([common] * count, references).sum(0))[-1]),
        shuffled_cider_d=float(np.mean(scorer.scores(shuffled))),
        shuffled_bleu_4=float(bleu(bleu_statistics(shuffled, references).sum(0))[-1]),
        meteor=meteor(candidates, references) if with_meteor else None,
        people_meteor=people_meteor(references) if with_meteor else None,
        common_meteor=meteor([common] * count, references).value if with_meteor else None,
        shuffled_meteor=meteor(shuffled, references).value if with_meteor else None,
    )


def lines(report: Report) -> list[str]:
    """The report as text."""
    rows = [
        ("photos", f"{report.photos} ({report.errors} with errors)"),
        ("of them trained on", str(report.photos_trained_on)),
        ("held out, not predicted", str(report.held_out_without_prediction)),
        ("CIDEr-D", str(report.cider_d)),
        *((f"BLEU-{n}", str(estimate)) for n, estimate in enumerate(report.bleu, 1)),
        *([("METEOR", str(report.meteor))] if report.meteor else []),
        ("distinct sentences", f"{report.distinct_share:.1%}"),
        ("most frequent sentence", f"{report.most_frequent_share:.1%} ({report.most_frequent!r})"),
        ("mean length", f"{report.mean_length:.2f} tokens (people {report.mean_reference_length:.2f})"),
        ("people among themselves", f"CIDEr-D {report.people_cider_d:.4f}, BLEU-4 {report.people_bleu_4:.4f}"),
        (
            "most common caption",
            f"CIDEr-D {report.common_cider_d:.4f}, BLEU-4 {report.common_bleu_4:.4f} ({report.common_caption!r})",
        ),
        ("predictions shuffled", f"CIDEr-D {report.shuffled_cider_d:.4f}, BLEU-4 {report.shuffled_bleu_4:.4f}"),
    ]
    return [f"{name:<25}{value}" for name, value in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description="Scores captions: CIDEr-D and BLEU, beside baselines.")
    parser.add_argument("--data", type=Path, required=True, help="folder with captions.jsonl")
    parser.add_argument("--predictions", type=Path, required=True, help="JSON lines with media and text")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--meteor", action="store_true", help="also METEOR, by Java and the package pycocoevalcap")
    args = parser.parse_args()
    photos = captioned_photos(args.data)
    report = evaluate(read_predictions(args.predictions, photos), photos, args.meteor)
    print("\n".join(lines(report)))
    if args.json:
        args.json.write_text(json.dumps(asdict(report), indent=2) + "\n")


if __name__ == "__main__":
    main()
