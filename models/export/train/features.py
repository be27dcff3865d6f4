"""Cells of every photo from a stem that rests, kept as float16: the ImageNet one (stage 1) or a checkpoint's (stage 5).

Views: `plain`, as the runtime sees a photo, of all photos; augmented views of those that are trained on; and
synthetic clips of these, whose texts are written beside their cells. A later run with another `--first` adds views.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from mplug2.config import owlet_mini
from mplug2.stem import EfficientNetLiteStem, stem_input

from .augment import augment, may_mirror, squashed
from .checkpoint import load_model
from .clip_texts import CLIPS, FRAMES, make_texts
from .data import PHOTO_SETS, PhotoTars, captioned_photos, is_held_out
from .questions import asked_questions
from .resting_stem import resting

PLAIN = "plain"
BATCH = 16


def photos_of(data: Path, view: str) -> list[str]:
    """The rows of a view's file, in order: all photos for `plain`, those trained on for the others."""
    captioned = captioned_photos(data)
    held = {p.image: p.held_out for p in captioned}
    held |= {q.image: is_held_out(q.image) for q in asked_questions(data)}
    return [image for image, out in held.items() if view == PLAIN or not out]


class Cells:
    """The files that this stage wrote, read row by row."""

    def __init__(self, data: Path, folder: Path, views: tuple[str, ...] | None = None) -> None:
        """Of the named views, or of all that the folder has."""
        views = views or (PLAIN, *sorted(path.stem for path in folder.glob("view*.npy") if path.suffixes == [".npy"]))
        self._views = {view: np.load(folder / f"{view}.npy", mmap_mode="r") for view in views}
        self._rows = {view: {image: i for i, image in enumerate(photos_of(data, view))} for view in views}

    def of(self, view: str, images: list[str]) -> np.ndarray:
        """P×HW×C float16."""
        return np.stack([self._views[view][self._rows[view][image]] for image in images])

    def drawn(self, images: list[str], rng: random.Random) -> torch.Tensor:
        """A view at random of each photo that is trained on: P×1×HW×C bfloat16."""
        cells = np.concatenate([self.of(rng.choice(list(self._views)), [image]) for image in images])
        return torch.from_numpy(cells).to(torch.bfloat16)[:, None]


def write_cells(
    stem: Callable[[torch.Tensor], torch.Tensor], path: Path, count: int, shape: tuple[int, int], pixels: Callable[[int], np.ndarray]
) -> None:
    """Runs the resting stem over pictures 0 … count − 1 (bytes R×R×3 each) into a file count×HW×C, which appears when whole."""
    if path.exists():
        return
    part = path.with_suffix(".part.npy")
    cells = np.lib.format.open_memmap(part, "w+", np.float16, (count, *shape))
    started = time.time()
    with ThreadPoolExecutor(2) as pool:
        starts = range(0, count, BATCH)
        load = lambda s: np.stack([pixels(i) for i in range(s, min(count, s + BATCH))])  # noqa: E731
        ahead = [pool.submit(load, s) for s in starts[:4]]
        for i, s in enumerate(starts):
            batch = ahead.pop(0).result()
            if i + 4 < len(starts):
                ahead.append(pool.submit(load, starts[i + 4]))
            cells[s : s + len(batch)] = stem(stem_input(batch)).to(torch.float16).numpy()
            if i % 50 == 0:
                print(f"{path.stem} {s}/{count} {time.time() - started:.0f}s", flush=True)
    cells.flush()
    part.rename(path)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for <view>.npy")
    parser.add_argument("--init", type=Path, help="checkpoint folder whose stem is used; default: ImageNet's")
    parser.add_argument("--first", type=int, default=1, help="number of the first augmented view")
    parser.add_argument("--views", type=int, default=4, help="augmented views")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    config = owlet_mini(0)
    stem = resting(load_model(args.init)[0].stem if args.init else EfficientNetLiteStem(), BATCH)
    tars = PhotoTars(args.data, PHOTO_SETS)
    size, shape = config.image_size, (config.grid**2, config.vision.stem_channels)
    said = {p.image: p.captions for p in captioned_photos(args.data)}
    for q in asked_questions(args.data):
        said[q.image] = (*said.get(q.image, ()), q.question)
    for view in (PLAIN, *(f"view{number}" for number in range(args.first, args.first + args.views))):
        images = photos_of(args.data, view)

        def pixels(i: int, view: str = view, images: list[str] = images) -> np.ndarray:
            photo = tars.open(images[i])
            if view == PLAIN:
                return squashed(photo, size)
            return augment(photo, size, random.Random(f"{view}{images[i]}"), may_mirror(said[images[i]]))

        write_cells(stem, args.out / f"{view}.npy", len(images), shape, pixels)
    learnt = [p for p in captioned_photos(args.data) if not p.held_out]
    # Asked for frame by frame, in order: the same clip several times in a row.
    clip = lru_cache(maxsize=16)(lambda number: make_texts(number, learnt, tars, size))
    (args.out / "clips.json").write_text(json.dumps([clip(number).as_json() for number in range(CLIPS)]))
    frames = lambda i: clip(i // FRAMES).clip.frames[i % FRAMES]  # noqa: E731
    write_cells(stem, args.out / "clips.npy", CLIPS * FRAMES, shape, frames)


if __name__ == "__main__":
    main()
