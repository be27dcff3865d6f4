"""Sizes of an mPLUG-2-shaped model (arXiv 2302.00402, section 3) as plain data.

The JSON form (`config.json` of a checkpoint folder) uses the same keys as the fields here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class VisionConfig:
    """The vision encoder. `stem` is what stands where the paper has its patch embedding:
    ``"conv3d"`` (kernel and stride (1, p, p), as in the paper) or ``"efficientnet-lite2"``."""

    width: int
    layers: int
    heads: int
    mlp_width: int
    norm_eps: float = 1e-5
    stem: str = "conv3d"
    stem_channels: int = 3


@dataclass(frozen=True)
class TextConfig:
    """The text encoder; its last `universal_layers` serve vision too."""

    width: int
    layers: int
    universal_layers: int
    heads: int
    ffn_width: int
    vocab: int
    positions: int
    norm_eps: float = 1e-12


@dataclass(frozen=True)
class FusionConfig:
    """`layers` run; `layers_in_file` is the depth from which layer names count."""

    layers: int
    layers_in_file: int
    stride: int = 1000


@dataclass(frozen=True)
class DecoderConfig:
    """The decoder; its widths are the text encoder's."""

    layers: int


@dataclass(frozen=True)
class HeadsConfig:
    """Heads that the paper describes and the authors' code lacks; their sizes are this project's own choice."""

    embedding: int
    """Width of the space that pictures, videos and texts share."""
    classes: int


@dataclass(frozen=True)
class TokenIds:
    """Ids of the special tokens of the vocabulary."""

    pad: int
    unknown: int
    start: int
    end: int
    mask: int


@dataclass(frozen=True)
class Mplug2Config:
    """Everything that decides a tensor's shape or a graph's arithmetic."""

    image_size: int
    patch_size: int
    vision: VisionConfig
    bridge: bool
    text: TextConfig
    latents: int
    fusion: FusionConfig
    decoder: DecoderConfig
    ids: TokenIds
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    heads: HeadsConfig | None = None
    tasks: tuple[str, ...] | None = None
    """What the weights were trained for, where that is not everything that the modules allow."""
    family: str = "mplug2"

    @property
    def grid(self) -> int:
        """Cells along one side of a frame; a convolutional stem rounds up at every halving."""
        return -(-self.image_size // self.patch_size)

    @staticmethod
    def of(raw: dict) -> "Mplug2Config":
        """From the JSON form; keys that are no fields here are not looked at."""
        constants = {k: tuple(raw[k]) for k in ("mean", "std") if k in raw}
        return Mplug2Config(
            image_size=raw["image_size"],
            patch_size=raw["patch_size"],
            vision=VisionConfig(**raw["vision"]),
            bridge=raw["bridge"],
            text=TextConfig(**raw["text"]),
            latents=raw["latents"],
            fusion=FusionConfig(**raw["fusion"]),
            decoder=DecoderConfig(**raw["decoder"]),
            ids=TokenIds(**raw["ids"]),
            heads=HeadsConfig(**raw["heads"]) if raw.get("heads") else None,
            tasks=tuple(raw["tasks"]) if raw.get("tasks") else None,
            **constants,
        )

    @staticmethod
    def load(path: Path) -> "Mplug2Config":
        """Reads `config.json`."""
        return Mplug2Config.of(json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        """Writes the configuration as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def owlet_mini(vocab: int) -> Mplug2Config:
    """The sizes of owlet-mini as its first stages train it, for captions; where they differ from the paper, the model
    card says so."""
    return Mplug2Config(
        image_size=260,
        patch_size=32,
        vision=VisionConfig(384, 2, 6, 1536, stem="efficientnet-lite2", stem_channels=1280),
        bridge=False,
        text=TextConfig(384, 6, 2, 12, 1536, vocab, 128),
        latents=50,
        fusion=FusionConfig(2, 6),
        decoder=DecoderConfig(4),
        ids=TokenIds(pad=0, unknown=1, start=2, end=3, mask=4),
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        tasks=("caption",),
    )
