"""Pictures of another size than the checkpoint's: its positions are resized, bilinearly and with half-pixel centres."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from released_checkpoint import TINY, state, write, write_config

from export.__main__ import main
from export.checkpoint import open_checkpoint, read_model
from export.errors import UnfitTensors, WrongShape
from export.positions import POSITIONS, resized


def by_hand(positions: np.ndarray, side: int) -> np.ndarray:
    """(1 + g·g)×D → (1 + side·side)×D, a cell at a time: cell i of n has its centre at (i + ½) / n, and there are no cells
    beyond the edge."""
    old = math.isqrt(len(positions) - 1)
    grid = positions[1:].reshape(old, old, -1).astype(np.float64)

    def around(i: int) -> list[tuple[int, float]]:
        at = min(max((i + 0.5) * old / side - 0.5, 0), old - 1)
        low = int(at)
        return [(low, 1 - at + low), (min(low + 1, old - 1), at - low)]

    cells = [
        sum(wy * wx * grid[y, x] for y, wy in around(row) for x, wx in around(column))
        for row in range(side)
        for column in range(side)
    ]
    return np.concatenate([positions[:1], np.stack(cells)])


@pytest.mark.parametrize(("old", "side"), [(2, 3), (3, 2), (4, 7), (16, 24), (5, 1), (1, 3)])
def test_cells_lie_between_those_of_the_checkpoint(old: int, side: int) -> None:
    positions = torch.randn(1 + old**2, 6)
    found = resized(positions, side)
    assert found.dtype == torch.float32 and found.shape == (1 + side**2, 6)
    assert np.abs(found.numpy() - by_hand(positions.numpy(), side)).max() < 1e-5


@pytest.mark.parametrize("size", [14, 42])
def test_a_checkpoint_is_exported_for_pictures_of_another_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    folder, out, side = write(tmp_path / "checkpoint", state()), tmp_path / "tiny", size // TINY.patch_size
    write_config(folder, image_size=size)
    wanted = by_hand(state()[POSITIONS].numpy(), side)
    assert np.abs(read_model(folder).state_dict()[POSITIONS].numpy() - wanted).max() < 1e-6
    monkeypatch.setattr(sys, "argv", ["export", "--family", "mplug2", "--checkpoint", str(folder), "--out", str(out)])
    # Checks the graphs against PyTorch.
    main()
    assert f"resized to {side} × {side} places: {POSITIONS}" in capsys.readouterr().out
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["preprocess"]["size"] == size
    assert all(bound < 1e-2 for bound in json.loads((out / "goldens.json").read_text())["bounds"]["float32"].values())


def test_positions_of_the_size_asked_for_stay_as_they_are(tmp_path: Path) -> None:
    write_config(write(tmp_path, state()), image_size=TINY.image_size)
    assert not open_checkpoint(tmp_path).inventory.resized
    assert torch.equal(read_model(tmp_path).state_dict()[POSITIONS], state()[POSITIONS])


@pytest.mark.parametrize(
    ("shape", "error", "told"),
    [
        ((6, 64), UnfitTensors, "has 5 places beside the class token's, no square"),
        ((1, 64), UnfitTensors, "has 0 places"),
        ((5, 63), WrongShape, r"positional_embedding is \[5, 63\], not \[10, 64\]"),
    ],
)
def test_other_positions_are_refused(
    tmp_path: Path, shape: tuple[int, ...], error: type[Exception], told: str
) -> None:
    write_config(write(tmp_path, {**state(), POSITIONS: torch.ones(shape)}), image_size=42)
    with pytest.raises(error, match=told):
        open_checkpoint(tmp_path)
