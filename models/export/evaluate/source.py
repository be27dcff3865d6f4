"""Where what is evaluated comes from: a model in PyTorch, or the results of `npm run predict` (`predicted.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from train.data import PhotoTars

from .classify import best_five
from .match import fit
from .predict import Said, Search, say_answers, say_captions
from .retrieval import embed_photos, embed_texts
from .subject import Subject


class Source(Protocol):
    """Says, judges and places; photos are named by their paths in the data folder."""

    about: dict[str, object]
    """What a report says of it."""
    has_heads: bool
    """Whether it judges and places, or only says."""

    def captions(self, images: Sequence[str]) -> list[Said]:
        """The caption of each photo."""

    def answers(self, images: Sequence[str], questions: Sequence[str]) -> list[Said]:
        """The answer to the question at each place about the photo at that place."""

    def fits(self, images: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        """The probability that the text at each place fits the photo at that place."""

    def photo_embeddings(self, images: Sequence[str]) -> torch.Tensor:
        """P×W of length 1."""

    def text_embeddings(self, texts: Sequence[str]) -> torch.Tensor:
        """S×W of length 1."""

    def classes(self, images: Sequence[str]) -> dict[str, list[int]]:
        """The five best classes of each photo, best first."""


class TorchSource:
    """A model in PyTorch, which looks at every photo once."""

    def __init__(self, subject: Subject, tars: PhotoTars, search: Search, about: dict[str, object]) -> None:
        self.about = about
        self.has_heads = subject.model.config.heads is not None
        self._subject = subject
        self._tars = tars
        self._search = search

    def _look(self, images: Sequence[str]) -> Subject:
        self._subject.look(self._tars, list(dict.fromkeys(images)))
        return self._subject

    def captions(self, images: Sequence[str]) -> list[Said]:
        return say_captions(self._look(images), images, self._search)

    def answers(self, images: Sequence[str], questions: Sequence[str]) -> list[Said]:
        return say_answers(self._look(images), images, questions, self._search)

    def fits(self, images: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        return fit(self._look(images), images, texts)

    def photo_embeddings(self, images: Sequence[str]) -> torch.Tensor:
        return embed_photos(self._look(images), images)

    def text_embeddings(self, texts: Sequence[str]) -> torch.Tensor:
        return embed_texts(self._subject, texts)

    def classes(self, images: Sequence[str]) -> dict[str, list[int]]:
        self._subject.look(self._tars, [], pooled=images)
        return best_five(self._subject, images)
