"""What one step of training is about: photos, and the sentences that each task says of them.

Everything random follows from the seed and the step's number alone.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch

from .augment import may_mirror
from .data import CaptionedPhoto, captioned_photos, held_out_sentences
from .free_texts import free_text_groups
from .negatives import hard_negative
from .questions import Question, draw_answer, training_questions
from .targets import MAX_TOKENS, caption_ids, draw, draw_captions, pad
from .text import clean_caption, load_tokenizer

MAX_QUESTION_TOKENS = 30
MASKED = 0.15


@dataclass(frozen=True)
class Amounts:
    """How much of everything a step has."""

    captioned: int = 24
    """photos with captions"""
    captions: int = 3
    """of each, for the decoder"""
    compared: int = 2
    """of each, for the contrastive loss; the first also for matching"""
    asked: int = 8
    """photos with questions that people asked"""
    questions: int = 3
    """of each, at most"""
    made: int = 1
    """questions made from captions, about each captioned photo"""
    free: int = 16
    """sentences without a photo"""


@dataclass(frozen=True)
class Asked:
    """Questions S×L ([CLS] …), the photo (row of the batch) of each, and answers S×L' ([CLS] … [SEP])."""

    ids: torch.Tensor
    owner: torch.Tensor
    answers: torch.Tensor


@dataclass(frozen=True)
class Batch:
    """Captioned photos come first. Ids are int64, zeros behind; sentences for the text encoder have no [SEP]."""

    photos: list[str]
    mirrored: list[bool]
    """whether the texts about a photo stay true in its mirror image"""
    captioned: int
    keys: torch.Tensor
    """tells a captioned photo from every other, in all batches"""
    captions: torch.Tensor
    compared: torch.Tensor
    wrong: torch.Tensor
    wrong_owner: torch.Tensor
    asked: Asked
    source: torch.Tensor
    """sentences without a photo, some pieces masked …"""
    target: torch.Tensor
    """… and what the decoder makes of them: another sentence about the same photo"""


class Mixture:
    """Draws batches from everything that may be learnt from."""

    def __init__(self, data: Path, vocabulary: list[str], amounts: Amounts, seed: int) -> None:
        photos = captioned_photos(data)
        self.learnt = [p for p in photos if not p.held_out]
        self.amounts = amounts
        self.seed = seed
        self._tokenizer = load_tokenizer(vocabulary)
        self._start, self._end, self._mask = (vocabulary.index(t) for t in ("[CLS]", "[SEP]", "[MASK]"))
        self._targets = caption_ids(self.learnt, vocabulary)
        said: dict[str, list[str]] = {p.image: list(p.captions) for p in self.learnt}
        made: dict[str, list[Question]] = defaultdict(list)
        asked: dict[str, list[Question]] = defaultdict(list)
        for question in training_questions(data, photos):
            (made if question.made else asked)[question.image].append(question)
            said.setdefault(question.image, []).append(question.question)
        self._mirrored = {image: may_mirror(tuple(texts)) for image, texts in said.items()}
        self._made, self._asked = dict(made), list(asked.items())
        self._free = [g for g in free_text_groups(data, held_out_sentences(photos)) if len(g) > 1]

    @property
    def per_epoch(self) -> int:
        """Steps in which every captioned photo comes once."""
        return len(self.learnt) // self.amounts.captioned

    def source(self, text: str, longest: int = MAX_QUESTION_TOKENS) -> list[int]:
        """What the text encoder reads: [CLS] and the pieces, at most `longest` ids."""
        return [self._start, *self._tokenizer.encode(clean_caption(text), add_special_tokens=False).ids[: longest - 1]]

    def target(self, text: str) -> list[int]:
        """What the decoder is to say: [CLS], the pieces, [SEP]."""
        return [*self.source(text, MAX_TOKENS - 1), self._end]

    def _questions(self, photos: list[list[Question]], limits: list[int], rng: random.Random) -> Asked:
        rows: list[tuple[list[int], int, list[int]]] = []
        for owner, (questions, limit) in enumerate(zip(photos, limits)):
            for q in rng.sample(questions, min(limit, len(questions))):
                rows.append((self.source(q.question), owner, self.target(draw_answer(q, rng))))
        return Asked(pad([r[0] for r in rows]), torch.tensor([r[1] for r in rows]), pad([r[2] for r in rows]))

    def _wrong(self, photos: list[CaptionedPhoto], rng: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
        made = [(i, hard_negative(rng.choice(p.captions), p.captions, rng)) for i, p in enumerate(photos)]
        found = [(i, text) for i, text in made if text is not None] or [(0, "")]
        return pad([self.source(text, MAX_TOKENS) for _, text in found]), torch.tensor([i for i, _ in found])

    def _paraphrases(self, rng: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
        pairs = [rng.sample(rng.choice(self._free), 2) for _ in range(self.amounts.free)]
        sources = [self.source(a, MAX_TOKENS) for a, _ in pairs]
        masked = [[row[0], *(self._mask if rng.random() < MASKED else i for i in row[1:])] for row in sources]
        return pad(masked), pad([self.target(b) for _, b in pairs])

    def batch(self, step: int) -> Batch:
        """The batch of a step."""
        amounts = self.amounts
        drawn, rng = draw(step, len(self.learnt), amounts.captioned, self.seed)
        asked, _ = draw(step, len(self._asked), amounts.asked, self.seed + 1)
        photos = [self.learnt[i] for i in drawn]
        compared = [rng.sample(p.captions, min(amounts.compared, len(p.captions))) for p in photos]
        wrong, wrong_owner = self._wrong(photos, rng)
        questions = [self._made.get(p.image, []) for p in photos] + [self._asked[i][1] for i in asked]
        limits = [amounts.made] * len(photos) + [amounts.questions] * len(asked)
        source, target = self._paraphrases(rng)
        images = [p.image for p in photos] + [self._asked[i][0] for i in asked]
        return Batch(
            photos=images,
            mirrored=[self._mirrored[image] for image in images],
            captioned=len(photos),
            keys=torch.tensor(drawn),
            captions=draw_captions(self._targets, drawn, amounts.captions, rng),
            compared=pad([self.source(c, MAX_TOKENS) for row in compared for c in row]),
            wrong=wrong,
            wrong_owner=wrong_owner,
            asked=self._questions(questions, limits, rng),
            source=source,
            target=target,
        )
