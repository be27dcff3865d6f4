"""Between two checkpoints of one lineage: a model that is less sure of the training photos than the later one.

python -m train.average --init DIR --earlier DIR --share 0.25 --out DIR [--only text_decoder.]

The stem stays as `--init` has it: stored cells are of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .checkpoint import load_model, save_model

STEM = "stem."
# The text encoder reads it too.
WORDS = "text_decoder.bert.embeddings.word_embeddings."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=Path, required=True, help="the later checkpoint")
    parser.add_argument("--earlier", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="of the earlier checkpoint")
    parser.add_argument("--only", default="", help="beginning of the parameters' names; the word table, which two modules read, then stays")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model, vocabulary = load_model(args.init)
    earlier = dict(load_model(args.earlier)[0].named_parameters())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            kept = name.startswith(STEM) or (args.only and name.startswith(WORDS))
            if name.startswith(args.only) and not kept:
                parameter.lerp_(earlier[name], args.share)
    save_model(args.out, model, vocabulary)


if __name__ == "__main__":
    main()
