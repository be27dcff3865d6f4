"""Fingerprints of every graph's outputs on a picture, by PyTorch on the dequantised weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mplug2.model import Mplug2

Outputs = dict[str, dict[str, np.ndarray]]
SAMPLES = 64


def pattern_bytes(size: int) -> np.ndarray:
    """The made picture, size×size×3: byte(y, x, c) = (7x + 13y + 85c + 3·⌊xy/32⌋) mod 256."""
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return ((x * 7 + y * 13 + c * 85 + ((x * y) >> 5) * 3) & 255).astype(np.uint8)


def pattern_pixels(model: Mplug2) -> torch.Tensor:
    """The made picture as the graph wants it, 1×3×1×R×R."""
    return normalised(model, pattern_bytes(model.config.image_size))


def normalised(model: Mplug2, picture: np.ndarray) -> torch.Tensor:
    """Bytes R×R×3 as the graph wants them, 1×3×1×R×R."""
    config = model.config
    pixels = torch.from_numpy(picture).float() / 255
    pixels = (pixels - torch.tensor(config.mean)) / torch.tensor(config.std)
    return pixels.permute(2, 0, 1)[None, :, None].contiguous()


@torch.inference_mode()
def greedy(model: Mplug2, memory: torch.Tensor, min_length: int, max_length: int) -> tuple[list[int], list[float]]:
    """Greedy ids over memory 1×N×E, the end token included where it came, and by how much each logit led the next."""
    ids, margins = [model.config.ids.start], []
    for step in range(max_length):
        logits = model.logits(model.decoder_hidden(torch.tensor([ids]), memory)[0, -1])
        if step < min_length:
            logits[model.config.ids.end] = -torch.inf
        best, second = logits.topk(2).values.tolist()
        margins.append(best - second)
        ids.append(int(logits.argmax()))
        if ids[-1] == model.config.ids.end:
            break
    return ids[1:], margins


@torch.inference_mode()
def reference_outputs(
    model: Mplug2, pixels: torch.Tensor, min_length: int, max_length: int
) -> tuple[Outputs, list[int], list[float]]:
    """Every graph's outputs, each fed by the one before, `decoder.step` by the start id and all but the last token;
    the greedy tokens and their margins."""
    visual = model.vision(model.cells(pixels))
    memory = model.universal(visual)
    tokens, margins = greedy(model, memory, min_length, max_length)
    ids = torch.tensor([[model.config.ids.start, *tokens[:-1]]])
    cross = {}
    for i, layer in enumerate(model.text_decoder["bert"]["encoder"]):
        attention = layer.crossattention
        for kind in ("key", "value"):
            cross[f"cross_{kind}_{i}"] = attention.split(attention.self[kind](memory)).numpy()
    logits = model.logits(model.decoder_hidden(ids, memory))
    return {
        "vision": {"visual": visual.numpy()},
        "universal": {"memory": memory.numpy()},
        "decoder.memory": cross,
        "decoder.step": {"logits": logits.numpy()},
    }, tokens, margins


def feeds_of(
    graph: str, model: Mplug2, pixels: torch.Tensor, done: Outputs, tokens: list[int]
) -> dict[str, np.ndarray]:
    """The inputs of one graph of the chain, from the outputs before it."""
    if graph == "vision":
        return {"pixels": pixels.numpy()}
    if graph == "universal":
        return done["vision"]
    if graph == "decoder.memory":
        return done["universal"]
    config = model.config.text
    empty = np.zeros((1, config.heads, 0, config.width // config.heads), np.float32)
    feeds: dict[str, np.ndarray] = {"ids": np.array([[model.config.ids.start, *tokens[:-1]]], np.int32)}
    feeds.update(done["decoder.memory"])
    for i in range(model.config.decoder.layers):
        feeds[f"past_key_{i}"] = feeds[f"past_value_{i}"] = empty
    return feeds


def differences(reference: Outputs, run: Callable[[str], dict[str, np.ndarray]]) -> dict[str, float]:
    """Greatest absolute difference of each graph against the reference."""
    found = {}
    for graph, outputs in reference.items():
        got = run(graph)
        found[graph] = max(float(np.abs(got[name] - values).max()) for name, values in outputs.items())
    return found


def fingerprints(outputs: Outputs, samples: int = SAMPLES) -> dict:
    """`samples` values of each output at positions spread over it, with the greatest magnitude."""
    marks: dict = {}
    for graph, values in outputs.items():
        marks[graph] = {}
        for name, value in values.items():
            flat = value.reshape(-1)
            step = 2654435761
            indices = sorted({(i * step) % flat.size for i in range(min(samples, flat.size))})
            marks[graph][name] = {
                "shape": list(value.shape),
                "indices": indices,
                "values": [round(float(flat[i]), 5) for i in indices],
                "max": round(float(np.abs(flat).max()), 5),
            }
    return marks
