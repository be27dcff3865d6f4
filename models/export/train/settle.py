"""Stage 6: all tasks and clips from cells, the stem resting.

Resumes by itself from the output folder.
"""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch

from .checkpoint import HEADS, load_model
from .clip_batches import ClipBatch, ClipBatches
from .data import captioned_photos
from .features import Cells
from .generate import greedy_captions
from .loop import Average, Stage, parameter_groups, run, stage_parser
from .losses import WEIGHTS, clip_losses, task_losses
from .mixture import Amounts, Batch, Mixture
from .objectives import Contrast

# Captions have taught these; the class head fits the stem, which rests.
KNOWN = ("visual_encoder.", "visn_", "text_encoder.", "text_decoder.")
# These begin, and learn twice as fast.
BEGUN = ("fusion_encoder.", *(name for name in HEADS if name != "class_head."))
WATCHED = 300


def watched_photos(data: Path) -> list[str]:
    """The held-out photos whose captions show how a stage goes."""
    return [p.image for p in captioned_photos(data) if p.held_out and p.dataset == "flickr8k"][:WATCHED]


def main() -> None:
    parser = stage_parser(__doc__, photos=32, rate=3e-4, seed=5)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features --init` wrote")
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--asked", type=int, default=24, help="photos a step with questions that people asked")
    parser.add_argument("--clips", type=int, default=2, help="clips a step")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    resumed = (args.out / "progress.pt").exists()
    model, vocabulary = load_model(args.out if resumed else args.init, args.dropout)
    amounts = Amounts(args.photos, args.captions, asked=args.asked, made=2)
    mixture = Mixture(args.data, vocabulary, amounts, args.seed)
    cells = Cells(args.data, args.features)
    clips = ClipBatches(args.features, mixture, args.clips, args.seed)
    contrast = Contrast()
    groups = parameter_groups(model, {KNOWN: args.rate, BEGUN: 2 * args.rate})
    average = Average(model)

    def prepared(step: int) -> tuple[Batch, torch.Tensor, ClipBatch]:
        batch = mixture.batch(step)
        return batch, cells.drawn(batch.photos, random.Random(f"{args.seed}/views/{step}")), clips.batch(step)

    ahead: dict[int, Future] = {}
    with ThreadPoolExecutor(1) as pool:

        def losses(step: int) -> dict[str, torch.Tensor]:
            batch, seen, clip = (ahead.pop(step, None) or pool.submit(prepared, step)).result()
            ahead[step + 1] = pool.submit(prepared, step + 1)
            found = task_losses(model, average, batch, seen, contrast, args.smoothing)
            return found | clip_losses(model, clip, args.smoothing)

        watched = watched_photos(args.data)
        plain = Cells(args.data, args.features, ("plain",)).of("plain", watched)
        weights = {**WEIGHTS, "answer": 1.0, "contrast": 0.5, "clip": 0.2, "order": 0.2}
        stage = Stage(
            args.out, mixture.per_epoch, args.steps, losses,
            lambda: list(zip(watched, greedy_captions(model, vocabulary, plain, range(len(watched))))), weights,
        )
        run(stage, model, vocabulary, groups, average)


if __name__ == "__main__":
    main()
