"""What stages 6 and 7 have in common: batches from stored cells, and photos to be watched."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import torch

from mplug2.model import Mplug2

from .clip_batches import ClipBatch, ClipBatches
from .data import captioned_photos, held_flickr8k
from .features import Cells
from .generate import greedy_captions
from .loop import WATCHED, stage_parser
from .mixture import Amounts, Batch, Mixture


def cell_stage_parser(description: str | None, *, photos: int, rate: float, seed: int, steps: int) -> argparse.ArgumentParser:
    """The arguments of a stage that trains on stored cells; the numbers are its defaults."""
    parser = stage_parser(description, photos, rate, seed)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features --init` wrote")
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--clips", type=int, default=2, help="clips a step")
    return parser


class CellBatches:
    """Batches of photos and of clips with their cells."""

    def __init__(self, args: argparse.Namespace, vocabulary: list[str], amounts: Amounts) -> None:
        self.mixture = Mixture(args.data, vocabulary, amounts, args.seed)
        self._cells = Cells(args.data, args.features)
        self._clips = ClipBatches(args.features, self.mixture, args.clips, args.seed)
        self._seed: int = args.seed

    def make(self, step: int) -> tuple[Batch, torch.Tensor, ClipBatch]:
        """The step's batch, its photos' cells P×1×HW×C, and its clips."""
        batch = self.mixture.batch(step)
        cells = self._cells.drawn(batch.photos, random.Random(f"{self._seed}/views/{step}"))
        return batch, cells, self._clips.batch(step)


def watch(args: argparse.Namespace, model: Mplug2, vocabulary: list[str]) -> Callable[[], list[tuple[str, str]]]:
    """Says captions of held-out photos, by which one sees how a stage goes."""
    held = held_flickr8k(captioned_photos(args.data))[:WATCHED]
    plain = Cells(args.data, args.features, ("plain",)).of("plain", held)
    return lambda: list(zip(held, greedy_captions(model, vocabulary, plain, range(len(held)))))
