"""Attention and dropout as this model's small widths want them on a CPU.

torch's fused attention takes five times as long there (its backward pass above all), and its dropout draws one random
number per element on one core.
"""

from __future__ import annotations

import torch


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None, causal: bool = False
) -> torch.Tensor:
    """Scaled dot-product attention: query B×heads×L×D, key and value B×heads×N×D → B×heads×L×D.

    `mask` is boolean, true where a query may look, broadcastable to B×heads×L×N; `causal` (L = N) hides what comes later.
    """
    scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-1, -2))
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    return torch.matmul(scores.softmax(-1), value)


def dropout(x: torch.Tensor, chance: float, training: bool) -> torch.Tensor:
    """Zeros elements with `chance`, rounded to 1/256, and scales the others up; x itself where not training."""
    cut = round(chance * 256)
    if not training or cut == 0:
        return x
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= cut
    return x * (kept * (256 / (256 - cut))).to(x.dtype)
