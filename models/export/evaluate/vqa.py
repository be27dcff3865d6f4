"""Questions about held-out photos (VQA v2, DAQUAR), beside answers by the question's beginning and by another photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from train.data import is_held_out
from train.questions import Question, asked_questions, held_out_questions

from .answers import PrefixAnswers, accuracy
from .bootstrap import mean_by_photo
from .metric import Metric
from .predict import Said


@dataclass(frozen=True)
class Answered:
    """One question, what was answered, and how right that is (0–1)."""

    question: Question
    said: Said
    right: float
    blind: str
    blind_right: float
    elsewhere: str
    """The model's answer with another photo put in."""
    elsewhere_right: float


def held_out(data: Path, limit: int | None = None) -> list[Question]:
    """People's questions about photos held out, of the first `limit` photos of each data set."""
    questions = held_out_questions(data)
    if limit is None:
        return questions
    kept: set[str] = set()
    for dataset in {q.dataset for q in questions}:
        kept |= set(sorted({q.image for q in questions if q.dataset == dataset})[:limit])
    return [q for q in questions if q.image in kept]


def other_photos(questions: Sequence[Question]) -> dict[str, str]:
    """Another photo of the same data set for each photo: the one half the list further on, in order of names."""
    others: dict[str, str] = {}
    for dataset in {q.dataset for q in questions}:
        images = sorted({q.image for q in questions if q.dataset == dataset})
        others |= {image: images[(i + len(images) // 2) % len(images)] for i, image in enumerate(images)}
    return others


def judge(
    data: Path, questions: Sequence[Question], here: Sequence[Said], elsewhere: Sequence[Said]
) -> list[Answered]:
    """How right answers are; `elsewhere` was said of the `other_photos`."""
    blind = PrefixAnswers(q for q in asked_questions(data) if not is_held_out(q.image))
    answered = []
    for question, said, other in zip(questions, here, elsewhere, strict=True):
        guess = blind.answer(question.question)
        right, guess_right, other_right = (accuracy(t, question.answers) for t in (said.text, guess, other.text))
        answered.append(Answered(question, said, right, guess, guess_right, other.text, other_right))
    return answered


def metrics(answered: Sequence[Answered]) -> list[Metric]:
    """Accuracy by kind of question, how far above the blind answer it is, and how far it falls with another photo."""
    kinds = {
        f"VQA v2 held out, {kind}": [
            a for a in answered if a.question.dataset == "vqa_v2" and kind in ("all", a.question.answer_type)
        ]
        for kind in ("yes/no", "number", "other", "all")
    }
    kinds["DAQUAR held out"] = [a for a in answered if a.question.dataset == "daquar"]
    found = []
    for split, some in kinds.items():
        if not some:
            continue
        photos = [a.question.image for a in some]
        blind = mean_by_photo([a.blind_right for a in some], photos).value
        other = mean_by_photo([a.elsewhere_right for a in some], photos).value
        right = mean_by_photo([a.right for a in some], photos)
        above = mean_by_photo([a.right - a.blind_right for a in some], photos)
        falls = mean_by_photo([a.right - a.elsewhere_right for a in some], photos)
        count = len(some)
        found.append(Metric.of("answer accuracy", split, right, count, blind, {"another photo": other}))
        found.append(Metric.of("answer accuracy above the question prefix's", split, above, count))
        found.append(Metric.of("answer accuracy lost with another photo", split, falls, count))
    return found


def prediction(answered: Answered) -> dict[str, object]:
    """A line of the predictions file."""
    question = answered.question
    return {
        "media": question.image,
        "dataset": question.dataset,
        "question": question.question,
        "answer_type": question.answer_type,
        "text": answered.said.text,
        "log_p": round(answered.said.log_p, 5),
        "accuracy": round(answered.right, 4),
        "answers": question.answers,
        "blind": answered.blind,
        "elsewhere": answered.elsewhere,
    }
