"""Writes the questions made by rule, so that people can read them; training makes the same ones by itself."""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from .data import captioned_photos
from .made import made_questions
from .negatives import hard_negative


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for questions.jsonl")
    parser.add_argument("--samples", type=int, default=20)
    args = parser.parse_args()
    photos = captioned_photos(args.data)
    learnt = [p for p in photos if not p.held_out]
    questions = made_questions(photos)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"image": q.image, "question": q.question, "answer": q.answer, "answers": q.answers, "kind": q.kind}
        for q in questions
    ]
    (args.out / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{len(questions)} questions about {len(learnt)} photos")
    for kind, count in Counter(q.kind for q in questions).most_common():
        print(f"{count:7} {kind}")
    captions = {p.image: p.captions for p in learnt}
    rng = random.Random(1)
    for q in rng.sample(questions, min(args.samples, len(questions))):
        print(f"{q.question}? {q.answer} ({q.kind})   | {' / '.join(captions[q.image])}")
    for p in rng.sample(learnt, min(args.samples, len(learnt))):
        caption = rng.choice(p.captions)
        print(f"{hard_negative(caption, p.captions, rng)}   | instead of: {caption}")


if __name__ == "__main__":
    main()
