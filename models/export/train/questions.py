"""Questions about photos: those people asked (VQA v2, DAQUAR) and those made by rule from captions.

A photo of `vqa.jsonl` is held out exactly when `is_held_out(image)`; made questions come from captions of photos that
are trained on. Questions are cleaned as the family does (`clean_caption`, no [SEP] behind); answers are put into the
form that VQA's official evaluation compares (`fold_answer`).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from .answers import Question, draw_answer, fold_answer
from .data import CaptionedPhoto, is_held_out
from .made import made_questions
from .text import clean_caption

__all__ = ["Question", "asked_questions", "draw_answer", "fold_answer", "held_out_questions", "training_questions"]


def asked_questions(data: Path) -> list[Question]:
    """Every question of `vqa.jsonl` in its own order, held out or not."""
    questions = []
    for line in (data / "vqa.jsonl").read_text().splitlines():
        row = json.loads(line)
        answers = tuple(filter(None, map(fold_answer, row["answers"])))
        text = clean_caption(row["question"])
        if answers and text:
            kind = row["answer_type"]
            if row["dataset"] == "daquar" and row["answer"].isdigit():
                kind = "number"
            # People's own choice of the best answer where it is one of the commonest, else the first of those.
            counts = Counter(answers)
            chosen = fold_answer(row["answer"])
            best = chosen if counts[chosen] == max(counts.values()) else counts.most_common(1)[0][0]
            questions.append(Question(row["image"], text, answers, best, row["dataset"], kind, False))
    return questions


def held_out_questions(data: Path) -> list[Question]:
    """Questions people asked about photos held out: for evaluation alone."""
    return [q for q in asked_questions(data) if is_held_out(q.image)]


def training_questions(data: Path, photos: list[CaptionedPhoto]) -> list[Question]:
    """All questions that may be trained on: people's, then those made from the captions of `photos` not held out."""
    return [q for q in asked_questions(data) if not is_held_out(q.image)] + made_questions(photos)
