"""How far the model's ImageNet classes are those of the original EfficientNet-Lite2, its own classifier included."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from mplug2.stem import IMAGENET_SIZE, pretrained, stem_input
from train.data import PHOTO_SETS, PhotoTars

from .bootstrap import mean_by_photo
from .metric import Metric
from .subject import PHOTOS, SENTENCES, Subject, batches, photo_pixels


@torch.inference_mode()
def original_classes(data: Path, images: Sequence[str], kept: Path) -> dict[str, int]:
    """The original network's best class of each photo at its own size, remembered in the JSON file `kept`."""
    known: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    new = [image for image in images if image not in known]
    if not new:
        return {image: known[image] for image in images}
    net, tars = pretrained().eval().to(memory_format=torch.channels_last), PhotoTars(data, PHOTO_SETS)
    for number, some in enumerate(batches(new, PHOTOS)):
        known |= dict(zip(some, net(stem_input(photo_pixels(tars, some, IMAGENET_SIZE))).argmax(-1).tolist()))
        if number % 25 == 24 or number * PHOTOS + len(some) == len(new):
            kept.write_text(json.dumps(known) + "\n")
            print(f"original network: {number * PHOTOS + len(some)} of {len(new)} photos", flush=True)
    return {image: known[image] for image in images}


def best_five(subject: Subject, images: Sequence[str]) -> dict[str, list[int]]:
    """The model's five best classes of each photo that has been looked at, best first."""
    found: dict[str, list[int]] = {}
    for some in batches(images, SENTENCES):
        found |= dict(zip(some, subject.class_logits(some).topk(5).indices.tolist()))
    return found


def metrics(ours: Mapping[str, Sequence[int]], original: Mapping[str, int], held_out: set[str]) -> list[Metric]:
    """Agreement on all photos and on those held out; blind figures name the original's commonest class, or five, always."""
    found = []
    for split, images in (
        ("all photos", sorted(ours)),
        ("photos held out", sorted(image for image in ours if image in held_out)),
    ):
        if not images:
            continue
        common = [count / len(images) for _, count in Counter(original[image] for image in images).most_common(5)]
        first = mean_by_photo([ours[image][0] == original[image] for image in images], images)
        five = mean_by_photo([original[image] in ours[image] for image in images], images)
        found.append(Metric.of("class agreement, top 1", split, first, len(images), common[0]))
        found.append(Metric.of("original's class among our 5", split, five, len(images), sum(common)))
    return found
