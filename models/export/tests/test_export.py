"""A tiny random mPLUG-2 goes through the exporter: graphs agree with PyTorch, shards hold what was stored."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluate.photo_goldens import take_over_weights
from export.__main__ import export
from export.goldens import greedy
from export.shards import BLOB_BYTES, write_blobs
from export.tensors import Weight, quantise
from mplug2.config import DecoderConfig, FusionConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig
from mplug2.model import Mplug2

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(45))]


def tiny(bridge: bool) -> Mplug2:
    torch.manual_seed(3)
    width = 48 if bridge else 64
    return Mplug2(
        Mplug2Config(
            image_size=28,
            patch_size=14,
            vision=VisionConfig(64, 2, 1, 96),
            bridge=bridge,
            text=TextConfig(width, 4, 2, 4, 80, len(VOCABULARY), 32),
            latents=7,
            fusion=FusionConfig(2, 4),
            decoder=DecoderConfig(2),
            ids=TokenIds(0, 1, 2, 3, 4),
        )
    )


@pytest.mark.parametrize("bridge", [False, True])
def test_graphs_agree_with_pytorch(tmp_path: Path, bridge: bool, capsys: pytest.CaptureFixture[str]) -> None:
    export(tiny(bridge), VOCABULARY, tmp_path, {"id": "tiny", "name": "Tiny", "licence": "none"})
    line = next(text for text in capsys.readouterr().out.splitlines() if text.startswith("float32"))
    found = ast.literal_eval(line.removeprefix("float32 "))
    assert set(found) == {"vision", "universal", "decoder.memory", "decoder.step"}
    assert all(float(value) < 1e-4 for value in found.values())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for blob in manifest["blobs"]:
        data = (tmp_path / "blobs" / f"{blob['sha256']}.bin").read_bytes()
        assert len(data) == blob["bytes"] and hashlib.sha256(data).hexdigest() == blob["sha256"]
    for graph in manifest["graphs"].values():
        for variant in graph["variants"]:
            file = (tmp_path / variant["file"]["path"]).read_bytes()
            assert b"DequantizeLinear" not in file


def test_a_tensor_spans_blobs_and_comes_back_whole(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((3, BLOB_BYTES // 8 + 5)).astype(np.float32)
    odd = np.ones(3, np.int8)
    weights = [Weight("m.odd", "m", odd, odd, None, None), Weight("m.long", "m", values, values, None, None)]
    blobs: list[dict] = []
    entries = write_blobs(tmp_path, "m", weights, blobs)
    assert len(entries["m.long"]["pieces"]) == 2
    joined = b"".join(
        (tmp_path / f"{blobs[p['blob']]['sha256']}.bin").read_bytes()[p["offset"] : p["offset"] + p["bytes"]]
        for p in entries["m.long"]["pieces"]
    )
    assert joined == values.tobytes()


def test_quantising_keeps_every_channel_within_half_a_step() -> None:
    values = np.random.default_rng(1).standard_normal((16, 6)).astype(np.float32) * np.arange(6)
    stored, scales = quantise(values, 1)
    assert scales[0] == 1 and not stored[:, 0].any()
    assert (np.abs(stored * scales - values).max(axis=0) <= scales / 2 + 1e-6).all()


def test_a_model_takes_over_the_weights_of_its_export_only(tmp_path: Path) -> None:
    exported = tiny(True)
    export(exported, VOCABULARY, tmp_path, {"id": "tiny", "name": "Tiny", "licence": "none"})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    again = tiny(True)
    assert take_over_weights(again, manifest) == [blob["sha256"] for blob in manifest["blobs"]]
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), exported.parameters()))
    other = tiny(True)
    other.visn_fc.weight.data[0, 0] += 1
    with pytest.raises(SystemExit, match="other weights"):
        take_over_weights(other, manifest)


def test_margins_are_of_the_allowed_tokens() -> None:
    model = tiny(False).eval()
    memory = torch.randn(1, 5, model.config.text.width)
    tokens, margins = greedy(model, memory, min_length=3, max_length=3)
    assert len(tokens) == len(margins) == 3 and model.config.ids.end not in tokens
    with torch.inference_mode():
        logits = model.logits(model.decoder_hidden(torch.tensor([[model.config.ids.start]]), memory)[0, -1])
    allowed = [logit for token, logit in enumerate(logits.tolist()) if token != model.config.ids.end]
    best, second = sorted(allowed, reverse=True)[:2]
    assert margins[0] == pytest.approx(best - second)
