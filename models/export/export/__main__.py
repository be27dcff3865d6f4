"""Exports a checkpoint, this project's own or in the authors' form, to a model that the runtime loads.

python -m export --family mplug2 --checkpoint DIR --out models/<id>
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from .checkpoint import folder_of, open_checkpoint
from .errors import ExportError, UnreadableQuality, telling_full_disk
from .freed_memory import give_back_freed
from .manifest import write_model
from .stored_forms import DEFAULT, DEVICES, Forms

TAPS_HELP = "beside the float32 graphs, tapped ones that hand on inner tensors too, and taps.json; for comparisons"
CHECKPOINT_HELP = "folder or file: safetensors, .pth or .bin, sharded or not; config.json beside it where shapes do not tell all"
VOCAB_HELP = "one piece a line; default: the checkpoint's vocab.txt, or BERT's where that has as many pieces"
REPORT_HELP = "write here, as JSON, what becomes of every tensor and what the forms cost"
VARIANTS_HELP = (
    f"forms of the graphs ({', '.join(DEVICES)}; default: {' '.join(DEFAULT)}), which say how weights are stored; those of int8 serve "
    "float32 too; MODULE=FORM,FORM: one module's"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=["mplug2"], required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help=CHECKPOINT_HELP)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocab", type=Path, help=VOCAB_HELP)
    parser.add_argument("--variants", nargs="+", default=list(DEFAULT), metavar="FORM", help=VARIANTS_HELP)
    parser.add_argument("--taps", action="store_true", help=TAPS_HELP)
    parser.add_argument("--report", type=Path, help=REPORT_HELP)
    parser.add_argument("--name", help="shown to people; default: the folder's name")
    parser.add_argument("--licence", default="see README.md")
    args = parser.parse_args()
    try:
        args.forms = Forms.parse(args.variants)
        if args.taps and "float32" not in args.forms.used():
            parser.error("--taps needs float32 among --variants")
        with telling_full_disk(args.out):
            export(args)
    except ExportError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def read_quality(file: Path) -> dict | None:
    """What the manifest is to say of the model's figures; nothing where there is no file. UnreadableQuality where it is none."""
    if not file.exists():
        return None
    remedy = "write it by `python -m evaluate.quality`, or remove it"
    try:
        quality = json.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise UnreadableQuality(f"{file} is no file of figures ({error})", remedy) from error
    if not isinstance(quality, dict) or not isinstance(quality.get("metrics"), list):
        raise UnreadableQuality(f"{file} has no list of metrics", remedy)
    return quality


def export(args: argparse.Namespace) -> None:
    """Reads the checkpoint and writes the model."""
    give_back_freed()
    # The fingerprints' last digits depend on how many threads share a sum.
    torch.set_num_threads(1)
    checkpoint = open_checkpoint(args.checkpoint, args.vocab, args.report)
    out = args.out.resolve()
    identity = {"id": out.name, "name": args.name or out.name, "licence": args.licence}
    how = (args.forms, read_quality(folder_of(args.checkpoint) / "quality.json"), args.taps)
    written = write_model(
        checkpoint.model, checkpoint.vocabulary, out, identity, *how, parameters=checkpoint, source=checkpoint.identity()
    )
    if args.report:
        checkpoint.inventory.write(args.report, written.report())


if __name__ == "__main__":
    main()
