"""Beam search against plain searches without caches or batches, and against trying everything."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from tiny_model import tiny

from mplug2.model import Mplug2
from train.reward import draw_token
from train.generate import beam_search, greedy, greedy_ids, length_divisor

Found = list[tuple[tuple[int, ...], float]]


def model_that_ends(likely: float, vocabulary: int = 50) -> tuple[Mplug2, torch.Tensor]:
    """A random decoder whose end token is that much likelier, and memories of three photos."""
    config = tiny().config
    torch.manual_seed(round(10 * likely) + vocabulary)
    model = Mplug2(replace(config, text=replace(config.text, vocab=vocabulary))).eval()
    model.text_decoder["bert"]["embeddings"].word_embeddings.weight.data *= 0.3
    model.text_decoder["cls"]["predictions"].bias.data[model.config.ids.end] += likely
    return model, torch.randn(3, 5, config.text.width)


@torch.inference_mode()
def log_p(model: Mplug2, ids: tuple[int, ...], memory: torch.Tensor) -> torch.Tensor:
    """Of every token after `ids`, by the whole decoder from the start."""
    return model.logits(model.decoder_hidden(torch.tensor([ids]), memory[None])[0, -1]).log_softmax(-1)


def plain_search(
    model: Mplug2,
    memory: torch.Tensor,
    beam: int,
    shortest: int,
    longest: int,
    prompt: tuple[int, ...],
    reference: bool,
) -> Found:
    """The rules step by step for one photo."""
    end = model.config.ids.end
    alive: Found = [((), 0.0)]
    stored: Found = []
    for length in range(1, longest + 1):
        every: Found = []
        for ids, total in alive:
            for token, value in enumerate(log_p(model, (*prompt, *ids), memory).tolist()):
                every.append(((*ids, token), total + (-1e20 if token == end and length <= shortest else value)))
        every.sort(key=lambda found: -found[1])
        divisor = length_divisor(length)
        if reference:
            alive = every[:beam]
            stops = alive[0][0][-1] == end or length == longest
            stored += [(ids, total / divisor) for ids, total in alive if stops or ids[-1] == end]
        else:
            best = every[: 2 * beam]
            alive = [found for found in best if found[0][-1] != end][:beam]
            stored += [(ids, total / divisor) for ids, total in best if ids[-1] == end and total > -1e19]
            if length == longest:
                stored += [(ids, total / divisor) for ids, total in alive]
            highest = max((score for _, score in stored), default=-float("inf"))
            stops = highest >= alive[0][1] / length_divisor(longest)
        if stops:
            break
    return sorted(stored, key=lambda found: -found[1])[:beam]


@pytest.mark.parametrize("reference", [True, False])
@pytest.mark.parametrize(("beam", "shortest", "prompt"), [(1, 0, (2,)), (3, 4, (2,)), (5, 1, (2, 9, 7))])
@pytest.mark.parametrize("likely", [0.0, 2.0, 4.0])
def test_many_photos_at_once_as_one_by_one(
    reference: bool, beam: int, shortest: int, prompt: tuple[int, ...], likely: float
) -> None:
    model, memory = model_that_ends(likely)
    together = beam_search(
        model, memory, beam, min_length=shortest, max_length=8, prompt=prompt, reference=reference
    )
    for hypotheses, own in zip(together, memory):
        wanted = plain_search(model, own, beam, shortest, 8, prompt, reference)
        assert [h.ids for h in hypotheses] == [ids for ids, _ in wanted]
        assert [h.score for h in hypotheses] == pytest.approx([score for _, score in wanted], abs=1e-4)


def test_only_the_reference_goes_on_after_the_end() -> None:
    model, memory = model_that_ends(2.5)
    end = model.config.ids.end
    theirs, sane = (beam_search(model, memory, 5, min_length=0, reference=r) for r in (True, False))
    assert any(end in h.ids[:-1] for found in theirs for h in found)
    assert not any(end in h.ids[:-1] for found in sane for h in found)
    behind = next(h for found in theirs for h in found if end in h.ids[:-1])
    assert end not in behind.words(end) and len(behind.words(end)) == len(behind.ids) - behind.ids.count(end)


def test_a_wide_beam_finds_the_best_of_all_texts() -> None:
    model, memory = model_that_ends(0.5, vocabulary=6)
    end, longest = model.config.ids.end, 4
    for found, own in zip(beam_search(model, memory, 6**longest, min_length=1, max_length=longest), memory):
        best = -float("inf")
        for length in range(2, longest + 1):
            for ids in itertools.product(range(6), repeat=length):
                if end in ids[:-1] or (length < longest and ids[-1] != end):
                    continue
                given = torch.tensor([[model.config.ids.start, *ids[:-1]]])
                with torch.inference_mode():
                    steps = model.logits(model.decoder_hidden(given, own[None])[0]).log_softmax(-1)
                best = max(best, float(steps[range(length), list(ids)].sum()) / length_divisor(length))
        assert found[0].score == pytest.approx(best, abs=1e-5)


def test_padding_of_the_memory_changes_nothing() -> None:
    model, memory = model_that_ends(1.0)
    padded = torch.cat([memory, torch.randn(3, 2, memory.shape[2])], 1)
    mask = torch.arange(7).expand(3, -1) < torch.tensor([[5], [7], [5]])
    found = beam_search(model, padded, 3, mask=mask)
    for row, own in ((0, memory[0]), (1, padded[1]), (2, memory[2])):
        assert [h.ids for h in found[row]] == [h.ids for h in beam_search(model, own[None], 3)[0]]


def test_greedy_takes_the_best_token_each_time() -> None:
    model, memory = model_that_ends(2.0)
    end = model.config.ids.end
    for row, own in zip(greedy_ids(model, memory, max_length=6, min_length=2), memory):
        ids, margins = greedy(model, own[None], 2, 6)
        assert row == [i for i in ids if i != end] and len(margins) == len(ids)
        for length, (token, margin) in enumerate(zip(ids, margins)):
            scores = log_p(model, (model.config.ids.start, *ids[:length]), own).clone()
            if length < 2:
                scores[end] = -torch.inf
            best, second = scores.topk(2).values.tolist()
            assert int(scores.argmax()) == token and margin == pytest.approx(best - second, abs=1e-4)


def test_tokens_are_drawn_as_often_as_their_chances_say() -> None:
    torch.manual_seed(3)
    chance = torch.tensor([[0.0, 0.2, 0.0, 0.5, 0.3, 0.0]]).repeat(20_000, 1)
    drawn = draw_token(chance)
    assert drawn.shape == (20_000, 1)
    assert torch.allclose(torch.bincount(drawn[:, 0], minlength=6) / 20_000, chance[0], atol=0.012)
