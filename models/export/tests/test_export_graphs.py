"""Graphs under lengths and batches that an export's own check doesn't have: frames, rows, beams, candidates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_model import PATCH, VOCABULARY, close, native_graphs, tiny

from export.native import NativeGraph
from mplug2.model import Mplug2

K = 5


def memory_of(rows: int, tokens: int, model: Mplug2) -> torch.Tensor:
    return torch.randn(rows, tokens, model.config.text.width)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frames_one_by_one_are_the_video(frames: int) -> None:
    model = tiny(bridge=True, heads=True)
    graphs = native_graphs(model)
    pixels = torch.randn(2, 3, frames, 2 * PATCH, 2 * PATCH)
    runs = [graphs["vision.frame"]({"pixels": pixels[:, :, t : t + 1].numpy()}) for t in range(frames)]
    seen = {name: np.concatenate([r[name] for r in runs], 1) for name in ("tokens", "pooled")}
    with torch.inference_mode():
        cells = model.cells(pixels)
        assert close(graphs["vision.blocks"](seen)["visual"], model.vision(cells))
        assert close(graphs["classify"](seen)["class_logits"], model.class_logits(cells))


@torch.inference_mode()
def test_rows_of_text_share_a_memory_or_have_their_own() -> None:
    model = tiny(heads=True, shared=True)
    graphs = native_graphs(model)
    ids = torch.randint(len(VOCABULARY), (3, 6))
    mask = torch.ones_like(ids)
    hidden = model.text(ids, mask)
    found = graphs["text"]({"ids": ids.numpy().astype(np.int32)})["hidden"]
    assert close(found, hidden)
    assert close(graphs["embed.text"]({"hidden": found})["embedding"], model.embed_text(hidden, mask))
    for rows in (1, 3):
        memory = memory_of(rows, 9, model)
        every = memory.expand(3, -1, -1)
        fused = model.fusion(hidden, every, mask)
        made = graphs["fusion"]({"hidden": found, "memory": memory.numpy()})
        assert close(made["fused"], fused)
        assert close(made["answer_memory"], torch.cat([every, fused], 1))
        assert close(graphs["match"](made)["match_logits"], model.match_logits(fused))
        assert close(graphs["embed.visual"]({"memory": memory.numpy()})["embedding"], model.embed_visual(memory))


def step(
    graph: NativeGraph, model: Mplug2, cross: dict, before: dict | None, ids: torch.Tensor, beams: list[int]
) -> dict[str, np.ndarray]:
    """One run of `decoder.step` after the run `before` (none: an empty past of one row); targets: the ids, turned."""
    text, layers = model.config.text, range(model.config.decoder.layers)
    empty = np.zeros((1, text.heads, 0, text.width // text.heads), np.float32)
    names = [f"{kind}_{i}" for i in layers for kind in ("key", "value")]
    past = {f"past_{name}": before[f"present_{name}"] if before else empty for name in names}
    rows = ids.numpy().astype(np.int32)
    fed = {"ids": rows, "targets": rows[:, ::-1].copy(), "beam_index": np.array(beams, np.int32)}
    return graph({**cross, **past, **fed, "k": np.array([K])})


@torch.inference_mode()
def agrees(found: dict[str, np.ndarray], model: Mplug2, memory: torch.Tensor, ids: torch.Tensor, new: int) -> bool:
    """Whether a run yields what the whole rows `ids` yield in PyTorch at their last `new` positions."""
    logits = model.logits(model.decoder_hidden(ids, memory.expand(len(ids), -1, -1)))[:, -new:]
    logp = logits.log_softmax(-1)
    top = logp[:, -1].topk(K)
    targets = ids[:, -new:].flip(1)
    return (
        close(found["logits"], logits)
        and close(found["top_logprob"], top.values)
        and np.array_equal(found["top_id"], top.indices.numpy())
        and close(found["target_logprob"], logp.gather(2, targets[..., None])[..., 0])
    )


@pytest.mark.parametrize("memory_rows", [1, 3])
def test_beams_go_on_from_the_rows_they_name(memory_rows: int) -> None:
    model = tiny(shared=True)
    graphs = native_graphs(model)
    memory = memory_of(1, 9, model).expand(memory_rows, -1, -1).contiguous()
    cross = graphs["decoder.memory"]({"memory": memory.numpy()})
    one = {name: value[:1] for name, value in cross.items()}
    prompt = torch.tensor([[2, 7, 11]])
    first = step(graphs["decoder.step"], model, one, None, prompt, [0])
    assert agrees(first, model, memory[:1], prompt, 3)
    rows = torch.cat([prompt.expand(3, -1), torch.tensor([[20], [21], [22]])], 1)
    second = step(graphs["decoder.step"], model, cross, first, rows[:, -1:], [0, 0, 0])
    assert agrees(second, model, memory[:1], rows, 1)
    rows = torch.cat([rows[[2, 0, 0]], torch.tensor([[30], [31], [32]])], 1)
    third = step(graphs["decoder.step"], model, cross, second, rows[:, -1:], [2, 0, 0])
    assert agrees(third, model, memory[:1], rows, 1)
    # A search that narrows: fewer rows than the past has.
    rows = torch.cat([rows[[1]], torch.tensor([[40]])], 1)
    last = step(graphs["decoder.step"], model, one, third, rows[:, -1:], [1])
    assert agrees(last, model, memory[:1], rows, 1)


def test_candidates_are_scored_in_one_batch_from_an_empty_past() -> None:
    model = tiny()
    graphs = native_graphs(model)
    memory = memory_of(1, 9, model)
    cross = graphs["decoder.memory"]({"memory": memory.numpy()})
    ids = torch.randint(5, len(VOCABULARY), (6, 4))
    found = step(graphs["decoder.step"], model, cross, None, ids, [0] * 6)
    assert agrees(found, model, memory, ids, 4)


def test_of_equal_tokens_the_lower_id_comes_first() -> None:
    model = tiny()
    model.text_decoder["bert"]["embeddings"].word_embeddings.weight.data[10:30] = 0
    model.text_decoder["cls"]["predictions"].bias.data[10:30] = 50
    graphs = native_graphs(model)
    cross = graphs["decoder.memory"]({"memory": memory_of(1, 9, model).numpy()})
    found = step(graphs["decoder.step"], model, cross, None, torch.tensor([[2]]), [0])
    assert found["top_id"].tolist() == [[10, 11, 12, 13, 14]]


def test_a_beam_of_int8_says_what_it_says_alone() -> None:
    """Activations are quantised over all rows of a batch at once: rows sway each other, but by little."""
    model = tiny(shared=True)
    graphs = native_graphs(model, "int8")
    memory = memory_of(1, 9, model)
    cross = graphs["decoder.memory"]({"memory": memory.numpy()})
    ids = torch.tensor([[2, 9], [2, 17], [2, 33]])
    together = step(graphs["decoder.step"], model, cross, None, ids, [0, 0, 0])
    for row in range(3):
        alone = step(graphs["decoder.step"], model, cross, None, ids[row : row + 1], [0])
        assert np.abs(together["logits"][row] - alone["logits"][0]).max() < 0.1 * np.abs(alone["logits"]).max()
