"""Fingerprints of every graph's outputs on a made picture and a sentence, by PyTorch on the dequantised weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mplug2.bert import Memory
from mplug2.model import Mplug2
from train.generate import greedy
from train.text import load_tokenizer

from .bert_graph import query_factor
from .split import fusion_groups, handed_on, memory_groups, rows_a_run, vision_groups

Values = dict[str, np.ndarray]
Outputs = dict[str, Values]
SAMPLES = 64
SENTENCE = "a man and a dog are playing in the park"
TOP = 8


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


def sentence_ids(model: Mplug2, vocabulary: list[str]) -> list[int]:
    """What the text encoder is fed: the start token and SENTENCE, no end token."""
    return [model.config.ids.start, *load_tokenizer(vocabulary).encode(SENTENCE, add_special_tokens=False).ids]


Tensors = dict[str, dict[str, torch.Tensor]]


def cross_keys_values(model: Mplug2, memory: torch.Tensor) -> Tensors:
    """cross_key_i and cross_value_i of every decoder layer, by the graphs that make them."""
    found: Tensors = {}
    layers = list(model.text_decoder["bert"]["encoder"])
    for group in memory_groups(model.config):
        made = found.setdefault(group.name, {})
        for i in range(group.first, group.stop):
            attention = layers[i].crossattention
            for kind in ("key", "value"):
                made[f"cross_{kind}_{i}"] = attention.split(attention.self[kind](memory))
    return found


def blocks_outputs(model: Mplug2, tokens: torch.Tensor, visual: torch.Tensor) -> Tensors:
    """What the graphs of the blocks yield: the frames' tokens between them, in the end `visual`."""
    blocks = model.visual_encoder["visual"].transformer["resblocks"]
    *before, last = vision_groups(model.config)
    found: Tensors = {}
    for group in before:
        for i in range(group.first, group.stop):
            tokens = blocks[i // 2].feed_forward(tokens) if i % 2 else blocks[i // 2].attend(tokens)
        found[group.name] = {handed_on("tokens", group.stop): tokens}
    return {**found, last.name: {"visual": visual}}


def universal_outputs(model: Mplug2, visual: torch.Tensor, memory: torch.Tensor) -> Tensors:
    """What the universal module's graphs yield in vision mode, in the end `memory`."""
    if rows_a_run(model.config) is None:
        return {"universal": {"memory": memory}}
    attention = model.universal_layers()[-1].attention
    query, key, value = (attention.self[name](visual) for name in ("query", "key", "value"))
    gathered = {
        "gathered": model.gather(visual),
        "visual_query": query * query_factor(model.config.text),
        "visual_key": attention.split(key),
        "visual_value": attention.split(value),
    }
    return {"universal.gather": gathered, "universal.read": {"memory": memory}}


def fusion_outputs(model: Mplug2, hidden: torch.Tensor, memory: torch.Tensor, fused: torch.Tensor) -> Tensors:
    """What the graphs of fusion yield: the text's tokens between them, in the end `fused` and `answer_memory`."""
    layers = list(model.fusion_encoder["encoder"])
    *before, last = fusion_groups(model.config)
    found: Tensors = {}
    for group in before:
        for layer in layers[group.first : group.stop]:
            hidden = layer(hidden, Memory(memory))
        found[group.name] = {handed_on("hidden", group.stop): hidden}
    return {**found, last.name: {"fused": fused, "answer_memory": torch.cat([memory, fused], 1)}}


@torch.inference_mode()
def reference_outputs(
    model: Mplug2, pixels: torch.Tensor, sentence: list[int], min_length: int, max_length: int
) -> tuple[Outputs, list[int], list[float]]:
    """Every graph's outputs, each fed by those before (the decoder's memory by the visual one, `decoder.step` as
    `step_inputs` says); the greedy tokens and their margins. Ids of the likeliest tokens are left out: close ones
    may change places."""
    cells = model.cells(pixels)
    tokens = model.visual_encoder["visual"].tokens(cells)
    visual = model.vision(cells)
    memory = model.universal(visual)
    said, margins = greedy(model, memory, min_length, max_length)
    logits = model.logits(model.decoder_hidden(torch.tensor([[model.config.ids.start, *said[:-1]]]), memory))
    logp = logits.log_softmax(-1)
    ids = torch.tensor([sentence])
    mask = torch.ones_like(ids)
    hidden = model.text(ids, mask)
    fused = model.fusion(hidden, memory, mask)
    found: Tensors = {
        "vision.frame": {"tokens": tokens},
        **blocks_outputs(model, tokens, visual),
        **universal_outputs(model, visual, memory),
        "decoder.step": {
            "logits": logits,
            "top_logprob": logp[:, -1].topk(TOP).values,
            "target_logprob": logp.gather(2, torch.tensor([said])[..., None])[..., 0],
        },
        "text": {"hidden": hidden},
        **fusion_outputs(model, hidden, memory, fused),
    }
    if model.config.heads:
        found["vision.frame"]["pooled"] = cells.mean(2)
        found["match"] = {"match_logits": model.match_logits(fused)}
        found["embed.visual"] = {"embedding": model.embed_visual(memory)}
        found["embed.text"] = {"embedding": model.embed_text(hidden, mask)}
        found["classify"] = {"class_logits": model.class_logits(cells)}
    found |= cross_keys_values(model, memory)
    outputs = {graph: {name: value.numpy() for name, value in values.items()} for graph, values in found.items()}
    return outputs, said, margins


def step_inputs(model: Mplug2, said: list[int]) -> Values:
    """`decoder.step` fed with the start id and all but the last token, empty caches, and the tokens as targets."""
    text = model.config.text
    empty = np.zeros((1, text.heads, 0, text.width // text.heads), np.float32)
    pasts = {f"past_{kind}_{i}": empty for i in range(model.config.decoder.layers) for kind in ("key", "value")}
    return {
        "ids": np.array([[model.config.ids.start, *said[:-1]]], np.int32),
        "beam_index": np.zeros(1, np.int32),
        "k": np.array([TOP], np.int64),
        "targets": np.array([said], np.int32),
        **pasts,
    }


def chained_outputs(
    model: Mplug2,
    graphs: dict[str, Callable[[Values], Values]],
    pixels: torch.Tensor,
    sentence: list[int],
    said: list[int],
) -> Outputs:
    """What the graphs yield, in the order given, each fed by the outputs of those before."""
    values = {"pixels": pixels.numpy(), "ids": np.array([sentence], np.int32)}
    done = {}
    for name, run in graphs.items():
        done[name] = run({**values, **step_inputs(model, said)} if name == "decoder.step" else values)
        values.update(done[name])
    return done


def differences(reference: Outputs, found: Outputs) -> dict[str, float]:
    """Greatest absolute difference of each graph against the reference."""
    return {
        graph: max(float(np.abs(found[graph][name] - values).max()) for name, values in outputs.items())
        for graph, outputs in reference.items()
    }


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
