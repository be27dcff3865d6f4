"""Stage 2: captions from the frozen stem's cells; vision blocks, universal layers and decoder are trained.

Resumes by itself from the output folder's last checkpoint.
"""

from __future__ import annotations

from pathlib import Path

import torch

from mplug2.config import owlet_mini
from mplug2.model import Mplug2

from .checkpoint import load_model
from .data import captioned_photos, held_flickr8k
from .features import Cells
from .generate import greedy_captions
from .loop import Average, Stage, parameter_groups, run, stage_parser
from .minilm import start_from_minilm
from .targets import caption_ids, caption_loss, draw, draw_captions, training_texts
from .text import cut_vocabulary

TRAINED = ("visual_encoder.", "visn_", "text_encoder.encoder.layer.4.", "text_encoder.encoder.layer.5.", "text_decoder.")


def main() -> None:
    parser = stage_parser(__doc__, photos=40, rate=6e-4, seed=1)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features` wrote")
    parser.add_argument("--epochs", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    photos = captioned_photos(args.data)
    if (args.out / "progress.pt").exists():
        model, vocabulary = load_model(args.out, args.dropout)
    else:
        vocabulary = cut_vocabulary(training_texts(args.data, photos))
        model = Mplug2(owlet_mini(len(vocabulary)), args.dropout)
        start_from_minilm(model, vocabulary)
        model.share_embeddings()
    learnt = [p for p in photos if not p.held_out]
    ids = caption_ids(learnt, vocabulary)
    cells = Cells(args.data, args.features)
    held = held_flickr8k(photos)
    per_epoch = len(learnt) // args.photos

    def losses(step: int) -> dict[str, torch.Tensor]:
        batch, rng = draw(step, len(learnt), args.photos, args.seed)
        texts = draw_captions(ids, batch, args.captions, rng)
        shown = cells.drawn([learnt[i].image for i in batch], rng)
        return {"caption": caption_loss(model, shown, texts, args.smoothing)}

    def captions() -> list[tuple[str, str]]:
        return list(zip(held, greedy_captions(model, vocabulary, cells.of("plain", held), range(len(held)))))

    stage = Stage(args.out, per_epoch, per_epoch * args.epochs, losses, captions)
    groups = parameter_groups(model, {TRAINED: args.rate})
    run(stage, model, vocabulary, groups, Average(model))


if __name__ == "__main__":
    main()
