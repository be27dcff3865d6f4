"""What training does to stored cells, and the stem that makes them."""

import numpy as np
import torch

from mplug2.stem import EfficientNetLiteStem, stem_input
from train.cell_batches import blanked, mirrored
from train.resting_stem import resting


def test_cells_stay_as_they_are_where_nothing_is_to_be_left_out() -> None:
    cells = torch.rand(2, 1, 81, 16)
    assert blanked(cells, 0.0, 1) is cells


def test_a_share_of_cells_and_channels_is_left_out_by_chance_that_follows_from_the_step() -> None:
    cells = torch.ones(200, 1, 81, 64)
    some = blanked(cells, 0.4, 3)
    assert torch.equal(some, blanked(cells, 0.4, 3)) and not torch.equal(some, blanked(cells, 0.4, 4))
    gone = (some == 0).all(-1).float().mean((1, 2))
    assert gone.max() < 0.6 and 0.15 < gone.mean() < 0.25
    # What is left has the mean that all had, so that whole photos look no different later.
    there = some[~(some == 0).all(-1)]
    assert abs(there.mean() - 1) < 0.02
    assert 0.08 < (there == 0).float().mean() < 0.12


def test_half_of_the_photos_that_may_be_are_seen_as_in_a_mirror() -> None:
    cells = torch.rand(100, 1, 9, 4)
    some = mirrored(cells, [True] * 90 + [False] * 10, 5)
    turned = (some != cells).flatten(1).any(1)
    assert 30 < turned.sum() < 60 and not turned[90:].any()
    row = int(turned.nonzero()[0, 0])
    assert torch.equal(some[row, 0, :3], cells[row, 0, [2, 1, 0]])


def test_the_resting_stem_makes_the_cells_of_the_stem() -> None:
    stem = EfficientNetLiteStem().eval().to(memory_format=torch.channels_last)
    pixels = stem_input(np.random.default_rng(1).integers(0, 256, (3, 260, 260, 3), np.uint8))
    with torch.inference_mode():
        right = stem(pixels).flatten(2).transpose(1, 2)
        # Traced at another batch size, as the last batch of a folder has.
        cells = resting(stem, 2)(pixels).float()
    assert cells.shape == right.shape == (3, 81, 1280)
    assert (cells - right).abs().mean() < 0.1 * right.mean()
