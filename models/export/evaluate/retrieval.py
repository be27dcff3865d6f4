"""Recall in the space that photos and sentences share, and of sentences among sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from train.data import CaptionedPhoto

from .bootstrap import mean_by_photo
from .metric import Metric
from .minilm import MiniLm
from .subject import SENTENCES, Subject, batches

KS = (1, 5, 10)


def embed_texts(subject: Subject, texts: Sequence[str]) -> torch.Tensor:
    """S×W of length 1."""
    found = []
    for some in batches(texts, SENTENCES):
        with subject.computing():
            found.append(subject.model.embed_text(*subject.encode(some)).float())
    return torch.cat(found)


def embed_photos(subject: Subject, images: Sequence[str]) -> torch.Tensor:
    """P×W of length 1, of photos that have been looked at."""
    found = []
    for some in batches(images, SENTENCES):
        with subject.computing():
            found.append(subject.model.embed_visual(subject.memory(some)).float())
    return torch.cat(found)


def ranks(likeness: torch.Tensor, right: torch.Tensor) -> np.ndarray:
    """For each row of likeness Q×C, how many wrong candidates are at least as like as its best right one;
    `right` Q×C is true where a candidate is right."""
    best = likeness.masked_fill(~right, -torch.inf).amax(1, keepdim=True)
    return ((likeness >= best) & ~right).sum(1).numpy()


def share_of_others_found(embeddings: torch.Tensor, owners: torch.Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row of S×W: which share of its owner's other rows is among the k rows most like it (itself aside), and
    whether any is."""
    shares = []
    for first in range(0, len(embeddings), SENTENCES):
        rows = torch.arange(first, min(first + SENTENCES, len(embeddings)))
        likeness = embeddings[rows] @ embeddings.T
        likeness[torch.arange(len(rows)), rows] = -torch.inf
        same = owners[likeness.topk(min(k, len(embeddings) - 1), 1).indices] == owners[rows, None]
        shares.append(same.sum(1) / ((owners[rows, None] == owners).sum(1) - 1))
    share = torch.cat(shares).double().numpy()
    return share, (share > 0).astype(np.float64)


def chance(candidates: int, right: int, k: int) -> float:
    """How often k of `candidates` drawn at random hold one of `right`."""
    k = min(k, candidates)
    return 1 - math.comb(candidates - right, k) / math.comb(candidates, k)


def metrics(photos: Sequence[CaptionedPhoto], visual: torch.Tensor, text: torch.Tensor) -> list[Metric]:
    """Text → photo, photo → text, text → text; `visual` P×W of the photos, `text` S×W of all their captions in turn."""
    images = [p.image for p in photos]
    texts = [caption for p in photos for caption in p.captions]
    owners = torch.tensor([row for row, p in enumerate(photos) for _ in p.captions])
    named = [images[owner] for owner in owners]
    likeness, right = text @ visual.T, owners[:, None] == torch.arange(len(images))
    split = f"Flickr8k val, {len(images)} photos, {len(texts)} captions"
    found = []
    to_photo, to_text = ranks(likeness, right), ranks(likeness.T, right.T)
    captions = round(len(texts) / len(images))
    for k in KS:
        estimate = mean_by_photo(to_photo < k, named)
        found.append(Metric.of(f"recall@{k} text→image", split, estimate, len(texts), chance(len(images), 1, k)))
    for k in KS:
        estimate = mean_by_photo(to_text < k, images)
        drawn = chance(len(texts), captions, k)
        found.append(Metric.of(f"recall@{k} image→text", split, estimate, len(images), drawn))
    ours = share_of_others_found(text, owners, 10)
    minilm = share_of_others_found(MiniLm().embed(texts), owners, 10)
    by_chance = (10 / (len(texts) - 1), chance(len(texts) - 1, captions - 1, 10))
    for name, mine, theirs, blind in zip(("recall", "any found"), ours, minilm, by_chance):
        beside = {"MiniLM": float(theirs.mean())}
        found.append(
            Metric.of(f"{name}@10 text→other captions", split, mean_by_photo(mine, named), len(texts), blind, beside)
        )
    return found
