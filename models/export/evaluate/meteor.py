"""METEOR 1.5 (Denkowski and Lavie 2014) by its authors' Java program, as the package pycocoevalcap carries it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence

import numpy as np

from .bootstrap import Estimate, interval, resamples


def missing() -> str | None:
    """What METEOR lacks on this machine, or None."""
    if shutil.which("java") is None:
        return "Java was not found"
    if importlib.util.find_spec("pycocoevalcap") is None:
        return "the package pycocoevalcap is not installed"
    return None


def meteor(candidates: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> Estimate:
    """The program's figure for tokenised sentences. Its interval is that of the photos' mean, moved to the figure (it
    weighs photos by length). RuntimeError where something is missing."""
    if lacks := missing():
        raise RuntimeError(f"METEOR can't be computed: {lacks}")
    from pycocoevalcap.meteor.meteor import Meteor

    said = {i: [" ".join(tokens)] for i, tokens in enumerate(candidates)}
    wrote = {i: [" ".join(tokens) for tokens in sentences] for i, sentences in enumerate(references)}
    total, by_photo = Meteor().compute_score(wrote, said)
    draws = resamples(len(candidates)) @ np.array(by_photo) / len(candidates) + (total - np.mean(by_photo))
    return Estimate(float(total), *interval(draws))
