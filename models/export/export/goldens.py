"""Fingerprints of every graph's outputs on a made picture and a sentence, by PyTorch on the dequantised weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from mplug2.bert import Memory
from mplug2.model import Mplug2
from train.generate import greedy
from train.text import load_tokenizer

from .bert_graph import query_factor
from .parts import modules_of
from .split import fusion_groups, handed_on, memory_groups, rows_a_run, vision_groups

Values = dict[str, np.ndarray]
Outputs = dict[str, Values]
T = TypeVar("T")
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


def as_numpy(found: Tensors) -> Outputs:
    """The same values for onnxruntime."""
    return {graph: {name: value.numpy() for name, value in values.items()} for graph, values in found.items()}


Seen = dict[str, torch.Tensor]
"""What PyTorch has computed so far by name, beginning with `pixels` B×3×T×R×R and `ids` 1×L; each module adds what later
ones read."""


def vision_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Adds `cells` and `visual`."""
    cells = seen["cells"] = model.cells(seen["pixels"])
    seen["visual"] = model.vision(cells)
    pooled = {"pooled": cells.mean(2)} if model.config.heads else {}
    tokens = model.visual_encoder["visual"].tokens(cells)
    blocks = blocks_outputs(model, tokens, seen["visual"])
    return as_numpy({"vision.frame": {"tokens": tokens, **pooled}, **blocks})


def universal_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Adds `memory`."""
    seen["memory"] = model.universal(seen["visual"])
    return as_numpy(universal_outputs(model, seen["visual"], seen["memory"]))


def decoder_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Adds the greedy tokens, `said`, and their `margins`; `decoder.step` is fed as `step_inputs` says."""
    memory = seen["memory"]
    said, margins = greedy(model, memory, *(int(n) for n in seen["lengths"]))
    seen["said"], seen["margins"] = torch.tensor(said), torch.tensor(margins, dtype=torch.float64)
    logits = model.logits(model.decoder_hidden(torch.tensor([[model.config.ids.start, *said[:-1]]]), memory))
    logp = logits.log_softmax(-1)
    step = {
        "logits": logits,
        "top_logprob": logp[:, -1].topk(TOP).values,
        "target_logprob": logp.gather(2, torch.tensor([said])[..., None])[..., 0],
    }
    return as_numpy({"decoder.step": step, **cross_keys_values(model, memory)})


def text_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Adds `hidden`."""
    seen["hidden"] = model.text(seen["ids"], torch.ones_like(seen["ids"]))
    return as_numpy({"text": {"hidden": seen["hidden"]}})


def fusion_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Adds `fused`."""
    memory = seen["memory"]
    fused = seen["fused"] = model.fusion(seen["hidden"], memory, torch.ones_like(seen["ids"]))
    return as_numpy(fusion_outputs(model, seen["hidden"], memory, fused))


def match_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Fits or not."""
    return as_numpy({"match": {"match_logits": model.match_logits(seen["fused"])}})


def embed_reference(model: Mplug2, seen: Seen) -> Outputs:
    """Picture and sentence in one space."""
    visual, text = model.embed_visual(seen["memory"]), model.embed_text(seen["hidden"], torch.ones_like(seen["ids"]))
    return as_numpy({"embed.visual": {"embedding": visual}, "embed.text": {"embedding": text}})


def classify_reference(model: Mplug2, seen: Seen) -> Outputs:
    """ImageNet's classes."""
    return as_numpy({"classify": {"class_logits": model.class_logits(seen["cells"])}})


# In the order in which each one's inputs come about. Every function runs with its module's parameters alone.
REFERENCES: dict[str, Callable[[Mplug2, Seen], Outputs]] = {
    "vision": vision_reference,
    "universal": universal_reference,
    "decoder": decoder_reference,
    "text": text_reference,
    "fusion": fusion_reference,
    "match": match_reference,
    "embed": embed_reference,
    "classify": classify_reference,
}


def first_seen(pixels: torch.Tensor, sentence: list[int], min_length: int, max_length: int) -> Seen:
    """What the references begin with."""
    return {"pixels": pixels, "ids": torch.tensor([sentence]), "lengths": torch.tensor([min_length, max_length])}


def in_order(outputs: dict[str, T]) -> dict[str, T]:
    """As goldens.json lists graphs: the decoder's memory last."""
    return {name: outputs[name] for name in sorted(outputs, key=lambda name: name.startswith("decoder.memory"))}


@torch.inference_mode()
def reference_outputs(
    model: Mplug2, pixels: torch.Tensor, sentence: list[int], min_length: int, max_length: int
) -> tuple[Outputs, list[int], list[float]]:
    """Every graph's outputs of a whole model, each fed by those before; the greedy tokens and their margins. Ids of the
    likeliest tokens are left out: close ones may change places."""
    seen = first_seen(pixels, sentence, min_length, max_length)
    outputs: Outputs = {}
    for module in modules_of(model.config):
        outputs |= REFERENCES[module](model, seen)
    return in_order(outputs), seen["said"].tolist(), seen["margins"].tolist()


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
