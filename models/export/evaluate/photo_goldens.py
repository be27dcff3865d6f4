"""What PyTorch in float32, on the weights that a model folder ships, gives for photos: captions, margins, fingerprints.

python -m evaluate.photo_goldens --model DIR --photos F… --out F.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image

from export.exported import read_exported, read_manifest
from export.goldens import fingerprints, normalised, reference_outputs, sentence_ids
from train.augment import squashed
from train.text import load_tokenizer

SAMPLES = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="an exported owlet-mini")
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model, vocabulary = read_exported(args.model)
    model.eval()
    manifest = read_manifest(args.model)
    blobs = [blob["sha256"] for blob in manifest["blobs"]]
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
