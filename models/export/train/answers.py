"""A question with its answers, and the form in which answers are compared and learnt."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass

_ARTICLES = {"a", "an", "the"}
_DIGITS = {
    word: str(number) for number, word in enumerate("zero one two three four five six seven eight nine ten".split())
} | {"none": "0"}
_PUNCTUATION = re.compile(r"[;/\[\]\"{}()=+\\_\-><@`,?!]")


@dataclass(frozen=True)
class Question:
    """One question about one photo; texts are clean."""

    image: str
    question: str
    answers: tuple[str, ...]
    """Each person's answer (ten in VQA v2, one in DAQUAR); for a made question, each caption's."""
    answer: str
    """The commonest of `answers`."""
    dataset: str
    answer_type: str
    """`yes/no`, `number` or `other`."""
    made: bool
    kind: str = "asked"
    """What rule made it; `asked` for people's questions."""


def fold_answer(text: str) -> str:
    """The form in which VQA's official evaluation compares answers, and the one that is trained on.

    Lower case; punctuation becomes a space, or nothing where a space is beside it; no articles; numbers up to ten as
    digits. So DAQUAR's `garbage_bin` is `garbage bin` and its list `box, bag` is `box bag`.
    """
    text = " ".join(text.lower().replace("’", "'").split())
    for mark in set(_PUNCTUATION.findall(text)):
        beside = f"{mark} " in f"{text} " or f" {mark}" in f" {text}" or re.search(r"\d,\d", text)
        text = text.replace(mark, "" if beside else " ")
    text = re.sub(r"\.(?!\d)", "", text)
    return " ".join(_DIGITS.get(word, word) for word in text.split() if word not in _ARTICLES)


def draw_answer(question: Question, rng: random.Random) -> str:
    """An answer to train on, as likely as people gave it; an answer of one person only where no two agree."""
    counts = Counter(question.answers)
    least = 2 if max(counts.values()) >= 2 else 1
    kept = [(answer, count) for answer, count in counts.items() if count >= least]
    return rng.choices([a for a, _ in kept], [c for _, c in kept])[0]
