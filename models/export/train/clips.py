"""Synthetic clips for the temporal modules: what changes over time is known, so texts about it can be made.

A photo that pans, zooms or trembles keeps its captions; motion, order and length give questions of their own. No real
motion is in them: a model trained on these learns to tell frames' order and the camera's moves, not what bodies do.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image

KINDS = ("still", "left", "right", "up", "down", "in", "out", "cut")
"""`left` and so on say where the camera moves; `cut` shows one photo, then another."""
_OPPOSITE = {"left": "right", "up": "down", "in": "out"} | {"right": "left", "down": "up", "out": "in"}


@dataclass(frozen=True)
class Clip:
    """Frames and what may be said of them."""

    frames: np.ndarray
    """uint8 T×R×R×3"""
    shown: tuple[int, ...]
    """for each frame, which picture it shows"""
    kind: str

    @property
    def captioned(self) -> int:
        """The picture whose captions describe the clip: the one that is shown longer."""
        return max(set(self.shown), key=self.shown.count)


def _boxes(kind: str, frames: int, rng: random.Random) -> list[tuple[float, float, float]]:
    """Of each frame left, top and side of its window, as parts of the photo."""
    along = [i / max(1, frames - 1) for i in range(frames)]
    if kind in ("left", "right", "up", "down"):
        side = rng.uniform(0.6, 0.8)
        way = [(1 - side) * (t if kind in ("right", "down") else 1 - t) for t in along]
        across = rng.uniform(0, 1 - side)
        return [(x, across, side) if kind in ("left", "right") else (across, x, side) for x in way]
    if kind in ("in", "out"):
        small = rng.uniform(0.5, 0.7)
        x, y = rng.uniform(0, 1 - small), rng.uniform(0, 1 - small)
        sides = [1 - (1 - small) * (t if kind == "in" else 1 - t) for t in along]
        return [(x * (1 - s) / (1 - small), y * (1 - s) / (1 - small), s) for s in sides]
    side = rng.uniform(0.85, 0.97)
    x, y = rng.uniform(0, 1 - side), rng.uniform(0, 1 - side)

    def shaken(at: float) -> float:
        return min(1 - side, max(0.0, at + rng.gauss(0, 0.006)))

    return [(shaken(x), shaken(y), side) for _ in along]


def _window(picture: Image.Image, box: tuple[float, float, float], size: int) -> np.ndarray:
    w, h = picture.size
    x, y, side = box
    bounds = (x * w, y * h, min(w, (x + side) * w), min(h, (y + side) * h))
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, box=bounds))


def make_clip(pictures: list[Image.Image], kind: str, frames: int, size: int, rng: random.Random) -> Clip:
    """`frames` windows size×size of one RGB photo, for `cut` of two in turn, at least two frames each."""
    if kind not in KINDS or len(pictures) != (2 if kind == "cut" else 1) or (kind == "cut" and frames < 4):
        raise ValueError(f"no clip of {len(pictures)} pictures and {frames} frames is a {kind}")
    if kind == "cut":
        first = rng.randint(2, frames - 2)
        # Each part stands or moves a little, or a change of the picture alone would tell a cut.
        moves = [rng.choice(("still", "still", *_OPPOSITE)) for _ in pictures]
        parts = [(0, _boxes(moves[0], first, rng)), (1, _boxes(moves[1], frames - first, rng))]
    else:
        parts = [(0, _boxes(kind, frames, rng))]
    shown = [(which, box) for which, boxes in parts for box in boxes]
    stacked = np.stack([_window(pictures[which], box, size) for which, box in shown])
    return Clip(stacked, tuple(which for which, _ in shown), kind)


def clip_captions(clip: Clip, captions: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Sentences that describe the clip; `captions` are the pictures' own, in their order."""
    return captions[clip.captioned]


def clip_questions(clip: Clip, subjects: list[str | None], rng: random.Random) -> list[tuple[str, str]]:
    """(question, answer) about what changes; `subjects` says what each picture is of: see `scene.main_subject`."""
    asked = []
    if clip.kind in _OPPOSITE:
        a, b = sorted((clip.kind, _OPPOSITE[clip.kind]), key=lambda _: rng.random())
        verb = "zoom" if clip.kind in ("in", "out") else "move"
        asked.append((f"does the camera {verb} {a} or {b}", clip.kind))
    if clip.kind == "cut":
        first, then = subjects
        if first and then and first != then:
            a, b = sorted((first, then), key=lambda _: rng.random())
            asked += [(f"what comes first the {a} or the {b}", first), (f"what comes last the {b} or the {a}", then)]
            asked += [("what is shown first", first), ("what is shown last", then), ("what is shown at the end", then)]
            asked = rng.sample(asked, 2)
    else:
        verb = rng.choice(("move", "zoom in", "zoom out"))
        moved = {
            "move": clip.kind in ("left", "right", "up", "down"),
            "zoom in": clip.kind == "in",
            "zoom out": clip.kind == "out",
        }
        asked.append((f"does the camera {verb}", "yes" if moved[verb] else "no"))
    scenes = "yes" if clip.kind == "cut" else "no"
    asked.append((rng.choice(("does the scene change", "is there a cut", "are there two scenes")), scenes))
    return asked
