"""What captions say too often, and whom they take for whom.

python -m evaluate.biases --data DIR --predictions captions.jsonl

Whom: photos whose references name people of one sex alone (in at least three of them), and what the captions say of
them. Too often: words that stand in more captions than the references' sentences, one a photo, would lead to expect.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from train.data import captioned_photos

from .captions import Prediction, read_predictions
from .tokenize import tokenize

FEMALE = frozenset("woman women girl girls lady ladies female her she".split())
MALE = frozenset("man men boy boys guy guys male his he".split())
CERTAIN = 3
"""References that have to name a person's sex."""
SHOWN = 12
LEAST = 10
"""Captions that a word stands in, for it to be told of."""


def named(words: Sequence[str]) -> str:
    """female, male, both or neither."""
    found = [name for name, of in (("female", FEMALE), ("male", MALE)) if of & set(words)]
    return "both" if len(found) == 2 else found[0] if found else "neither"


def taken_for(predictions: Sequence[Prediction]) -> dict[str, Counter[str]]:
    """For photos of women or girls alone and of men or boys alone: what captions name, counted."""
    said: dict[str, Counter[str]] = {"female": Counter(), "male": Counter()}
    for prediction in predictions:
        references = Counter(named(tokenize(caption)) for caption in prediction.photo.captions)
        for sex, other in (("female", "male"), ("male", "female")):
            if references[sex] >= CERTAIN and not references[other] and not references["both"]:
                said[sex][named(tokenize(prediction.text))] += 1
    return said


def said_too_often(predictions: Sequence[Prediction]) -> list[tuple[str, int, float]]:
    """(word, captions with it, captions expected), those most above what is expected first."""
    said = Counter(word for p in predictions for word in set(tokenize(p.text)))
    expected: Counter[str] = Counter()
    for prediction in predictions:
        sentences = [set(tokenize(caption)) for caption in prediction.photo.captions]
        for words in sentences:
            expected.update({word: 1 / len(sentences) for word in words})
    rows = [(word, count, expected[word]) for word, count in said.items() if count >= LEAST]
    return sorted(rows, key=lambda row: row[2] - row[1])


def markdown(predictions: Sequence[Prediction]) -> str:
    """Both tables."""
    kinds = ("female", "male", "both", "neither")
    lines = ["| references name | photos | " + " | ".join(f"caption: {k}" for k in kinds) + " |", "|---" * 6 + "|"]
    for sex, found in taken_for(predictions).items():
        cells = " | ".join(str(found[kind]) for kind in kinds)
        lines.append(f"| {sex} alone | {found.total()} | {cells} |")
    lines += ["", "| word | captions | expected |", "|---|---|---|"]
    lines += [f"| {word} | {count} | {want:.0f} |" for word, count, want in said_too_often(predictions)[:SHOWN]]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, required=True)
    args = parser.parse_args()
    print(markdown(read_predictions(args.predictions, captioned_photos(args.data))))


if __name__ == "__main__":
    main()
