"""The synthetic clips that are trained on, by number: their frames, and what is said and asked of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .clips import KINDS, Clip, clip_captions, clip_questions, make_clip
from .data import CaptionedPhoto, PhotoTars
from .scene import main_subject

CLIPS = 1200
FRAMES = 4


@dataclass(frozen=True)
class ClipTexts:
    """One clip, sentences about it, and (question, answer) pairs."""

    clip: Clip
    captions: tuple[str, ...]
    questions: list[tuple[str, str]]

    def as_json(self) -> dict[str, object]:
        """Its texts."""
        return {"kind": self.clip.kind, "captions": self.captions, "questions": self.questions}


def make_texts(number: int, learnt: list[CaptionedPhoto], tars: PhotoTars, size: int) -> ClipTexts:
    """Clip `number` of photos that are trained on; the same number gives the same clip."""
    rng = random.Random(f"clip {number}")
    # A third are cuts: they alone tell what comes first.
    kind = rng.choice((*KINDS, "cut", "cut", "cut"))
    photos = rng.sample(learnt, 2 if kind == "cut" else 1)
    clip = make_clip([tars.open(p.image) for p in photos], kind, FRAMES, size, rng)
    questions = clip_questions(clip, [main_subject(p.captions) for p in photos], rng)
    return ClipTexts(clip, clip_captions(clip, [p.captions for p in photos]), questions)
