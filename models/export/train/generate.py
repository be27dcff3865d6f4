"""Greedy and beam search in PyTorch, for many photos at once: curves, evaluation, what the browser is compared with.

The score of a hypothesis of n generated tokens is log p / ((5 + n) / 6)^0.6; neither [CLS] nor a prompt counts. As
long as fewer than `min_length` tokens have been generated the end token gets log p − 1e20. Two searches share this:

- ``reference=True`` is mPLUG-2's own. A beam that just got [SEP] is stored and stays in the beam: it takes up a place,
  goes on after its [SEP] and may be stored again. When the best beam just got [SEP], or at `max_length`, all beams are
  stored, ended or not, and the search stops.
- The default lets an ended hypothesis leave the beam: of the best 2 · beam continuations those that end are stored,
  and the first `beam` others go on. It stops when the best stored score is out of reach: what a beam may still come to
  is at most its log p over the divisor of `max_length`. Beams alive at `max_length` are stored as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from mplug2.bert import Attention
from mplug2.functional import attend
from mplug2.model import Mplug2

from .text import load_tokenizer

LENGTH_PENALTY = 0.6
NEVER = -1e20
"""What the end token's log p becomes while a text is too short."""


@dataclass(frozen=True)
class Hypothesis:
    """Generated ids ([SEP] included where it came), their log p together, and the score that ranks them."""

    ids: tuple[int, ...]
    log_p: float
    score: float

    def words(self, end: int) -> list[int]:
        """The ids without any [SEP]; in the reference's search words may stand behind one, and stay."""
        return [i for i in self.ids if i != end]


