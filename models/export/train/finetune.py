"""Stage 3: captions from pixels; the later blocks of the stem are trained too, batch norms frozen.

Every photo is cropped (75–100 % of each side) and mirrored at random. Resumes by itself from the output folder.
"""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from mplug2.model import Mplug2
from mplug2.stem import stem_input

from .captions import TRAINED
from .checkpoint import load_model
from .data import PhotoTars, captioned_photos
from .features import view_pixels
from .generate import greedy_captions
from .loop import Stage, parameter_groups, run, stage_parser
from .targets import caption_ids, caption_loss, draw, draw_captions

FIRST_TRAINED_BLOCK = 8


def stem_cells(model: Mplug2, pixels: np.ndarray) -> torch.Tensor:
    """Bytes N×R×R×3 → cells N×1×HW×C; gradients only behind FIRST_TRAINED_BLOCK."""
    x, net = stem_input(pixels), model.stem.net
    with torch.no_grad():
        x = net._swish(net._bn0(net._conv_stem(x)))
        for block in net._blocks[:FIRST_TRAINED_BLOCK]:
            x = block(x)
    for block in net._blocks[FIRST_TRAINED_BLOCK:]:
        x = block(x)
    x = net._swish(net._bn1(net._conv_head(x)))
    return x.flatten(2).transpose(1, 2)[:, None]


def main() -> None:
    parser = stage_parser(__doc__, photos=32, rate=2e-4, seed=2)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=645)
    parser.add_argument("--stem-rate", type=float, default=1e-4)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    start = args.out if (args.out / "progress.pt").exists() else args.init
    model, vocabulary = load_model(start, args.dropout)
    model.stem.to(memory_format=torch.channels_last)
    size = model.config.image_size
    photos = captioned_photos(args.data)
    learnt = [p for p in photos if not p.held_out]
    ids = caption_ids(learnt, vocabulary)
    held = [p for p in photos if p.held_out and p.dataset == "flickr8k"]
    tars = PhotoTars(args.data, ("flickr8k", "coco"))
    per_epoch = len(learnt) // args.photos

    def batch(step: int) -> tuple[np.ndarray, torch.Tensor]:
        chosen, rng = draw(step, len(learnt), args.photos, args.seed)
        pixels = np.stack([view_pixels(tars.open(learnt[i].image), "crop", size, rng) for i in chosen])
        return pixels, draw_captions(ids, chosen, args.captions, rng)

    ahead: dict[int, Future] = {}
    with ThreadPoolExecutor(1) as pool:

        def loss(step: int) -> torch.Tensor:
            pixels, texts = (ahead.pop(step, None) or pool.submit(batch, step)).result()
            ahead[step + 1] = pool.submit(batch, step + 1)
            return caption_loss(model, stem_cells(model, pixels), texts, args.smoothing)

        def captions() -> list[tuple[str, str]]:
            said = []
            for first in range(0, len(held), 50):
                some = held[first : first + 50]
                pixels = np.stack([view_pixels(tars.open(p.image), "plain", size, random.Random(0)) for p in some])
                with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                    cells = stem_cells(model, pixels)[:, 0].float().numpy()
                said += zip([p.image for p in some], greedy_captions(model, vocabulary, cells, range(len(some))))
            return said

        blocks = range(FIRST_TRAINED_BLOCK, len(model.stem.net._blocks))
        stem = (*(f"stem.net._blocks.{i}." for i in blocks), "stem.net._conv_head.")
        groups = parameter_groups(model, {TRAINED: args.rate, stem: args.stem_rate})
        run(Stage(args.out, per_epoch, args.steps, loss, captions), model, vocabulary, groups)


if __name__ == "__main__":
    main()
