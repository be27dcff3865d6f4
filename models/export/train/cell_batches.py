"""What stages 6 and 7 have in common: batches from stored cells, made one step ahead, and photos to be watched."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch

from mplug2.model import Mplug2

from .checkpoint import load_model
from .clip_batches import ClipBatch, ClipBatches
from .data import captioned_photos
from .features import Cells
from .generate import greedy_captions
from .loop import stage_parser
from .mixture import Amounts, Batch, Mixture

WATCHED = 300


def cell_stage_parser(description: str | None, *, photos: int, rate: float, seed: int, steps: int) -> argparse.ArgumentParser:
    """The arguments of a stage that trains on stored cells; the numbers are its defaults."""
    parser = stage_parser(description, photos, rate, seed)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features --init` wrote")
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--clips", type=int, default=2, help="clips a step")
    return parser


def begin(args: argparse.Namespace) -> tuple[Mplug2, list[str]]:
    """The model to go on with (of the output folder, if it has begun) and its vocabulary."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    resumed = (args.out / "progress.pt").exists()
    return load_model(args.out if resumed else args.init, args.dropout)


class CellBatches:
    """Batches of photos and of clips with their cells; while one is trained on the next is made."""

    def __init__(self, args: argparse.Namespace, vocabulary: list[str], amounts: Amounts) -> None:
        self.mixture = Mixture(args.data, vocabulary, amounts, args.seed)
        self._cells = Cells(args.data, args.features)
        self._clips = ClipBatches(args.features, self.mixture, args.clips, args.seed)
        self._seed: int = args.seed
        self._pool = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[tuple[Batch, torch.Tensor, ClipBatch]]] = {}

    def _make(self, step: int) -> tuple[Batch, torch.Tensor, ClipBatch]:
        batch = self.mixture.batch(step)
        cells = self._cells.drawn(batch.photos, random.Random(f"{self._seed}/views/{step}"))
        return batch, cells, self._clips.batch(step)

    def __call__(self, step: int) -> tuple[Batch, torch.Tensor, ClipBatch]:
        """The step's batch, its photos' cells P×1×HW×C, and its clips."""
        made = self._ahead.pop(step, None) or self._pool.submit(self._make, step)
        self._ahead[step + 1] = self._pool.submit(self._make, step + 1)
        return made.result()


def watch(args: argparse.Namespace, model: Mplug2, vocabulary: list[str]) -> Callable[[], list[tuple[str, str]]]:
    """Says captions of held-out photos, by which one sees how a stage goes."""
    held = [p.image for p in captioned_photos(args.data) if p.held_out and p.dataset == "flickr8k"][:WATCHED]
    plain = Cells(args.data, args.features, ("plain",)).of("plain", held)
    return lambda: list(zip(held, greedy_captions(model, vocabulary, plain, range(len(held)))))
