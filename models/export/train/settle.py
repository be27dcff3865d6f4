"""Stage 6: all tasks and clips from cells, the stem resting.

Resumes by itself from the output folder.
"""

from __future__ import annotations

import torch

from .cell_batches import CellBatches, cell_stage_parser, watch
from .checkpoint import HEADS
from .loop import Ahead, Average, Stage, begin, parameter_groups, run
from .losses import WEIGHTS, clip_losses, task_losses
from .mixture import Amounts
from .objectives import Contrast

# Captions have taught these; the class head fits the stem, which rests.
KNOWN = ("visual_encoder.", "visn_", "text_encoder.", "text_decoder.")
# These begin, and learn twice as fast.
BEGUN = ("fusion_encoder.", *(name for name in HEADS if name != "class_head."))


def main() -> None:
    parser = cell_stage_parser(__doc__, photos=32, rate=3e-4, seed=5, steps=1500)
    parser.add_argument("--asked", type=int, default=24, help="photos a step with questions that people asked")
    parser.add_argument("--questions", type=int, default=3, help="questions that people asked, of each such photo, at most")
    args = parser.parse_args()
    model, vocabulary = begin(args)
    amounts = Amounts(args.photos, args.captions, asked=args.asked, questions=args.questions, made=2)
    batches = CellBatches(args, vocabulary, amounts, model.stem)
    contrast = Contrast()
    groups = parameter_groups(model, {KNOWN: args.rate, BEGUN: 2 * args.rate})
    average = Average(model)
    ahead = Ahead(batches.make)

    def losses(step: int) -> dict[str, torch.Tensor]:
        batch, cells, clip = ahead(step)
        found = task_losses(model, average, batch, cells, contrast, args.smoothing)
        return found | clip_losses(model, clip, args.smoothing)

    weights = {**WEIGHTS, "answer": 1.0, "contrast": 0.5, "clip": 0.2, "order": 0.2}
    stage = Stage(args.out, batches.mixture.per_epoch, args.steps, losses, watch(args, model, vocabulary), weights)
    run(stage, model, vocabulary, groups, average)


if __name__ == "__main__":
    main()
