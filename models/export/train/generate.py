"""Greedy captions in PyTorch, for curves during training and for comparing the browser's with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from mplug2.model import Mplug2

from .text import load_tokenizer


@torch.inference_mode()
def greedy_ids(model: Mplug2, memory: torch.Tensor, max_length: int = 20, min_length: int = 4) -> list[list[int]]:
    """Generated ids of each row of memory B×N×E, from [CLS] alone, [SEP] not included (mPLUG-2 with beam 1)."""
    ids = torch.full((memory.shape[0], 1), model.config.ids.start)
    ended = torch.zeros(memory.shape[0], dtype=torch.bool)
    for step in range(max_length):
        logits = model.logits(model.decoder_hidden(ids, memory)[:, -1]).float()
        if step < min_length:
            logits[:, model.config.ids.end] = -torch.inf
        chosen = logits.argmax(-1).masked_fill(ended, model.config.ids.end)
        ids = torch.cat([ids, chosen[:, None]], 1)
        ended |= chosen == model.config.ids.end
        if ended.all():
            break
    end = model.config.ids.end
    return [[*row[1:], end][: [*row[1:], end].index(end)] for row in ids.tolist()]


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
