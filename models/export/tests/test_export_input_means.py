"""Biases take back what rounding weights takes from the mean output."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from export.input_means import correct_bias, input_means, relu6_mean
from export.vision_graph import fold_batch_norms
from mplug2.stem import EfficientNetLiteStem


def test_the_mean_behind_a_norm_is_that_of_normal_outputs() -> None:
    norm = nn.BatchNorm2d(3).eval()
    norm.weight.data, norm.bias.data = torch.tensor([1.0, -3.0, 0.0]), torch.tensor([-0.5, 5.0, 2.0])
    drawn = torch.randn(200_000, 3, 1, 1, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        assert torch.allclose(relu6_mean(norm), norm(drawn).clamp(0, 6).mean((0, 2, 3)), atol=0.02)


def test_every_convolution_but_the_first_has_a_mean_until_norms_are_folded() -> None:
    torch.set_num_threads(1)
    stem = EfficientNetLiteStem().eval()
    means, net = input_means(stem.net), stem.net
    kinds = {"expand": "_expand_conv", "depthwise": "_depthwise_conv", "project": "_project_conv"}
    convs = {
        f"stem.block{i}.{kind}": getattr(block, name)
        for i, block in enumerate(net._blocks)
        for kind, name in kinds.items()
        if hasattr(block, name)
    }
    wanted = {name: conv.in_channels for name, conv in convs.items()} | {"stem.head": net._conv_head.in_channels}
    assert {name: len(mean) for name, mean in means.items()} == wanted
    fold_batch_norms(stem)
    assert input_means(stem.net) == {}


@pytest.mark.parametrize("groups", [1, 8])
@torch.no_grad()
def test_the_mean_output_of_rounded_weights_is_that_of_exact_ones(groups: int) -> None:
    torch.manual_seed(7)
    conv = nn.Conv2d(8, 8, 3, groups=groups)
    mean = torch.rand(8)
    x = mean[None, :, None, None].expand(1, 8, 3, 3)
    exact, wanted = conv.weight.clone(), conv(x)
    correct_bias(conv, exact, mean)
    assert torch.equal(conv(x), wanted)
    conv.weight.copy_((exact * 20).round() / 20)
    assert not torch.allclose(conv(x), wanted, atol=1e-3)
    correct_bias(conv, exact, mean)
    assert torch.allclose(conv(x), wanted, atol=1e-5)
