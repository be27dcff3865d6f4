"""BERT layers under the authors' parameter names: post-norm, erf-GELU (mPLUG-2's text, fusion and decoder)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .config import TextConfig
from .functional import attend, dropout


@dataclass(frozen=True)
class Memory:
    """What B rows attend to: rows of `shared` M×N×E, for row b the one that `owner[b]` says (all of them in order where
    None), and behind it the row's `own` B×N'×E."""

    shared: torch.Tensor
    owner: torch.Tensor | None = None
    own: torch.Tensor | None = None


class Attention(nn.Module):
    """Multi-head attention with output projection, residual and LayerNorm behind it (post-norm)."""

    def __init__(self, config: TextConfig, dropout: float) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        # `self` and `output` are the authors' names.
        self.self = nn.ModuleDict({n: nn.Linear(width, width) for n in ("query", "key", "value")})
        self.output = nn.ModuleDict(
            {"dense": nn.Linear(width, width), "LayerNorm": nn.LayerNorm(width, eps=config.norm_eps)}
        )
        self.dropout = dropout

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """B×L×E → B×heads×L×(E/heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_values(self, memory: "Memory") -> tuple[torch.Tensor, torch.Tensor]:
        """What is attended to, computed once for all rows that share it: B×heads×N×(E/heads) each."""

        def project(name: str) -> torch.Tensor:
            shared = self.self[name](memory.shared)
            rows = shared if memory.owner is None else shared.index_select(0, memory.owner)
            return self.split(rows if memory.own is None else torch.cat([rows, self.self[name](memory.own)], 1))

        return project("key"), project("value")

    def forward(
        self, x: torch.Tensor, memory: "Memory | None" = None, mask: torch.Tensor | None = None, causal: bool = False
    ) -> torch.Tensor:
        """x B×L×E attends to `memory` (itself where None); `mask` is boolean, broadcastable to B×heads×L×N."""
        q = self.split(self.self["query"](x))
        k, v = self.keys_values(Memory(x) if memory is None else memory)
        y = self.output["dense"](attend(q, k, v, mask, causal).transpose(1, 2).flatten(2))
        return self.output["LayerNorm"](x + dropout(y, self.dropout, self.training))


class Layer(nn.Module):
    """Self-attention, then cross-attention where there is a memory, then the feed-forward layer."""

    def __init__(self, config: TextConfig, cross: bool, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(config, dropout)
        if cross:
            self.crossattention = Attention(config, dropout)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(config.width, config.ffn_width)})
        self.output = nn.ModuleDict(
            {
                "dense": nn.Linear(config.ffn_width, config.width),
                "LayerNorm": nn.LayerNorm(config.width, eps=config.norm_eps),
            }
        )
        self.dropout = dropout

    def forward(
        self,
        x: torch.Tensor,
        memory: Memory | None = None,
        mask: torch.Tensor | None = None,
        memory_mask: torch.Tensor | None = None,
        causal: bool = False,
    ) -> torch.Tensor:
        """x B×L×E → B×L×E."""
        x = self.attention(x, mask=mask, causal=causal)
        if memory is not None:
            x = self.crossattention(x, memory, memory_mask)
        y = self.output["dense"](F.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](x + dropout(y, self.dropout, self.training))


class Embeddings(nn.Module):
    """Word, position and (always the first) token-type embedding, summed and normalised."""

    def __init__(self, config: TextConfig, dropout: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab, config.width)
        self.position_embeddings = nn.Embedding(config.positions, config.width)
        self.token_type_embeddings = nn.Embedding(2, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.dropout = dropout

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """ids B×L int64 → B×L×E."""
        x = self.word_embeddings(ids) + self.position_embeddings.weight[: ids.shape[1]]
        x = self.LayerNorm(x + self.token_type_embeddings.weight[0])
        return dropout(x, self.dropout, self.training)


class LayerStack(nn.Module):
    """Layers `first` … `first + count − 1` under the names they have in a checkpoint."""

    def __init__(self, config: TextConfig, first: int, count: int, cross_from: int, dropout: float) -> None:
        super().__init__()
        self.layer = nn.ModuleDict(
            {str(i): Layer(config, i >= cross_from, dropout) for i in range(first, first + count)}
        )

    def __iter__(self):
        return iter(self.layer.values())
