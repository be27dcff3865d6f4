"""What a model says about photos: captions, and answers to questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from train.generate import Hypothesis, beam_search

from .subject import SENTENCES, Subject, batches


@dataclass(frozen=True)
class Search:
    """How texts are searched for."""

    beam: int = 3
    reference: bool = False
    """mPLUG-2's own search in place of the sane one."""


@dataclass(frozen=True)
class Said:
    """A text and the log p of its tokens together."""

    text: str
    log_p: float


def _said(subject: Subject, found: list[list[Hypothesis]]) -> list[Said]:
    return [Said(subject.text(hypotheses[0].ids), hypotheses[0].log_p) for hypotheses in found]


def say_captions(subject: Subject, images: Sequence[str], search: Search) -> list[Said]:
    """The best caption of each photo that has been looked at."""
    said: list[Said] = []
    for some in batches(images, SENTENCES):
        with subject.computing():
            found = beam_search(subject.model, subject.memory(some), search.beam, reference=search.reference)
        said += _said(subject, found)
    return said


def say_answers(
    subject: Subject, images: Sequence[str], questions: Sequence[str], search: Search
) -> list[Said]:
    """The best answer to the question at each place about the photo at that place."""
    said: dict[int, Said] = {}
    # Questions of like lengths go together, so that little is computed for padding.
    for some in batches(sorted(range(len(questions)), key=lambda i: len(questions[i])), SENTENCES):
        with subject.computing():
            memory = subject.memory([images[i] for i in some])
            hidden, mask = subject.encode([questions[i] for i in some])
            fused = subject.model.fusion(hidden, memory, mask)
            found = beam_search(
                subject.model,
                torch.cat([memory.to(fused.dtype), fused], 1),
                search.beam,
                min_length=1,
                max_length=10,
                mask=torch.cat([mask.new_ones(memory.shape[:2]), mask], 1),
                reference=search.reference,
            )
        said |= dict(zip(some, _said(subject, found)))
    return [said[i] for i in range(len(questions))]
