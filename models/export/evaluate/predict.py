"""Captions of a data folder's held-out photos by PyTorch in float32, to compare the browser's with.

python -m evaluate.predict --data DIR --checkpoint DIR --out F.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch

from train.checkpoint import load_model
from train.data import PhotoTars, captioned_photos
from train.features import view_pixels
from train.generate import greedy_ids
from train.text import load_tokenizer


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dataset", choices=["flickr8k", "coco"], default="flickr8k")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, vocabulary = load_model(args.checkpoint)
    model.eval()
    tokenizer = load_tokenizer(vocabulary)
    config = model.config
    mean, std = torch.tensor(config.mean).view(3, 1, 1, 1), torch.tensor(config.std).view(3, 1, 1, 1)
    held = [p for p in captioned_photos(args.data) if p.held_out and p.dataset == args.dataset]
    tars = PhotoTars(args.data, (args.dataset,))
    with args.out.open("w") as out:
        for first in range(0, len(held), 20):
            some = held[first : first + 20]
            stored = [view_pixels(tars.open(p.image), "plain", config.image_size, random.Random(0)) for p in some]
            pixels = torch.from_numpy(np.stack(stored)).float().div(255).permute(0, 3, 1, 2)[:, :, None]
            memory = model.universal(model.vision(model.cells((pixels - mean) / std)))
            for photo, ids in zip(some, greedy_ids(model, memory)):
                out.write(json.dumps({"media": photo.image, "text": tokenizer.decode(ids)}) + "\n")


if __name__ == "__main__":
    main()
