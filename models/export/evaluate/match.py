"""Whether a sentence fits a photo: balanced pairs, half of those that don't fit with one word or phrase changed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from train.data import CaptionedPhoto
from train.negatives import hard_negative

from .bootstrap import SEED, mean_by_photo
from .metric import Metric
from .subject import SENTENCES, Subject, batches

RIGHT, HARD, RANDOM = "right", "hard", "random"


@dataclass(frozen=True)
class Pair:
    """A sentence shown with a photo; `kind` says where the sentence comes from."""

    image: str
    text: str
    kind: str

    @property
    def fits(self) -> bool:
        """Whether someone wrote the sentence about the photo."""
        return self.kind == RIGHT


def make_pairs(photos: Sequence[CaptionedPhoto]) -> list[Pair]:
    """Four pairs a photo: two of its captions, the first of them with something changed, another photo's caption.

    Photos none of whose captions can be changed by rule are left out. Chances follow from the photo's name."""
    pairs: list[Pair] = []
    for photo in photos:
        rng = random.Random(f"{SEED}/{photo.image}")
        captions = rng.sample(photo.captions, len(photo.captions))
        changed = ((c, hard_negative(c, photo.captions, rng)) for c in captions)
        caption, wrong = next(((c, w) for c, w in changed if w is not None), ("", None))
        if wrong is None:
            continue
        second = next((c for c in captions if c != caption), caption)
        other = rng.choice([p for p in photos if p.image != photo.image])
        pairs += [
            Pair(photo.image, caption, RIGHT),
            Pair(photo.image, wrong, HARD),
            Pair(photo.image, second, RIGHT),
            Pair(photo.image, rng.choice(other.captions), RANDOM),
        ]
    return pairs


def fit(subject: Subject, images: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """The model's probability that the text at each place fits the photo at that place."""
    found = np.zeros(len(texts))
    for some in batches(sorted(range(len(texts)), key=lambda i: len(texts[i])), SENTENCES):
        with subject.computing():
            hidden, mask = subject.encode([texts[i] for i in some])
            fused = subject.model.fusion(hidden, subject.memory([images[i] for i in some]), mask)
            found[list(some)] = subject.model.match_logits(fused).float().softmax(-1)[:, 1].numpy()
    return found


def preferred(right: np.ndarray, wrong: np.ndarray) -> float:
    """How often the first of two sentences side by side is held likelier; a tie is half."""
    return float((right > wrong).mean() + (right == wrong).mean() / 2)


def metrics(pairs: Sequence[Pair], here: np.ndarray, elsewhere: np.ndarray) -> list[Metric]:
    """`here` and `elsewhere`: probabilities with the pair's photo, and with another put in for every pair."""
    images = [pair.image for pair in pairs]
    kinds = np.array([pair.kind for pair in pairs])
    fits = kinds == RIGHT
    correct, correct_elsewhere = (here > 0.5) == fits, (elsewhere > 0.5) == fits
    split = f"Flickr8k val, {len(set(images))} photos"
    # Only the sentence tells here: the best that a threshold on the blind probability can do, and one answer for all.
    thresholds = np.quantile(elsewhere, np.linspace(0, 1, 201))
    guesses = [elsewhere > t for t in thresholds]
    guess = max(guesses, key=lambda guess: float((guess == fits).mean()))
    blind = max(0.5, float((guess == fits).mean()))
    beside = {"another photo": float(correct_elsewhere.mean())}
    found = [Metric.of("match accuracy", split, mean_by_photo(correct, images), len(pairs), blind, beside)]
    for kind, name in ((RIGHT, "right sentences"), (HARD, "changed sentences"), (RANDOM, "other photos' sentences")):
        of = kinds == kind
        estimate = mean_by_photo(correct[of], np.array(images)[of])
        beside = {"another photo": float(correct_elsewhere[of].mean())}
        found.append(Metric.of(f"match accuracy, {name}", split, estimate, int(of.sum()), float((guess == fits)[of].mean()), beside))
    first = np.arange(0, len(pairs), 4)
    wins = (here[first] > here[first + 1]) + 0.5 * (here[first] == here[first + 1])
    estimate = mean_by_photo(wins, np.array(images)[first])
    blind = preferred(elsewhere[first], elsewhere[first + 1])
    found.append(Metric.of("match: right above changed sentence", split, estimate, len(first), blind))
    return found


def other_photos(pairs: Sequence[Pair]) -> list[str]:
    """For each pair a photo that is not its own: the one half the list further on."""
    images = list(dict.fromkeys(pair.image for pair in pairs))
    place = {image: i for i, image in enumerate(images)}
    return [images[(place[pair.image] + len(images) // 2) % len(images)] for pair in pairs]
