"""Chances that a training photo meets, so that the model bears photos sharper, softer and darker than the stored ones.

The stored photos are 224–256 px WebP files, squashed to squares; a user's photo is sharp, a video's frame is not.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from .data import PhotoTars

_SCALERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def squashed(photo: Image.Image, size: int) -> np.ndarray:
    """An RGB photo as the runtime sees it: uint8 size×size×3, by PIL bicubic."""
    return np.asarray(photo.resize((size, size), Image.Resampling.BICUBIC))


def random_crop(photo: Image.Image, size: int, rng: random.Random) -> Image.Image:
    """75–100 % of each side, resized to size×size by PIL bicubic."""
    w, h = photo.size
    cw, ch = w * rng.uniform(0.75, 1), h * rng.uniform(0.75, 1)
    x, y = rng.uniform(0, w - cw), rng.uniform(0, h - ch)
    return photo.resize((size, size), Image.Resampling.BICUBIC, box=(x, y, x + cw, y + ch))


def may_mirror(texts: tuple[str, ...]) -> bool:
    """Whether texts about a photo stay true in its mirror image: none names a side or reads letters."""
    sided = {"left", "right", "lefthand", "righthand", "lefts", "clockwise", "east", "west"}
    lettered = {"says", "reads", "saying", "written", "word", "words", "letter", "letters", "number", "numbers", "time"}
    return not any((sided | lettered) & set(text.lower().replace("-", " ").replace(".", " ").split()) for text in texts)


def _sharpness(photo: Image.Image, rng: random.Random) -> Image.Image:
    """One of: as it is (half of the time), blurred, scaled down and up, sharpened."""
    chance = rng.random()
    if chance < 0.5:
        return photo
    if chance < 0.65:
        return photo.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    if chance < 0.8:
        small = round(photo.width * rng.uniform(0.4, 0.9))
        return photo.resize((small, small), rng.choice(_SCALERS)).resize(photo.size, rng.choice(_SCALERS))
    return photo.filter(ImageFilter.UnsharpMask(rng.uniform(0.6, 1.6), round(rng.uniform(40, 150)), 2))


def _colours(photo: Image.Image, rng: random.Random) -> Image.Image:
    """Half of the time brightness, contrast and saturation change a little; hues stay, as texts name them."""
    if rng.random() < 0.5:
        return photo
    for kind in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        photo = kind(photo).enhance(rng.uniform(0.8, 1.2))
    return photo


def augment(image: Image.Image, size: int, rng: random.Random, mirror_allowed: bool = True) -> np.ndarray:
    """An RGB photo by chance cropped, mirrored, softened or sharpened, recoloured, compressed: uint8 size×size×3."""
    photo = _colours(_sharpness(random_crop(image, size, rng), rng), rng)
    if rng.random() < 0.2:
        stored = io.BytesIO()
        photo.save(stored, "JPEG", quality=rng.randint(40, 90))
        photo = Image.open(stored).convert("RGB")
    if rng.random() < 0.5 and mirror_allowed:
        photo = ImageOps.mirror(photo)
    return np.asarray(photo)


def augmented(tars: PhotoTars, images: Sequence[str], mirror_allowed: Sequence[bool], size: int, rng: random.Random) -> np.ndarray:
    """Photos of the tar files, each augmented: uint8 P×size×size×3."""
    return np.stack([augment(tars.open(image), size, rng, may) for image, may in zip(images, mirror_allowed)])
