"""Stage 3: captions from pixels; the later blocks of the stem are trained too, batch norms frozen.

Every photo is cropped, mirrored and otherwise changed by chance (`augment`). Resumes by itself from the output folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .augment import augmented, may_mirror
from .captions import TRAINED
from .data import PhotoTars, captioned_photos, held_flickr8k
from .loop import Ahead, Average, Stage, begin, parameter_groups, run, stage_parser
from .pixels import LATE, early, late, say_captions
from .targets import caption_ids, caption_loss, draw, draw_captions


def main() -> None:
    parser = stage_parser(__doc__, photos=32, rate=2e-4, seed=2)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=645)
    parser.add_argument("--stem-rate", type=float, default=1e-4)
    args = parser.parse_args()
    model, vocabulary = begin(args)
    model.stem.to(memory_format=torch.channels_last)
    size = model.config.image_size
    photos = captioned_photos(args.data)
    learnt = [p for p in photos if not p.held_out]
    ids = caption_ids(learnt, vocabulary)
    held = held_flickr8k(photos)
    tars = PhotoTars(args.data, ("flickr8k", "coco"))
    per_epoch = len(learnt) // args.photos

    def batch(step: int) -> tuple[np.ndarray, torch.Tensor]:
        chosen, rng = draw(step, len(learnt), args.photos, args.seed)
        drawn = [learnt[i] for i in chosen]
        pixels = augmented(tars, [p.image for p in drawn], [may_mirror(p.captions) for p in drawn], size, rng)
        return pixels, draw_captions(ids, chosen, args.captions, rng)

    ahead = Ahead(batch)

    def losses(step: int) -> dict[str, torch.Tensor]:
        pixels, texts = ahead(step)
        net = model.stem.net
        return {"caption": caption_loss(model, late(net, early(net, pixels)), texts, args.smoothing)}

    groups = parameter_groups(model, {TRAINED: args.rate, LATE: args.stem_rate})
    stage = Stage(args.out, per_epoch, args.steps, losses, lambda: say_captions(model, vocabulary, tars, held))
    run(stage, model, vocabulary, groups, Average(model))


if __name__ == "__main__":
    main()
