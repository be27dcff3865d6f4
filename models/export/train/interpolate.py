"""Between ImageNet's stem and a trained one: what was learnt on few photos, less of what was forgotten.

python -m train.interpolate --init DIR --out DIR [--trained 0.4]

The stem's parameters and the class head's become (1 − t) · ImageNet's + t · the checkpoint's (arXiv 2109.01903).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from mplug2.stem import pretrained

from .checkpoint import load_model, save_model


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trained", type=float, default=0.4, help="share of the checkpoint's own parameters")
    args = parser.parse_args()
    model, vocabulary = load_model(args.init)
    original = pretrained()
    pairs = [(p, original.get_parameter(name)) for name, p in model.stem.net.named_parameters()]
    pairs += [(model.class_head.weight, original._fc.weight), (model.class_head.bias, original._fc.bias)]
    for ours, imagenet in pairs:
        ours.copy_(torch.lerp(imagenet, ours, args.trained))
    save_model(args.out, model, vocabulary)


if __name__ == "__main__":
    main()
