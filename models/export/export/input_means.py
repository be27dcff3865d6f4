"""The mean of what enters each convolution of an EfficientNet, told by its batch norms alone (arXiv 1906.04721, 4.2).

Rounding weights shifts a convolution's outputs by what was rounded times the mean input, which ReLU6 leaves above 0.
Biases take the shift back.
"""

from __future__ import annotations

import torch
from torch import nn

Means = dict[str, torch.Tensor]
"""By a convolution's name in the graph: the mean of each input channel, C."""


def has_skip(block: nn.Module) -> bool:
    """Whether what enters the block is added to what leaves it."""
    args = block._block_args
    return block.id_skip and block._depthwise_conv.stride[0] == 1 and args.input_filters == args.output_filters


def rectified_mean(mean: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """The mean of max(0, z), z normal with C means and deviations."""
    normal, z = torch.distributions.Normal(0.0, 1.0), mean / deviation
    return mean * normal.cdf(z) + deviation * normal.log_prob(z).exp()


def relu6_mean(norm: nn.BatchNorm2d) -> torch.Tensor:
    """The C means of ReLU6 behind a norm whose outputs are normal, as its own weight and bias say."""
    mean, deviation = norm.bias, norm.weight.abs().clamp(min=1e-6)
    return rectified_mean(mean, deviation) - rectified_mean(mean - 6, deviation)


@torch.no_grad()
def input_means(net: nn.Module) -> Means:
    """Of every convolution but the first; nothing once the norms have been folded."""
    if isinstance(net._bn0, nn.Identity):
        return {}
    means, x = {}, relu6_mean(net._bn0)
    for i, block in enumerate(net._blocks):
        y = x
        if hasattr(block, "_expand_conv"):
            means[f"stem.block{i}.expand"] = x
            y = relu6_mean(block._bn0)
        means[f"stem.block{i}.depthwise"] = y
        means[f"stem.block{i}.project"] = relu6_mean(block._bn1)
        x = block._bn2.bias + x if has_skip(block) else block._bn2.bias.clone()
    return means | {"stem.head": x}


@torch.no_grad()
def correct_bias(conv: nn.Conv2d, exact: torch.Tensor, mean: torch.Tensor | None) -> None:
    """The bias takes in what rounding the weights `exact` to the present ones took from the mean output; nothing where
    `mean` is not known. The convolution is a depthwise one or has one group."""
    if mean is not None:
        lost = (exact - conv.weight).sum((2, 3))
        conv.bias += lost[:, 0] * mean if conv.groups > 1 else lost @ mean
