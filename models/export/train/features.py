"""Stage 1: the frozen stem's cells of every captioned photo, kept as float16.

Views: `plain` (as the runtime sees it), `mirror`, and cropped views (75–100 % of each side, half of them mirrored).
"""

from __future__ import annotations

import argparse
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from mplug2.config import owlet_mini
from mplug2.stem import EfficientNetLiteStem, stem_input

from .data import CaptionedPhoto, PhotoTars, captioned_photos

VIEWS = ("plain", "mirror", "crop1", "crop2")


def view_pixels(photo: Image.Image, view: str, size: int, rng: random.Random) -> np.ndarray:
    """One photo as bytes size×size×3, by PIL bicubic, as the runtime resizes it."""
    if view.startswith("crop"):
        w, h = photo.size
        cw, ch = w * rng.uniform(0.75, 1), h * rng.uniform(0.75, 1)
        x, y = rng.uniform(0, w - cw), rng.uniform(0, h - ch)
        photo = photo.resize((size, size), Image.Resampling.BICUBIC, box=(x, y, x + cw, y + ch))
        if rng.random() < 0.5:
            photo = ImageOps.mirror(photo)
    else:
        photo = photo.resize((size, size), Image.Resampling.BICUBIC)
        if view == "mirror":
            photo = ImageOps.mirror(photo)
    return np.asarray(photo)


def photos_with_features(data: Path, view: str) -> list[CaptionedPhoto]:
    """The rows of a view's file, in order: all photos for `plain`, the trained-on ones for the others."""
    return [p for p in captioned_photos(data) if view == "plain" or not p.held_out]


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for <view>.npy")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    config = owlet_mini(0)
    stem = EfficientNetLiteStem().eval().to(memory_format=torch.channels_last)
    tars = PhotoTars(args.data, ("flickr8k", "coco"))
    for view in VIEWS:
        done = args.out / f"{view}.npy"
        if done.exists():
            continue
        photos = photos_with_features(args.data, view)
        part = args.out / f"{view}.part.npy"
        cells = np.lib.format.open_memmap(
            part, "w+", np.float16, (len(photos), config.grid**2, config.vision.stem_channels)
        )
        started = time.time()
        with ThreadPoolExecutor(2) as pool:

            def load(batch: list[CaptionedPhoto]) -> np.ndarray:
                return np.stack(
                    [
                        view_pixels(tars.open(p.image), view, config.image_size, random.Random(f"{view}{p.image}"))
                        for p in batch
                    ]
                )

            starts = list(range(0, len(photos), 16))
            ahead = [pool.submit(load, photos[s : s + 16]) for s in starts[:4]]
            for i, s in enumerate(starts):
                pixels = ahead.pop(0).result()
                if i + 4 < len(starts):
                    ahead.append(pool.submit(load, photos[starts[i + 4] : starts[i + 4] + 16]))
                with torch.autocast("cpu", torch.bfloat16):
                    y = stem(stem_input(pixels))
                cells[s : s + len(pixels)] = y.flatten(2).transpose(1, 2).to(torch.float16).numpy()
                if i % 50 == 0:
                    print(f"{view} {s}/{len(photos)} {time.time() - started:.0f}s", flush=True)
        cells.flush()
        part.rename(done)


if __name__ == "__main__":
    main()
