"""Stage 2: captions from the frozen stem's cells; vision blocks, universal layers and decoder are trained.

Resumes by itself from the output folder's last checkpoint.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mplug2.config import owlet_mini
from mplug2.model import Mplug2

from .checkpoint import load_model
from .data import captioned_photos
from .features import VIEWS, photos_with_features
from .generate import greedy_captions
from .loop import Stage, parameter_groups, run, stage_parser
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
    views = {v: np.load(args.features / f"{v}.npy", mmap_mode="r") for v in VIEWS}
    rows = {v: {p.image: i for i, p in enumerate(photos_with_features(args.data, v))} for v in VIEWS}
    held = [p for p in photos if p.held_out and p.dataset == "flickr8k"]
    per_epoch = len(learnt) // args.photos

    def loss(step: int) -> torch.Tensor:
        batch, rng = draw(step, len(learnt), args.photos, args.seed)
        chosen = [rng.choice(VIEWS) for _ in batch]
        cells = np.stack([views[v][rows[v][learnt[i].image]] for v, i in zip(chosen, batch)])
        texts = draw_captions(ids, batch, args.captions, rng)
        return caption_loss(model, torch.from_numpy(cells).to(torch.bfloat16)[:, None], texts, args.smoothing)

    def captions() -> list[tuple[str, str]]:
        said = greedy_captions(model, vocabulary, views["plain"], [rows["plain"][p.image] for p in held])
        return [(p.image, text) for p, text in zip(held, said)]

    stage = Stage(args.out, per_epoch, per_epoch * args.epochs, loss, captions)
    run(stage, model, vocabulary, parameter_groups(model, {TRAINED: args.rate}))


if __name__ == "__main__":
    main()
