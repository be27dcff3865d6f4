"""Names of a released checkpoint that no output depends on, with the reason."""

from __future__ import annotations

import re

from mplug2.config import Mplug2Config

TEXT_WORDS = "text_encoder.embeddings.word_embeddings.weight"
DECODER_WORDS = "text_decoder.bert.embeddings.word_embeddings.weight"
PREDICTIONS = "text_decoder.cls.predictions"
# Saved twice by the authors' code: second name, first name.
SECOND_NAMES = {f"{PREDICTIONS}.decoder.weight": DECODER_WORDS, f"{PREDICTIONS}.decoder.bias": f"{PREDICTIONS}.bias"}
SECOND_NAME = "second name of a tied tensor"
# The first that matches counts.
UNUSED = (
    (r"[a-z_]+_m\..*", "momentum twin"),
    (r"(.*\.)?position_ids", "positions count from 0"),
    (r"(.*\.)?num_batches_tracked", "counts training steps"),
    (r"visual_encoder\.(?!visual\.).*", "CLIP's text tower"),
    (r"visual_encoder\.visual\.proj", "CLIP's projection"),
    (r".*\.(intermediate|output)_vision\..*", "feed-forward that the released forward never uses"),
    (r"text_decoder\..*\.latents", "the decoder has no latents"),
    (r"fusion_encoder\.embeddings\..*", "fusion takes the text encoder's output"),
)
NOT_RUN = "fusion layer that does not run"


def reason_skipped(name: str, config: Mplug2Config) -> str | None:
    """Why a tensor is left out, or None where it is not known to be unused."""
    if name in SECOND_NAMES:
        return SECOND_NAME
    for pattern, reason in UNUSED:
        if re.fullmatch(pattern, name):
            return reason
    layer = re.match(r"fusion_encoder\.encoder\.layer\.(\d+)\.", name)
    first = config.fusion.layers_in_file - config.fusion.layers
    return NOT_RUN if layer and int(layer[1]) < first else None
