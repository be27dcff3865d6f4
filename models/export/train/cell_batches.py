"""What stages 6 and 7 have in common: batches of cells from a stem that rests, and photos to be watched."""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable
from pathlib import Path

import torch

from mplug2.model import Mplug2
from mplug2.stem import EfficientNetLiteStem

from .clip_batches import ClipBatch, ClipBatches
from .data import captioned_photos, held_flickr8k
from .features import Cells
from .fresh_views import FreshViews
from .generate import greedy_captions
from .loop import WATCHED, stage_parser
from .mixture import Amounts, Batch, Mixture


def cell_stage_parser(description: str | None, *, photos: int, rate: float, seed: int, steps: int) -> argparse.ArgumentParser:
    """The arguments of a stage that trains on a resting stem's cells; the numbers are its defaults."""
    parser = stage_parser(description, photos, rate, seed)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features --init` wrote")
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--clips", type=int, default=2, help="clips a step")
    parser.add_argument("--fresh", action="store_true", help="augment each photo anew at every step, in place of stored views")
    parser.add_argument("--blank", type=float, default=0.0, help="share of a photo's cells that are left out, at most")
    return parser


def mirrored(cells: torch.Tensor, allowed: list[bool], seed: int) -> torch.Tensor:
    """cells P×1×HW×C, of half of the photos that may be as in a mirror: nearly what the mirrored photo's cells would be."""
    chance = torch.Generator().manual_seed(seed)
    turned = (torch.rand(len(cells), generator=chance) < 0.5) & torch.tensor(allowed)
    side = math.isqrt(cells.shape[2])
    grid = cells.unflatten(2, (side, side))
    return torch.where(turned[:, None, None, None, None], grid.flip(3), grid).flatten(2, 3)


def blanked(cells: torch.Tensor, most: float, seed: int) -> torch.Tensor:
    """cells P×T×HW×C with some of them zero: of each photo a share drawn between none and `most`, and a quarter of `most` of
    the channels, the others scaled up. So a photo is harder to know by heart."""
    if not most:
        return cells
    chance = torch.Generator().manual_seed(seed)
    share = torch.rand(len(cells), 1, 1, 1, generator=chance) * most
    kept = torch.rand(*cells.shape[:3], 1, generator=chance) >= share
    channels = torch.rand(len(cells), 1, 1, cells.shape[-1], generator=chance) >= most / 4
    return cells * kept * (channels / (1 - most / 4)).to(cells.dtype)


class CellBatches:
    """Batches of photos and of clips with their cells."""

    def __init__(self, args: argparse.Namespace, vocabulary: list[str], amounts: Amounts, stem: EfficientNetLiteStem) -> None:
        self.mixture = Mixture(args.data, vocabulary, amounts, args.seed)
        self._blank: float = args.blank
        if args.fresh:
            fresh = FreshViews(args.data, stem, amounts.captioned + amounts.asked)
            self._cells = lambda batch, rng, _: fresh(batch.photos, batch.mirrored, rng)
        else:
            stored = Cells(args.data, args.features)
            self._cells = lambda batch, rng, step: mirrored(stored.drawn(batch.photos, rng), batch.mirrored, step)
        self._clips = ClipBatches(args.features, self.mixture, args.clips, args.seed)
        self._seed: int = args.seed

    def make(self, step: int) -> tuple[Batch, torch.Tensor, ClipBatch]:
        """The step's batch, its photos' cells P×1×HW×C, and its clips."""
        batch = self.mixture.batch(step)
        cells = self._cells(batch, random.Random(f"{self._seed}/views/{step}"), step)
        return batch, blanked(cells, self._blank, step), self._clips.batch(step)


def watch(args: argparse.Namespace, model: Mplug2, vocabulary: list[str]) -> Callable[[], list[tuple[str, str]]]:
    """Says captions of held-out photos, by which one sees how a stage goes."""
    held = held_flickr8k(captioned_photos(args.data))[:WATCHED]
    plain = Cells(args.data, args.features, ("plain",)).of("plain", held)
    return lambda: list(zip(held, greedy_captions(model, vocabulary, plain, range(len(held)))))
