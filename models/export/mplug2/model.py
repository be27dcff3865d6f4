"""mPLUG-2 as modules (arXiv 2302.00402): vision, universal, text encoder, fusion, decoder.

Parameter names are the authors', so that a released checkpoint's tensors load by name.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .bert import Embeddings, Layer, LayerStack, Memory
from .config import Mplug2Config
from .vision import VisionEncoder, patches


class Mplug2(nn.Module):
    """All modules of one model. Each method is one module of the exported model."""

    def __init__(self, config: Mplug2Config, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        text = config.text
        self.visual_encoder = nn.ModuleDict({"visual": VisionEncoder(config, dropout)})
        if config.vision.stem != "conv3d":
            from .stem import EfficientNetLiteStem

            self.stem = EfficientNetLiteStem()
        if config.bridge:
            self.visn_fc = nn.Linear(config.vision.width, text.width)
            self.visn_layer_norm = nn.LayerNorm(text.width, eps=text.norm_eps)
        self.visn_emb_norm = nn.LayerNorm(text.width, eps=text.norm_eps)
        first_universal = text.layers - text.universal_layers
        self.text_encoder = nn.ModuleDict(
            {
                "embeddings": Embeddings(text, dropout),
                "encoder": LayerStack(text, 0, text.layers, first_universal, dropout),
            }
        )
        first = self.text_encoder["encoder"].layer[str(first_universal)]
        first.latents = nn.Parameter(torch.randn(config.latents, text.width) * 0.02)
        fusion = config.fusion
        self.fusion_encoder = nn.ModuleDict(
            {"encoder": LayerStack(text, fusion.layers_in_file - fusion.layers, fusion.layers, 0, dropout)}
        )
        head = nn.ModuleDict(
            {
                "transform": nn.ModuleDict(
                    {
                        "dense": nn.Linear(text.width, text.width),
                        "LayerNorm": nn.LayerNorm(text.width, eps=text.norm_eps),
                    }
                )
            }
        )
        head.bias = nn.Parameter(torch.zeros(text.vocab))
        self.text_decoder = nn.ModuleDict(
            {
                "bert": nn.ModuleDict(
                    {
                        "embeddings": Embeddings(text, dropout),
                        "encoder": LayerStack(text, 0, config.decoder.layers, 0, dropout),
                    }
                ),
                "cls": nn.ModuleDict({"predictions": head}),
            }
        )

        if config.heads:
            self.vision_proj = nn.Linear(text.width, config.heads.embedding, bias=False)
            self.text_proj = nn.Linear(text.width, config.heads.embedding, bias=False)
            self.itm_head = nn.Linear(text.width, 2)
            self.class_head = nn.Linear(config.vision.stem_channels, config.heads.classes)

    def share_embeddings(self) -> None:
        """One word table serves text encoder and decoder (owlet-mini; the released model keeps two)."""
        self.text_encoder["embeddings"].word_embeddings = self.text_decoder["bert"]["embeddings"].word_embeddings

    def cells(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalised pixels B×3×T×R×R → B×T×HW×C: what stands in for the patch embedding's input."""
        if self.config.vision.stem == "conv3d":
            return patches(pixels, self.config.patch_size)
        b, _, t = pixels.shape[:3]
        x = self.stem(pixels.transpose(1, 2).flatten(0, 1))
        return x.flatten(2).transpose(1, 2).unflatten(0, (b, t))

    def vision(self, cells: torch.Tensor) -> torch.Tensor:
        """cells B×T×HW×C → visual tokens B×(1+T·HW)×E."""
        x = self.visual_encoder["visual"](cells)
        if self.config.bridge:
            x = self.visn_layer_norm(self.visn_fc(x))
        return x

    def universal_layers(self) -> list[Layer]:
        """The text encoder's last layers, which serve vision too."""
        text = self.config.text
        stack = self.text_encoder["encoder"].layer
        return [stack[str(i)] for i in range(text.layers - text.universal_layers, text.layers)]

    def gather(self, tokens: torch.Tensor) -> torch.Tensor:
        """tokens B×N×E → latents B×M×E, after all universal layers but the last."""
        layers = self.universal_layers()
        latents = layers[0].latents.to(tokens.dtype).expand(tokens.shape[0], -1, -1)
        for layer in layers[:-1]:
            latents = layer(latents, Memory(tokens))
        return latents

    def universal(self, tokens: torch.Tensor) -> torch.Tensor:
        """Vision mode (section 3.3): latents gather from the tokens, the tokens then read the latents."""
        return self.visn_emb_norm(tokens + self.universal_layers()[-1](tokens, Memory(self.gather(tokens))))

    def text(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """ids, mask B×L → B×L×E, all layers in text mode."""
        x = self.text_encoder["embeddings"](ids)
        for layer in self.text_encoder["encoder"]:
            x = layer(x, mask=mask[:, None, None].bool())
        return x

    def fusion(self, text: torch.Tensor, visual: torch.Tensor | Memory, mask: torch.Tensor) -> torch.Tensor:
        """Question tokens read the visual tokens; the memory of an answer is [visual ; result]."""
        visual = visual if isinstance(visual, Memory) else Memory(visual)
        for layer in self.fusion_encoder["encoder"]:
            text = layer(text, visual, mask=mask[:, None, None].bool())
        return text

    def embed_visual(self, memory: torch.Tensor) -> torch.Tensor:
        """memory B×N×E → B×W of length 1: the mean of all visual tokens, projected."""
        return F.normalize(self.vision_proj(memory.mean(1)), dim=-1)

    def embed_text(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Text encoder's hidden B×L×E, mask B×L → B×W of length 1: the mean over the tokens, projected."""
        kept = mask[..., None].to(hidden.dtype)
        return F.normalize(self.text_proj((hidden * kept).sum(1) / kept.sum(1)), dim=-1)

    def match_logits(self, fused: torch.Tensor) -> torch.Tensor:
        """Fusion's output B×L×E → B×2 from its first token ([CLS]): [does not fit, fits]."""
        return self.itm_head(fused[:, 0])

    def class_logits(self, cells: torch.Tensor) -> torch.Tensor:
        """Cells of the stem B×T×HW×C → B×classes, from their mean over places and frames."""
        return self.class_head(cells.mean((1, 2)))

    def decoder_hidden(
        self, ids: torch.Tensor, memory: torch.Tensor | Memory, memory_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """ids B×L, memory B×N×E → hidden states before the output matrix, B×L×E."""
        memory = memory if isinstance(memory, Memory) else Memory(memory)
        decoder = self.text_decoder["bert"]
        x = decoder["embeddings"](ids)
        cross_mask = None if memory_mask is None else memory_mask[:, None, None].bool()
        for layer in decoder["encoder"]:
            x = layer(x, memory, memory_mask=cross_mask, causal=True)
        transform = self.text_decoder["cls"]["predictions"]["transform"]
        return transform["LayerNorm"](F.gelu(transform["dense"](x)))

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tied output matrix and its bias: … × E → … × vocabulary."""
        table = self.text_decoder["bert"]["embeddings"].word_embeddings.weight
        return F.linear(hidden, table, self.text_decoder["cls"]["predictions"].bias)
