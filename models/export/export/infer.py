"""What the tensors of a released checkpoint tell of its configuration, and what a config.json beside them adds.

Shapes and names tell widths, depths, patch, picture size, latents and universal layers. They do not tell how many heads share a
width, nor how many of fusion's layers run: those are known of the released shapes, and have to be given of any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from mplug2.config import Mplug2Config

from .config_check import SECTIONS, check_values, check_whole
from .errors import (
    ConfigMismatch,
    ConfigNeeded,
    OtherFamily,
    UnfitConfig,
    UnfitTensors,
    UnfitVocabulary,
    UnreadableCheckpoint,
    UnsupportedConfig,
    listed,
)
from .positions import POSITIONS, side_of
from .released import BASE, LARGE
from .skipped import DECODER_WORDS, TEXT_WORDS
from .tensor_source import Header

VISUAL = "visual_encoder.visual"
TEXT_LAYER = r"text_encoder\.encoder\.layer\.(\d+)\."
FUSION_LAYER = r"fusion_encoder\.encoder\.layer\.(\d+)\."
DECODER_LAYER = r"text_decoder\.bert\.encoder\.layer\.(\d+)\."
# mPLUG-2's own; its predecessor has the other names too.
MARKS = (re.escape(VISUAL) + r"\.transformer\.resblocks\.\d+\.lmhra1\..*", TEXT_LAYER + "latents")
HEAD = 64
# Text width and fusion layers in the file → fusion layers that run, of the released shapes.
RELEASED = {(c.text.width, c.fusion.layers_in_file): c.fusion.layers for c in (LARGE, BASE)}
SPECIAL = {"pad": "[PAD]", "unknown": "[UNK]", "start": "[CLS]", "end": "[SEP]", "mask": "[MASK]"}
VOCABULARY = "give the vocabulary that the checkpoint was trained with by --vocab"
# Sizes of what no graph has.
IGNORED = ("unused_clip_text",)

Headers = Mapping[str, Header]


def read_config(file: Path) -> dict:
    """config.json, or nothing where there is none; a key that nothing reads and a value that cannot be are refused by name."""
    if not file.exists():
        return {}
    try:
        raw = json.loads(file.read_text())
        given = {key: value for key, value in raw.items() if key not in IGNORED and value is not None}
        sections = {name: dict(given[name].items()) for name in SECTIONS if name in given}
    except (ValueError, AttributeError, OSError) as error:
        raise UnreadableCheckpoint(f"{file} is no configuration ({error})", "correct it or remove it") from error
    for section, values in {"": given, **sections}.items():
        check_values(file, section, values)
    if given.get("family", Mplug2Config.family) != Mplug2Config.family:
        raise OtherFamily(f"{file} is of the family {given['family']}", f"this exports {Mplug2Config.family}")
    return given


def check_family(headers: Headers) -> None:
    """Refuses tensors among which there is none that only mPLUG-2 has."""
    if not any(re.fullmatch(mark, name) for mark in MARKS for name in headers):
        what = f"the tensors are not mPLUG-2's: there are {listed(sorted(headers))}, but no `lmhra1` and no `latents`"
        raise OtherFamily(what, "give an mPLUG-2 checkpoint")


def depth(headers: Headers, pattern: str) -> int:
    """One more than the greatest index that a pattern finds at the beginning of names; 0 where it finds none."""
    return 1 + max((int(found[1]) for name in headers if (found := re.match(pattern, name))), default=-1)


def shape(headers: Headers, name: str, rank: int) -> tuple[int, ...]:
    """The shape of a tensor that the configuration is read from."""
    if name not in headers:
        raise UnfitTensors(f"missing {name}", "the file is not a whole mPLUG-2 checkpoint: take another")
    if len(headers[name].shape) != rank:
        raise UnfitTensors(f"{name} has the shape {list(headers[name].shape)}, not {rank} lengths", "take another file")
    return headers[name].shape


def word_table(headers: Headers) -> tuple[int, ...]:
    """Vocabulary and width; a table that text encoder and decoder share has one of two names."""
    return shape(headers, DECODER_WORDS if DECODER_WORDS in headers else TEXT_WORDS, 2)


def told(headers: Headers) -> dict:
    """What shapes and names tell, in the form of config.json. Of a convolutional stem they tell no picture size."""
    first_latents = [int(m[1]) for name in headers if (m := re.fullmatch(TEXT_LAYER + "latents", name))]
    text_layers = depth(headers, TEXT_LAYER)
    if not first_latents:
        raise UnfitTensors("missing text_encoder.encoder.layer.*.latents", "take a whole mPLUG-2 checkpoint")
    universal = min(first_latents)
    vocab, width = word_table(headers)
    layer = f"text_encoder.encoder.layer.{universal}"
    kernel = shape(headers, f"{VISUAL}.conv1.weight", 5)
    found = {
        "vision": {
            "width": kernel[0],
            "layers": depth(headers, re.escape(VISUAL) + r"\.transformer\.resblocks\.(\d+)\."),
            "mlp_width": shape(headers, f"{VISUAL}.transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
        },
        "bridge": "visn_fc.weight" in headers,
        "text": {
            "width": width,
            "layers": text_layers,
            "universal_layers": text_layers - universal,
            "ffn_width": shape(headers, f"{layer}.intermediate.dense.weight", 2)[0],
            "vocab": vocab,
            "positions": shape(headers, "text_decoder.bert.embeddings.position_embeddings.weight", 2)[0],
        },
        "latents": shape(headers, f"{layer}.latents", 2)[0],
        "decoder": {"layers": depth(headers, DECODER_LAYER)},
    }
    if not any(name.startswith("stem.") for name in headers):
        places = shape(headers, POSITIONS, 2)[0]
        side = side_of(places)
        if side is None:
            raise UnfitTensors(f"{POSITIONS} has {places - 1} places beside the class token's, no square", "take another file")
        found |= {"image_size": side * kernel[-1], "patch_size": kernel[-1]}
        found["vision"] |= {"stem": "conv3d"}
    return found


def assumed(headers: Headers, found: dict, vocabulary: list[str]) -> dict:
    """What is known of the released shapes beyond their tensors, and the ids of the vocabulary's special pieces."""
    width, layers_in_file = found["text"]["width"], depth(headers, FUSION_LAYER)
    more: dict = {
        "vision": {"heads": found["vision"]["width"] // HEAD} if found["vision"]["width"] % HEAD == 0 else {},
        "text": {"heads": width // HEAD} if width in {known for known, _ in RELEASED} else {},
        "fusion": {"layers_in_file": layers_in_file},
        "ids": {key: vocabulary.index(piece) for key, piece in SPECIAL.items()},
    }
    if (width, layers_in_file) in RELEASED:
        more["fusion"]["layers"] = RELEASED[width, layers_in_file]
    if layers_in_file == 0:
        # A checkpoint of captioning alone.
        more |= {"fusion": {"layers": 0, "layers_in_file": 0}, "tasks": ["caption"]}
    return more


def joined(lower: dict, upper: dict) -> dict:
    """Two configurations by section; the upper one's keys count."""
    both = {**lower, **upper}
    return {k: {**lower.get(k, {}), **v} if isinstance(v, dict) else v for k, v in both.items()}


def flat(config: dict) -> dict[str, object]:
    """Keys with their section in front."""
    rows: dict[str, object] = {}
    for key, value in config.items():
        rows |= {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
    return rows


def needed(config: dict) -> list[str]:
    """Keys without a default that a configuration lacks."""
    rows = flat(config)
    wanted = [
        *("image_size", "patch_size", "bridge", "latents", "vision.width", "vision.layers", "vision.heads"),
        *("vision.mlp_width", "text.heads", "fusion.layers", "fusion.layers_in_file", "decoder.layers"),
        *(("heads.embedding", "heads.classes") if "heads" in config else ()),
    ]
    return [key for key in wanted if key not in rows]


def check_graph(config: Mplug2Config) -> None:
    """Refuses a configuration whose fusion would run its joint attention: at every `stride`-th layer but the first,
    whichever end layers are counted from."""
    if config.fusion.stride < config.fusion.layers_in_file:
        what = f"fusion.stride {config.fusion.stride} would run joint attention in {config.fusion.layers_in_file} layers"
        raise UnsupportedConfig(what, "only checkpoints whose stride is beyond their depth (100, 1000) can be exported")


def check_special(vocabulary: list[str]) -> None:
    """Refuses a vocabulary without one of BERT's special pieces."""
    absent = [piece for piece in SPECIAL.values() if piece not in vocabulary]
    if absent:
        raise UnfitVocabulary(f"the vocabulary has no {', '.join(absent)}", VOCABULARY)


def check_ids(config: Mplug2Config, vocabulary: list[str]) -> None:
    """Refuses ids that the vocabulary gives to other pieces."""
    for key, piece in SPECIAL.items():
        number = getattr(config.ids, key)
        if number >= len(vocabulary) or vocabulary[number] != piece:
            raise UnfitVocabulary(f"ids.{key} is {number}, which is not {piece} in the vocabulary", VOCABULARY)


def picture_size(given: int, patch: int) -> int:
    """The size of pictures that config.json asks for."""
    if given % patch:
        raise UnfitConfig(f"image_size {given} is no multiple of the patch, {patch}", "give one, or remove that key")
    return given


def infer(headers: Headers, given: dict, vocabulary: list[str]) -> Mplug2Config:
    """The configuration of a checkpoint: what its tensors tell, with which `given` has to agree but for the size of pictures,
    then `given`, then what is known of released shapes."""
    check_special(vocabulary)
    found = told(headers)
    said = flat(given)
    if "image_size" in found and "image_size" in said:
        # Of another size than the checkpoint's: its positions are resized.
        found["image_size"] = picture_size(said["image_size"], found["patch_size"])
    for key, value in flat(found).items():
        if key in said and said[key] != value:
            raise ConfigMismatch(f"config.json says {key} {said[key]}, the tensors {value}", "correct or remove that key")
    whole = joined(joined(assumed(headers, found, vocabulary), given), found)
    lost = needed(whole)
    if lost:
        raise ConfigNeeded(f"the tensors do not tell {', '.join(lost)}", "give them in a config.json beside the weights")
    config = Mplug2Config.of(whole)
    check_whole(config)
    check_graph(config)
    check_ids(config, vocabulary)
    return config
