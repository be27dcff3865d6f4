"""PyTorch parameters → stored weights, under names of the modules that own them.

A module's tensors carry its name in front (`vision.`, `universal.`, `decoder.` …), so that blobs never mix modules.
Matrices are stored in×out. Query, key and value of one input are one matrix; 1/√d is folded into the query.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .tensors import Large, WeightStore, WriteBack


def array(tensor: torch.Tensor) -> np.ndarray:
    """A float32 copy."""
    return tensor.detach().float().numpy().copy()


class ModuleWeights:
    """Adds weights of one module to the store, for graphs of one form."""

    def __init__(self, store: WeightStore, module: str, form: str) -> None:
        self.store = store
        self.module = module
        self.form = form

    def of(self, module: str) -> "ModuleWeights":
        """The same store under another module's name: for tensors that several modules' graphs use."""
        return ModuleWeights(self.store, module, self.form)

    def name(self, rest: str) -> str:
        return f"{self.module}.{rest}"

    def small(self, rest: str, tensor: torch.Tensor, write_back: WriteBack | None = None) -> str:
        """A tensor kept as float32: a parameter or a view of one, else `write_back` says how its values are undone."""

        def into_the_parameter(values: np.ndarray) -> None:
            tensor.detach().copy_(torch.from_numpy(values))

        return self.store.add_float(self.name(rest), self.module, array(tensor), write_back or into_the_parameter)

    def norm(self, rest: str, norm: nn.LayerNorm) -> str:
        """weight and bias of a LayerNorm; returns their common prefix."""
        self.small(f"{rest}.weight", norm.weight)
        self.small(f"{rest}.bias", norm.bias)
        return self.name(rest)

    def kernel(self, rest: str, conv: nn.Conv2d) -> str:
        """Kernel out×in×kh×kw of a convolution, a scale per output channel."""

        def write_back(values: np.ndarray) -> None:
            conv.weight.data.copy_(torch.from_numpy(values))

        large = Large(self.name(f"{rest}.weight"), self.module, array(conv.weight), 0, False)
        return self.store.add_large(large, self.form, write_back)

    def matrix(
        self, rest: str, parts: list[torch.Tensor], factors: list[float] | None = None, product: bool = True
    ) -> str:
        """Parameters out_i×in side by side as one in×Σout_i matrix; `factors` multiply the parts. `product`: it is read by
        `GraphWriter.linear` alone."""
        factors = factors or [1.0] * len(parts)
        whole = np.concatenate([array(p.flatten(1)).T * f for p, f in zip(parts, factors)], 1)

        def write_back(values: np.ndarray) -> None:
            start = 0
            for part, factor in zip(parts, factors):
                width = part.shape[0]
                piece = values[:, start : start + width].T / factor
                part.data.copy_(torch.from_numpy(np.ascontiguousarray(piece)).reshape(part.shape))
                start += width

        large = Large(self.name(f"{rest}.weight"), self.module, whole, 1, product)
        return self.store.add_large(large, self.form, write_back)

    def biases(self, rest: str, parts: list[torch.Tensor], factors: list[float] | None = None) -> str:
        """Biases side by side, as `matrix` lays the columns."""
        factors = factors or [1.0] * len(parts)
        values = torch.cat([part.detach().float() * factor for part, factor in zip(parts, factors)])

        def write_back(values: np.ndarray) -> None:
            pieces = np.split(values, np.cumsum([len(part) for part in parts])[:-1])
            for part, factor, piece in zip(parts, factors, pieces):
                part.detach().copy_(torch.from_numpy(piece / np.float32(factor)))

        return self.small(f"{rest}.bias", values, write_back)

    def linears(self, rest: str, layers: list[nn.Linear], factors: list[float] | None = None) -> tuple[str, str]:
        """Several linear layers over one input as one."""
        return (
            self.matrix(rest, [layer.weight for layer in layers], factors),
            self.biases(rest, [layer.bias for layer in layers], factors),
        )
