"""The released shapes of mPLUG-2 (arXiv 2302.00402) as configurations, and every tensor of a checkpoint in the authors' form."""

from __future__ import annotations

from dataclasses import dataclass

from mplug2.config import DecoderConfig, FusionConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig

from .empty_model import empty_model
from .skipped import DECODER_WORDS, SECOND_NAMES

Shape = tuple[int, ...]
BERT_IDS = TokenIds(pad=0, unknown=100, start=101, end=102, mask=103)

LARGE = Mplug2Config(
    image_size=224,
    patch_size=14,
    vision=VisionConfig(width=1024, layers=24, heads=16, mlp_width=4096),
    bridge=False,
    text=TextConfig(
        width=1024, layers=24, universal_layers=2, heads=16, ffn_width=4096, vocab=30_522, positions=512
    ),
    latents=50,
    fusion=FusionConfig(layers=6, layers_in_file=24),
    decoder=DecoderConfig(layers=12),
    ids=BERT_IDS,
)
BASE = Mplug2Config(
    image_size=224,
    patch_size=16,
    vision=VisionConfig(width=768, layers=12, heads=12, mlp_width=3072),
    bridge=False,
    text=TextConfig(width=768, layers=12, universal_layers=2, heads=12, ffn_width=3072, vocab=30_522, positions=512),
    latents=50,
    fusion=FusionConfig(layers=3, layers_in_file=12),
    decoder=DecoderConfig(layers=12),
    ids=BERT_IDS,
)


@dataclass(frozen=True)
class ClipText:
    """Sizes of CLIP's text tower, which checkpoints hold and nothing uses."""

    width: int
    embed: int
    layers: int = 12
    context: int = 77
    vocab: int = 49_408


CLIP_TEXT = {LARGE: ClipText(768, 768), BASE: ClipText(512, 512)}


def clip_shapes(clip: ClipText, vision_width: int) -> dict[str, Shape]:
    """CLIP's text tower and projections."""
    d = clip.width
    shapes: dict[str, Shape] = {
        "positional_embedding": (clip.context, d),
        "text_projection": (d, clip.embed),
        "logit_scale": (),
        "token_embedding.weight": (clip.vocab, d),
        "ln_final.weight": (d,),
        "ln_final.bias": (d,),
        "visual.proj": (vision_width, clip.embed),
    }
    for i in range(clip.layers):
        at = f"transformer.resblocks.{i}"
        shapes |= {
            **{f"{at}.attn.in_proj_weight": (3 * d, d), f"{at}.attn.in_proj_bias": (3 * d,)},
            **{f"{at}.attn.out_proj.weight": (d, d), f"{at}.attn.out_proj.bias": (d,)},
            **{f"{at}.mlp.c_fc.weight": (4 * d, d), f"{at}.mlp.c_fc.bias": (4 * d,)},
            **{f"{at}.mlp.c_proj.weight": (d, 4 * d), f"{at}.mlp.c_proj.bias": (d,)},
            **{f"{at}.{norm}.{part}": (d,) for norm in ("ln_1", "ln_2") for part in ("weight", "bias")},
        }
    return {f"visual_encoder.{name}": shape for name, shape in shapes.items()}


def vision_feed_forward(layer: str, config: TextConfig) -> dict[str, Shape]:
    """The feed-forward for vision that the last layers of text encoder and decoder hold."""
    width, inner = config.width, config.ffn_width
    return {
        f"{layer}.intermediate_vision.dense.weight": (inner, width),
        f"{layer}.intermediate_vision.dense.bias": (inner,),
        f"{layer}.output_vision.dense.weight": (width, inner),
        f"{layer}.output_vision.dense.bias": (width,),
        f"{layer}.output_vision.LayerNorm.weight": (width,),
        f"{layer}.output_vision.LayerNorm.bias": (width,),
    }


def shapes_of(config: Mplug2Config, clip: ClipText) -> dict[str, Shape]:
    """Every float tensor of a checkpoint of this configuration, used or not, without momentum twins."""
    text, fusion = config.text, config.fusion
    shapes = {name: tuple(tensor.shape) for name, tensor in empty_model(config).state_dict().items()}
    first_run = fusion.layers_in_file - fusion.layers
    run = f"fusion_encoder.encoder.layer.{first_run}."
    layer = {name.removeprefix(run): shape for name, shape in shapes.items() if name.startswith(run)}
    for i in range(first_run):
        shapes |= {f"fusion_encoder.encoder.layer.{i}.{name}": shape for name, shape in layer.items()}
    embeddings = {n: s for n, s in shapes.items() if n.startswith("text_encoder.embeddings.")}
    shapes |= {name.replace("text_encoder", "fusion_encoder"): shape for name, shape in embeddings.items()}
    for stack, depth in (("text_encoder", text.layers), ("text_decoder.bert", config.decoder.layers)):
        for i in range(max(0, depth - text.universal_layers), depth):
            shapes |= vision_feed_forward(f"{stack}.encoder.layer.{i}", text)
    first = max(0, config.decoder.layers - text.universal_layers)
    shapes[f"text_decoder.bert.encoder.layer.{first}.latents"] = (config.latents, text.width)
    shapes |= {second: shapes[first_name] for second, first_name in SECOND_NAMES.items()}
    return shapes | clip_shapes(clip, config.vision.width)


def position_ids(config: Mplug2Config) -> dict[str, Shape]:
    """The integer tensors beside them."""
    stacks = ("text_encoder", "fusion_encoder", DECODER_WORDS.split(".embeddings")[0])
    return {f"{stack}.embeddings.position_ids": (1, config.text.positions) for stack in stacks}
