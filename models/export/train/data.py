"""The data folder (`--data DIR`): photos in tar files, captions in JSON lines.

Nothing held out is trained on: Flickr8k keeps its `val` split; a COCO photo is held out exactly when
the SHA-1 of its `image` path, read as a number, is divisible by 5.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image


PHOTO_SETS = ("flickr8k", "coco", "daquar")
"""Names of the tar files with photos."""


@dataclass(frozen=True)
class CaptionedPhoto:
    """One photo and the sentences people wrote about it."""

    image: str
    dataset: str
    held_out: bool
    captions: tuple[str, ...]


def is_held_out(image: str) -> bool:
    """The fixed rule for photos without a split of their own."""
    return int(hashlib.sha1(image.encode()).hexdigest(), 16) % 5 == 0


def captioned_photos(data: Path) -> list[CaptionedPhoto]:
    """Reads `captions.jsonl` in its own order."""
    photos = []
    for line in (data / "captions.jsonl").read_text().splitlines():
        row = json.loads(line)
        held = row["split"] == "val" if row["dataset"] == "flickr8k" else is_held_out(row["image"])
        photos.append(CaptionedPhoto(row["image"], row["dataset"], held, tuple(row["captions"])))
    return photos


def fold(sentence: str) -> str:
    """Case and white space folded, for telling whether two sentences are the same."""
    return " ".join(sentence.lower().split())


def held_out_sentences(photos: list[CaptionedPhoto]) -> set[str]:
    """References of held-out photos, folded: no text that is learnt from may equal one."""
    return {fold(c) for p in photos if p.held_out for c in p.captions}


def free_sentences(data: Path, held_out: set[str]) -> list[str]:
    """COCO sentences without photos, less every sentence equal to a held-out reference (folded)."""
    with gzip.open(data / "coco_val2014_captions.txt.gz", "rt") as lines:
        return [line.strip() for line in lines if fold(line) and fold(line) not in held_out]


class PhotoTars:
    """Random access to the photos of several tar files; bytes are kept in memory as stored."""

    def __init__(self, data: Path, names: tuple[str, ...]) -> None:
        self._bytes: dict[str, bytes] = {}
        for name in names:
            with tarfile.open(data / f"{name}.tar") as tar:
                for member in tar:
                    if member.isfile():
                        stream = tar.extractfile(member)
                        assert stream is not None
                        self._bytes[member.name.removeprefix("./")] = stream.read()

    def stored(self, image: str) -> bytes:
        """The file of one photo; KeyError where the tar files hold no such path."""
        return self._bytes[image]

    def open(self, image: str) -> Image.Image:
        """Decodes one photo as RGB; KeyError where the tar files hold no such path."""
        return Image.open(io.BytesIO(self.stored(image))).convert("RGB")


def held_flickr8k(photos: list[CaptionedPhoto]) -> list[str]:
    """The held-out photos whose captions show how a stage goes."""
    return [p.image for p in photos if p.held_out and p.dataset == "flickr8k"]
