"""What PyTorch in float32, on the weights that a model folder ships, gives for photos: captions, margins, fingerprints.

python -m evaluate.photo_goldens --checkpoint DIR --model DIR --photos F… --out F.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from PIL import Image

from export.build import build_graphs
from export.goldens import fingerprints, normalised, reference_outputs, sentence_ids
from export.shards import write_shards
from mplug2.model import Mplug2
from train.checkpoint import load_model
from train.augment import squashed
from train.text import load_tokenizer

SAMPLES = 128


def take_over_weights(model: Mplug2, manifest: dict) -> list[str]:
    """Quantises as the exporter does, so that only arithmetic is left to differ; returns the blobs' digests."""
    store, _ = build_graphs(model)
    with tempfile.TemporaryDirectory() as folder:
        blobs, tensors = write_shards(Path(folder), store)
    if blobs != manifest["blobs"] or tensors != manifest["tensors"]:
        raise SystemExit("the model folder was not exported from this checkpoint: its blobs hold other weights")
    return [blob["sha256"] for blob in blobs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the model's folder, exported from the checkpoint")
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model, vocabulary = load_model(args.checkpoint)
    manifest = json.loads((args.model / "manifest.json").read_text())
    blobs = take_over_weights(model, manifest)
    generate = manifest["tasks"]["caption"]["steps"][-1]
    sentence = sentence_ids(model, vocabulary)
    photos = []
    for path in args.photos:
        # Upright and opaque RGB photos only: what else happens to a picture is tested where pictures are decoded.
        with Image.open(path) as photo:
            if photo.mode != "RGB" or photo.getexif().get(0x0112, 1) != 1:
                raise SystemExit(f"{path} is not an upright RGB photo")
            pixels = normalised(model, squashed(photo, model.config.image_size).copy())
        lengths = generate["minLength"], generate["maxLength"]
        outputs, tokens, margins = reference_outputs(model, pixels, sentence, *lengths)
        marks = fingerprints({"preprocess": {"pixels": pixels.numpy()}, **outputs}, SAMPLES)
        print(path.name, load_tokenizer(vocabulary).decode(tokens), f"least margin {min(margins):.3f}")
        photos.append(
            {"photo": path.name, "tokens": tokens, "margins": [round(m, 5) for m in margins], "outputs": marks}
        )
    args.out.write_text(json.dumps({"blobs": blobs, "ids": sentence, "photos": photos}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
