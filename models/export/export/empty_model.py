"""A model without values, made without computing or holding any."""

from __future__ import annotations

import torch
from torch.nn import init
from torch.overrides import TorchFunctionMode

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2


# How the layers of `mplug2` fill parameters. Others would be computed, which is slower and as good.
SKIPPED = (torch.Tensor.mul, init.kaiming_uniform_, init.uniform_, init.normal_)


class Unfilled(TorchFunctionMode):
    """Leaves out how parameters begin. On the meta device that would only load torch's compiler, for some seconds."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.randn:
            func = torch.empty
        if func in SKIPPED:
            return (args or tuple(kwargs.values()))[0]
        return func(*args, **(kwargs or {}))


def empty_model(config: Mplug2Config) -> Mplug2:
    """In eval mode, parameters on the meta device. With a convolutional stem all are ImageNet's or random: its layers are not
    this project's, and such models are small."""
    if config.vision.stem != "conv3d":
        return Mplug2(config).eval()
    with torch.device("meta"), Unfilled():
        return Mplug2(config).eval()
