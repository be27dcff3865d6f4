"""What captions are trained on: texts that may be learnt from, their ids, and the loss."""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch

from mplug2.bert import Memory
from mplug2.model import Mplug2

from .data import CaptionedPhoto, free_sentences, held_out_sentences, is_held_out
from .objectives import next_token_loss
from .text import clean_caption, load_tokenizer

MAX_TOKENS = 24


def training_texts(data: Path, photos: list[CaptionedPhoto]) -> list[str]:
    """Every text that may be learnt from: captions and questions of photos not held out, and the free sentences."""
    texts = [c for p in photos if not p.held_out for c in p.captions]
    texts += free_sentences(data, held_out_sentences(photos))
    for line in (data / "vqa.jsonl").read_text().splitlines():
        row = json.loads(line)
        if not is_held_out(row["image"]):
            texts += [row["question"], row["answer"]]
    return [clean_caption(t) for t in texts]


def caption_ids(photos: list[CaptionedPhoto], vocabulary: list[str]) -> list[list[list[int]]]:
    """[CLS] … [SEP] ids of every caption, photo by photo, cut to MAX_TOKENS."""
    tokenizer = load_tokenizer(vocabulary)
    start, end = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    return [
        [
            [start, *e.ids[: MAX_TOKENS - 2], end]
            for e in tokenizer.encode_batch([clean_caption(c) for c in p.captions], add_special_tokens=False)
        ]
        for p in photos
    ]


def draw(step: int, of: int, photos: int, seed: int) -> tuple[list[int], random.Random]:
    """Which of `of` photos a step is about, each once an epoch, and what decides the rest of its chances.

    Both follow from the seed and the step alone, so that a resumed run sees what an unbroken one would.
    """
    epoch, within = divmod(step, of // photos)
    order = random.Random(f"{seed}/{epoch}").sample(range(of), of)
    return order[within * photos : (within + 1) * photos], random.Random(f"{seed}/{epoch}/{within}")


def draw_captions(ids: list[list[list[int]]], drawn: list[int], captions: int, rng: random.Random) -> torch.Tensor:
    """At most `captions` sentences of each drawn photo, side by side, padded."""
    return pad([t for i in drawn for t in rng.sample(ids[i], min(captions, len(ids[i])))])


def pad(rows: list[list[int]]) -> torch.Tensor:
    """B×L int64, zeros behind."""
    length = max(map(len, rows))
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def caption_loss(model: Mplug2, cells: torch.Tensor, ids: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Cross-entropy of the next token. cells P×T×HW×C; ids (P·captions)×L, a photo's captions side by side."""
    memory = model.universal(model.vision(cells))
    owner = torch.arange(len(memory)).repeat_interleave(len(ids) // len(memory))
    return next_token_loss(model, ids, Memory(memory, owner), smoothing)
