"""The vision encoder of mPLUG-2 (arXiv 2302.00402, section 3.2): per-frame attention with local temporal mixing."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .config import Mplug2Config
from .functional import attend, dropout


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    """x · sigmoid(1.702 x), CLIP's approximation."""
    return x * torch.sigmoid(1.702 * x)


class LocalTemporalMixing(nn.Module):
    """`lmhra`: down, depthwise over time alone (kernel 3, zero padding), quick-GELU, up; on patch tokens only."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.ln = nn.LayerNorm(width, eps=eps)
        self.down_proj = nn.Conv3d(width, width // 2, 1)
        self.conv = nn.Conv3d(width // 2, width // 2, (3, 1, 1), padding=(1, 0, 0), groups=width // 2)
        self.up_proj = nn.Conv3d(width // 2, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x B×T×HW×D → the residual to add, same shape.

        The 1×1×1 convolutions are written as matrix products, and the depthwise one as its taps.
        """
        down, up = self.down_proj, self.up_proj
        y = F.linear(self.ln(x), down.weight.flatten(1), down.bias)
        taps = self.conv.weight.flatten(1)
        mixed = y * taps[:, 1]
        if y.shape[1] > 1:
            mixed = mixed + F.pad(y[:, :-1], (0, 0, 0, 0, 1, 0)) * taps[:, 0]
            mixed = mixed + F.pad(y[:, 1:], (0, 0, 0, 0, 0, 1)) * taps[:, 2]
        return F.linear(quick_gelu(mixed + self.conv.bias), up.weight.flatten(1), up.bias)


class PackedAttention(nn.Module):
    """Self-attention with query, key and value in one matrix (`in_proj_weight`), as CLIP stores it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x N×L×D → N×L×D."""
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).unflatten(-1, (3, self.heads, -1)).unbind(2)
        y = attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        return self.out_proj(y.transpose(1, 2).flatten(2))


class TemporalBlock(nn.Module):
    """Temporal mixing, per-frame attention, temporal mixing again, MLP; pre-norm."""

    def __init__(self, config: Mplug2Config, dropout: float) -> None:
        super().__init__()
        vision = config.vision
        self.lmhra1 = LocalTemporalMixing(vision.width, vision.norm_eps)
        self.ln_1 = nn.LayerNorm(vision.width, eps=vision.norm_eps)
        self.attn = PackedAttention(vision.width, vision.heads)
        self.lmhra2 = LocalTemporalMixing(vision.width, vision.norm_eps)
        self.ln_2 = nn.LayerNorm(vision.width, eps=vision.norm_eps)
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(vision.width, vision.mlp_width), "c_proj": nn.Linear(vision.mlp_width, vision.width)}
        )
        self.dropout = dropout

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        return dropout(x, self.dropout, self.training)

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        """The first half, x B×T×(1+HW)×D → same: temporal mixing and attention."""
        x = torch.cat([x[:, :, :1], x[:, :, 1:] + self.lmhra1(x[:, :, 1:])], 2)
        return x + self.drop(self.attn(self.ln_1(x).flatten(0, 1))).unflatten(0, x.shape[:2])

    def feed_forward(self, x: torch.Tensor) -> torch.Tensor:
        """The second half, x B×T×(1+HW)×D → same: temporal mixing and MLP."""
        x = torch.cat([x[:, :, :1], x[:, :, 1:] + self.lmhra2(x[:, :, 1:])], 2)
        return x + self.drop(self.mlp["c_proj"](quick_gelu(self.mlp["c_fc"](self.ln_2(x)))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x B×T×(1+HW)×D → same."""
        return self.feed_forward(self.attend(x))


class VisionEncoder(nn.Module):
    """Cells of every frame → 1 + T·HW visual tokens."""

    def __init__(self, config: Mplug2Config, dropout: float) -> None:
        super().__init__()
        vision = config.vision
        patch = config.patch_size
        if vision.stem == "conv3d":
            self.conv1 = nn.Conv3d(3, vision.width, (1, patch, patch), (1, patch, patch), bias=False)
        else:
            # A convolutional stem runs in front; its channels are projected here.
            self.conv1 = nn.Conv3d(vision.stem_channels, vision.width, 1, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(vision.width) * 0.02)
        self.positional_embedding = nn.Parameter(torch.randn(1 + config.grid**2, vision.width) * 0.02)
        self.ln_pre = nn.LayerNorm(vision.width, eps=vision.norm_eps)
        self.transformer = nn.ModuleDict(
            {"resblocks": nn.ModuleList([TemporalBlock(config, dropout) for _ in range(vision.layers)])}
        )
        self.ln_post = nn.LayerNorm(vision.width, eps=vision.norm_eps)

    def tokens(self, cells: torch.Tensor) -> torch.Tensor:
        """cells B×T×HW×C (channels of the stem, or pixels of a patch in the kernel's order) → B×T×(1+HW)×D:
        what enters the blocks."""
        x = F.linear(cells, self.conv1.weight.flatten(1))
        head = self.class_embedding.to(x.dtype).expand(*x.shape[:2], 1, -1)
        return self.ln_pre(torch.cat([head, x], 2) + self.positional_embedding)

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        """cells B×T×HW×C → B×(1+T·HW)×D."""
        x = self.tokens(cells)
        for block in self.transformer["resblocks"]:
            x = block(x)
        x = torch.cat([x[:, :, 0].mean(1, keepdim=True), x[:, :, 1:].flatten(1, 2)], 1)
        return self.ln_post(x)


def patches(pixels: torch.Tensor, patch: int) -> torch.Tensor:
    """pixels B×3×T×R×R → B×T×HW×(3·p·p), each patch flattened as the kernel of a (1, p, p) convolution is."""
    b, c, t, r, _ = pixels.shape
    g = r // patch
    x = pixels.reshape(b, c, t, g, patch, g, patch).permute(0, 2, 3, 5, 1, 4, 6)
    return x.reshape(b, t, g * g, c * patch * patch)
