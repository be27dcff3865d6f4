"""Reads a checkpoint folder, our own or in the authors' form, into the model that is exported.

The folder holds config.json and weights.safetensors; vocab.txt there, or a file given beside it.
"""

from __future__ import annotations

import re
from pathlib import Path

from safetensors.torch import load_file

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2

TEXT_WORDS = "text_encoder.embeddings.word_embeddings.weight"
DECODER_WORDS = "text_decoder.bert.embeddings.word_embeddings.weight"

# Names of a released checkpoint that no output depends on (the first layers of fusion apart), with the reason.
UNUSED = (
    (r"(.*\.)?position_ids", "positions count from 0"),
    (r"visual_encoder\.(?!visual\.).*", "CLIP's text tower"),
    (r"visual_encoder\.visual\.proj", "CLIP's projection"),
    (r".*\.(intermediate|output)_vision\..*", "feed-forwards that the released forward never uses"),
    (r"text_decoder\..*\.latents", "the decoder has no latents"),
    (r"fusion_encoder\.embeddings\..*", "fusion takes the text encoder's output"),
    (r"text_decoder\.cls\.predictions\.decoder\..*", "tied to the word table and the bias"),
    (r"[a-z_]+_m\..*", "a momentum twin"),
)


def reason_unused(name: str, config: Mplug2Config) -> str | None:
    """Why a tensor of a checkpoint is left out, or None where it is not known to be unused."""
    for pattern, reason in UNUSED:
        if re.fullmatch(pattern, name):
            return reason
    layer = re.match(r"fusion_encoder\.encoder\.layer\.(\d+)\.", name)
    if layer and int(layer[1]) < config.fusion.layers_in_file - config.fusion.layers:
        return "a layer of fusion that does not run"
    return None


def read_vocabulary(file: Path, config: Mplug2Config) -> list[str]:
    """One piece a line; as many as the word table has rows."""
    pieces = file.read_text().splitlines()
    if len(pieces) != config.text.vocab:
        raise SystemExit(f"{file} has {len(pieces)} pieces, the checkpoint's word table {config.text.vocab} rows")
    return pieces


def read_checkpoint(folder: Path, vocabulary: Path | None = None) -> tuple[Mplug2, list[str]]:
    """The model, in eval mode, and its vocabulary: the given file's, or the folder's vocab.txt."""
    model = read_model(folder)
    return model, read_vocabulary(vocabulary or folder / "vocab.txt", model.config)


def read_model(folder: Path) -> Mplug2:
    """The model, in eval mode. A hole or a tensor of unknown use ends the export."""
    config = Mplug2Config.load(folder / "config.json")
    tensors = load_file(folder / "weights.safetensors")
    skipped = {name: reason for name in tensors if (reason := reason_unused(name, config))}
    for reason in dict.fromkeys(skipped.values()):
        print(f"skipped {list(skipped.values()).count(reason)}: {reason}")
    kept = {name: tensor for name, tensor in tensors.items() if name not in skipped}
    model = Mplug2(config).eval()
    # A shared word table is in the file under one of its two names; a released checkpoint holds two tables.
    if len({TEXT_WORDS, DECODER_WORDS} & kept.keys()) == 1:
        model.share_embeddings()
        table = next(kept[name] for name in (TEXT_WORDS, DECODER_WORDS) if name in kept)
        kept |= {TEXT_WORDS: table, DECODER_WORDS: table}
    missing, unexpected = model.load_state_dict(kept, strict=False)
    lost = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lost or unexpected:
        raise SystemExit(f"{folder}: missing {lost or 'nothing'}, unexpected {unexpected or 'nothing'}")
    return model
