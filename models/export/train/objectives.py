"""What each task is trained on: losses over visual and text tokens (arXiv 2302.00402, section 3.4; heads are ours).

Everywhere P photos, S sentences; `owner` says which photo (row of the batch) a sentence belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from mplug2.bert import Memory
from mplug2.model import Mplug2

QUEUE = 1024
TEMPERATURE = 0.05


def encode(model: Mplug2, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """ids S×L, zeros behind → (hidden S×L×E, mask S×L)."""
    mask = ids != model.config.ids.pad
    return model.text(ids, mask), mask


def next_token_loss(
    model: Mplug2, ids: torch.Tensor, memory: torch.Tensor | Memory, smoothing: float, memory_mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy of every token after the first; ids S×L ([CLS] … [SEP], zeros behind), memory S×N×E."""
    hidden = model.decoder_hidden(ids[:, :-1], memory, memory_mask)
    target = ids[:, 1:]
    kept = target != model.config.ids.pad
    return F.cross_entropy(model.logits(hidden[kept]).float(), target[kept], label_smoothing=smoothing)


class Contrast:
    """Pictures and sentences side by side in one space, against those of this batch and of recent ones.

    Everything compared with, the right one too, comes from the running mean of the model (arXiv 1911.05722; 2107.07651):
    were older batches' own embeddings compared with, the model would learn to tell old from new instead.
    A picture's and a sentence's other captions are no negatives: `keys` tell photos apart, also across batches.
    """

    def __init__(self) -> None:
        self._visual = self._text = torch.empty(0)
        self._visual_keys = self._text_keys = torch.empty(0, dtype=torch.long)

    @staticmethod
    def _loss(query: torch.Tensor, keys: torch.Tensor, others: torch.Tensor, other_keys: torch.Tensor) -> torch.Tensor:
        logits = query.float() @ others.T / TEMPERATURE
        same = keys[:, None] == other_keys[None]
        positive = torch.logsumexp(logits.masked_fill(~same, -torch.inf), 1) - same.sum(1).log()
        return (torch.logsumexp(logits, 1) - positive).mean()

    def __call__(self, now: "Embedded", mean: "Embedded") -> torch.Tensor:
        """The batch embedded by the model and by its running mean → loss; the latter joins the queue."""
        self._visual, self._visual_keys = _behind(mean.visual, mean.visual_keys, self._visual, self._visual_keys, QUEUE)
        self._text, self._text_keys = _behind(mean.text, mean.text_keys, self._text, self._text_keys, 2 * QUEUE)
        to_text = self._loss(now.visual, now.visual_keys, self._text, self._text_keys)
        return (to_text + self._loss(now.text, now.text_keys, self._visual, self._visual_keys)) / 2


@dataclass(frozen=True)
class Embedded:
    """visual P×W and text S×W of length 1, and which photo each is of, int64."""

    visual: torch.Tensor
    visual_keys: torch.Tensor
    text: torch.Tensor
    text_keys: torch.Tensor


def _behind(
    new: torch.Tensor, new_keys: torch.Tensor, old: torch.Tensor, old_keys: torch.Tensor, longest: int
) -> tuple[torch.Tensor, torch.Tensor]:
    rows = new.detach().float() if len(old) == 0 else torch.cat([new.detach().float(), old])[:longest]
    return rows.clone(), torch.cat([new_keys, old_keys])[:longest]


def match_loss(
    model: Mplug2, hidden: torch.Tensor, mask: torch.Tensor, memory: Memory, fits: torch.Tensor
) -> torch.Tensor:
    """Two-way cross-entropy; hidden S×L×E meets the photos' memory, `fits` S of 0 and 1. Each side weighs half."""
    logits = model.match_logits(model.fusion(hidden, memory, mask)).float()
    weight = len(fits) / (2 * torch.bincount(fits, minlength=2).clamp(min=1).float())
    return F.cross_entropy(logits, fits, weight=weight)


def answer_memory(model: Mplug2, hidden: torch.Tensor, mask: torch.Tensor, memory: Memory) -> tuple[Memory, torch.Tensor]:
    """What answers to questions hidden S×L×E are made from: the photos' tokens and, behind them, the questions fused with
    them; and the mask S×(N + L)."""
    fused = model.fusion(hidden, memory, mask)
    seen = mask.new_ones(len(mask), memory.shared.shape[1])
    return Memory(memory.shared, memory.owner, fused), torch.cat([seen, mask], 1)


def answer_loss(
    model: Mplug2, hidden: torch.Tensor, mask: torch.Tensor, memory: Memory, answers: torch.Tensor, smoothing: float
) -> torch.Tensor:
    """Answers S×L after questions hidden S×L'×E about the photos' memory."""
    whole, whole_mask = answer_memory(model, hidden, mask, memory)
    return next_token_loss(model, answers, whole, smoothing, whole_mask)


def class_loss(logits: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
    """Kullback–Leibler divergence of the ImageNet network's classes P×1000 from ours."""
    return F.kl_div(logits.float().log_softmax(-1), taught.float().log_softmax(-1), log_target=True, reduction="batchmean")
