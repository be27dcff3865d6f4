"""What one step says of synthetic clips, out of the cells and texts that `train.features` wrote."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .clip_texts import FRAMES
from .mixture import Asked, Mixture
from .targets import pad

CAPTIONS = 2
QUESTIONS = 2


@dataclass(frozen=True)
class ClipBatch:
    """cells C×T×HW×C bfloat16; captions (C·CAPTIONS)×L ids, a clip's side by side; `asked.owner` counts clips."""

    cells: torch.Tensor
    captions: torch.Tensor
    asked: Asked


class ClipBatches:
    """Draws clips; everything random follows from the seed and the step's number alone."""

    def __init__(self, features: Path, mixture: Mixture, clips: int, seed: int) -> None:
        self._texts = json.loads((features / "clips.json").read_text())
        self._cells = np.load(features / "clips.npy", mmap_mode="r")
        self._mixture, self._clips, self._seed = mixture, clips, seed

    def batch(self, step: int) -> ClipBatch:
        """The clips of a step."""
        rng, mixture = random.Random(f"{self._seed}/clips/{step}"), self._mixture
        drawn = rng.sample(range(len(self._texts)), self._clips)
        captions: list[list[int]] = []
        rows: list[tuple[list[int], int, list[int]]] = []
        for owner, number in enumerate(drawn):
            texts = self._texts[number]
            captions += [mixture.target(text) for text in rng.sample(texts["captions"], CAPTIONS)]
            for question, answer in rng.sample(texts["questions"], min(QUESTIONS, len(texts["questions"]))):
                rows.append((mixture.source(question), owner, mixture.target(answer)))
        cells = np.stack([self._cells[number * FRAMES : (number + 1) * FRAMES] for number in drawn])
        asked = Asked(pad([r[0] for r in rows]), torch.tensor([r[1] for r in rows]), pad([r[2] for r in rows]))
        return ClipBatch(torch.from_numpy(cells).to(torch.bfloat16), pad(captions), asked)
