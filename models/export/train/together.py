"""Stage 4: all tasks from pixels; the later blocks of the stem are trained too, batch norms frozen.

The ImageNet network, as it was, teaches its classes all along, so that the class head stays right while the stem
changes. Resumes by itself from the output folder.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from mplug2.config import HeadsConfig
from mplug2.stem import pretrained

from .augment import augmented
from .checkpoint import HEADS
from .data import PHOTO_SETS, PhotoTars, captioned_photos, held_flickr8k
from .loop import WATCHED, Ahead, Average, Stage, begin, parameter_groups, run, stage_parser
from .losses import WEIGHTS, task_losses
from .mixture import Amounts, Batch, Mixture
from .objectives import Contrast, class_loss
from .pixels import LATE, early, late, say_captions

TRAINED = ("visual_encoder.", "visn_", "text_encoder.", "fusion_encoder.", "text_decoder.")


def main() -> None:
    parser = stage_parser(__doc__, photos=24, rate=2e-4, seed=3)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--stem-rate", type=float, default=1e-4)
    parser.add_argument("--head-rate", type=float, default=5e-4)
    args = parser.parse_args()
    model, vocabulary = begin(args, HeadsConfig(384, 1000))
    model.stem.to(memory_format=torch.channels_last)
    teacher = pretrained().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    mixture = Mixture(args.data, vocabulary, Amounts(args.photos, args.captions), args.seed)
    tars = PhotoTars(args.data, PHOTO_SETS)
    contrast = Contrast()

    def prepared(step: int) -> tuple[Batch, np.ndarray]:
        batch, rng = mixture.batch(step), random.Random(f"{args.seed}/pixels/{step}")
        return batch, augmented(tars, batch.photos, batch.mirrored, model.config.image_size, rng)

    groups = parameter_groups(model, {TRAINED: args.rate, HEADS: args.head_rate, LATE: args.stem_rate})
    average = Average(model)
    ahead = Ahead(prepared)

    def losses(step: int) -> dict[str, torch.Tensor]:
        batch, pixels = ahead(step)
        x = early(model.stem.net, pixels)
        cells = late(model.stem.net, x)
        with torch.no_grad():
            taught = teacher._fc(late(teacher, x).mean((1, 2)))
        found = task_losses(model, average, batch, cells, contrast, args.smoothing)
        return {**found, "class": class_loss(model.class_logits(cells), taught)}

    watched = held_flickr8k(captioned_photos(args.data))[:WATCHED]
    stage = Stage(
        args.out, mixture.per_epoch, args.steps, losses,
        lambda: say_captions(model, vocabulary, tars, watched), WEIGHTS,
    )
    run(stage, model, vocabulary, groups, average)


if __name__ == "__main__":
    main()