class CachedDecoder:
    """The decoder with the keys and values of what it has been given. Rows come photo by photo, equally many each;
    those of one photo read one copy of its cross-attention keys and values."""

    def __init__(self, model: Mplug2, memory: torch.Tensor, mask: torch.Tensor | None) -> None:
        """memory B×N×E; mask B×N, true where the memory holds something."""
        self._model = model
        self._layers = list(model.text_decoder["bert"]["encoder"])
        self._cross = [self._keys_values(layer.crossattention, memory) for layer in self._layers]
        self._mask = None if mask is None else mask[:, None, None].bool()
        self._past: list[tuple[torch.Tensor, torch.Tensor]] = []

    @staticmethod
    def _keys_values(attention: Attention, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return attention.split(attention.self["key"](x)), attention.split(attention.self["value"](x))

    @staticmethod
    def _attend(
        attention: Attention, x: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **how: object
    ) -> torch.Tensor:
        query = attention.split(attention.self["query"](x))
        y = attend(query, key, value, **how).transpose(1, 2).flatten(2)
        return attention.output["LayerNorm"](x + attention.output["dense"](y))

    def step(self, ids: torch.Tensor) -> torch.Tensor:
        """ids R×L, new since the step before (L above 1 in the first step only) → log p of what follows, R×V."""
        embeddings = self._model.text_decoder["bert"]["embeddings"]
        length = ids.shape[1]
        begin = self._past[0][0].shape[2] if self._past else 0
        x = embeddings.word_embeddings(ids) + embeddings.position_embeddings.weight[begin : begin + length]
        x = embeddings.LayerNorm(x + embeddings.token_type_embeddings.weight[0])
        present = []
        for i, layer in enumerate(self._layers):
            key, value = self._keys_values(layer.attention, x)
            if begin:
                key, value = torch.cat([self._past[i][0], key], 2), torch.cat([self._past[i][1], value], 2)
            present.append((key, value))
            x = self._attend(layer.attention, x, key, value, causal=begin == 0)
            # The rows of a photo stand behind each other as if they were positions: none sees another here.
            by_photo = x.reshape(self._cross[i][0].shape[0], -1, x.shape[-1])
            x = self._attend(layer.crossattention, by_photo, *self._cross[i], mask=self._mask).reshape(x.shape)
            x = layer.output["LayerNorm"](x + layer.output["dense"](F.gelu(layer.intermediate["dense"](x))))
        self._past = present
        transform = self._model.text_decoder["cls"]["predictions"]["transform"]
        last = transform["LayerNorm"](F.gelu(transform["dense"](x[:, -1])))
        return self._model.logits(last).float().log_softmax(-1)

    def continue_from(self, rows: torch.Tensor, photos: torch.Tensor) -> None:
        """Which former row each row continues, and which photos are left."""
        self._past = [(key[rows], value[rows]) for key, value in self._past]
        if len(photos) < self._cross[0][0].shape[0]:
            self._cross = [(key[photos], value[photos]) for key, value in self._cross]
            self._mask = None if self._mask is None else self._mask[photos]


def length_divisor(length: int) -> float:
    """What the log p of that many generated tokens is divided by."""
    return ((5 + length) / 6) ** LENGTH_PENALTY


@torch.inference_mode()
def beam_search(
    model: Mplug2,
    memory: torch.Tensor,
    beam: int,
    *,
    min_length: int = 4,
    max_length: int = 20,
    mask: torch.Tensor | None = None,
    prompt: Sequence[int] | None = None,
    reference: bool = False,
) -> list[list[Hypothesis]]:
    """The best hypotheses, at most `beam`, of each row of memory B×N×E, best first.

    `mask` B×N is false where a row's memory is padding; `prompt` (default: [CLS] alone) takes no step.
    """
    end = model.config.ids.end
    found: list[list[Hypothesis]] = [[] for _ in range(memory.shape[0])]
    decoder = CachedDecoder(model, memory, mask)
    rows = torch.tensor([prompt or [model.config.ids.start]]).expand(memory.shape[0], -1)
    photos = torch.arange(memory.shape[0])
    total = torch.zeros(len(photos), 1)
    texts = torch.empty(len(photos), 1, 0, dtype=torch.long)
    for length in range(1, max_length + 1):
        log_p = decoder.step(rows)
        if length <= min_length:
            log_p[:, end] = NEVER
        beams, vocabulary = total.shape[1], log_p.shape[1]
        scores = (total[:, :, None] + log_p.unflatten(0, (-1, beams))).flatten(1)
        total, at = scores.topk(min(beam if reference else 2 * beam, scores.shape[1]), 1)
        source, token = at // vocabulary, at % vocabulary
        texts = torch.cat([texts.gather(1, source[:, :, None].expand(-1, -1, length - 1)), token[:, :, None]], 2)

        ended = token == end
        if reference:
            stops = ended[:, 0] | (length == max_length)
            stored, kept = ended | stops[:, None], torch.arange(ended.shape[1]).expand_as(ended)
        else:
            kept = ended.int().argsort(dim=1, stable=True)[:, :beam]
            stored = ended & (total > NEVER / 2)
            if length == max_length:
                stored |= torch.zeros_like(ended).scatter(1, kept, True) & ~ended
        for photo, which in stored.nonzero().tolist():
            p = float(total[photo, which])
            ids = tuple(texts[photo, which].tolist())
            found[photos[photo]].append(Hypothesis(ids, p, p / length_divisor(length)))
        if not reference:
            total = total.masked_fill(ended, -torch.inf)
            best = [max((h.score for h in found[photo]), default=-np.inf) for photo in photos.tolist()]
            attainable = total.gather(1, kept[:, :1])[:, 0] / length_divisor(max_length)
            stops = (torch.tensor(best) >= attainable) | (length == max_length)

        left = (~stops).nonzero()[:, 0]
        if not len(left):
            break
        kept = kept[left]
        rows = token[left].gather(1, kept).reshape(-1, 1)
        former = (source[left].gather(1, kept) + left[:, None] * beams).flatten()
        texts = texts[left].gather(1, kept[:, :, None].expand(-1, -1, length))
        total, photos = total[left].gather(1, kept), photos[left]
        decoder.continue_from(former, left)
    return [sorted(hypotheses, key=lambda h: -h.score)[:beam] for hypotheses in found]


@torch.inference_mode()
def greedy(model: Mplug2, memory: torch.Tensor, min_length: int, max_length: int) -> tuple[list[int], list[float]]:
    """Greedy ids over memory 1×N×E, the end token included where it came, and by how much each logit led the next
    allowed one."""
    ids = beam_search(model, memory, 1, min_length=min_length, max_length=max_length, reference=True)[0][0].ids
    given = torch.tensor([[model.config.ids.start, *ids[:-1]]])
    logits = model.logits(model.decoder_hidden(given, memory)[0]).float()
    logits[:min_length, model.config.ids.end] = -torch.inf
    two = logits.topk(2).values
    return list(ids), (two[:, 0] - two[:, 1]).tolist()


def greedy_ids(model: Mplug2, memory: torch.Tensor, max_length: int = 20, min_length: int = 4) -> list[list[int]]:
    """Generated ids of each row of memory B×N×E, from [CLS] alone, [SEP] not included (mPLUG-2 with beam 1)."""
    found = beam_search(model, memory, 1, min_length=min_length, max_length=max_length, reference=True)
    return [hypotheses[0].words(model.config.ids.end) for hypotheses in found]


@torch.inference_mode()
def greedy_captions(model: Mplug2, vocabulary: list[str], cells: np.ndarray, rows: Sequence[int]) -> list[str]:
    """Texts for the given rows of a features file, computed under bfloat16."""
    tokenizer = load_tokenizer(vocabulary)
    said = []
    for start in range(0, len(rows), 50):
        batch = torch.from_numpy(cells[list(rows[start : start + 50])]).to(torch.bfloat16)[:, None]
        with torch.autocast("cpu", torch.bfloat16):
            ids = greedy_ids(model, model.universal(model.vision(batch)))
        said += [tokenizer.decode(row) for row in ids]
    return said
