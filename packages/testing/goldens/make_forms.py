"""Writes `forms/`: a tiny random model for captions, exported in 4-bit blocks alone, and in int8, float16 and 4-bit blocks at once.

    cd models/export; PYTHONPATH=. python ../../packages/testing/goldens/make_forms.py

Widths are whole blocks, so that every matrix but the word table is stored in them; some have rows that are stored apart.
"""

from __future__ import annotations

from pathlib import Path

import torch

from export.manifest import write_model
from export.stored_forms import Forms
from mplug2.config import DecoderConfig, FusionConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig
from mplug2.model import Mplug2

OUT = Path(__file__).parent / "forms"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"a man dog park ball is the on in red one two".split()]
WIDTH, PATCH = 64, 8
OUTLYING = [3, 17]
CONFIG = Mplug2Config(
    image_size=2 * PATCH,
    patch_size=PATCH,
    vision=VisionConfig(width=WIDTH, layers=1, heads=1, mlp_width=128, stem_channels=3 * PATCH * PATCH),
    bridge=False,
    text=TextConfig(WIDTH, layers=2, universal_layers=1, heads=2, ffn_width=128, vocab=len(VOCABULARY), positions=32),
    latents=3,
    fusion=FusionConfig(layers=1, layers_in_file=1),
    decoder=DecoderConfig(layers=1),
    ids=TokenIds(pad=0, unknown=1, start=2, end=3, mask=4),
    tasks=("caption",),
)
FORMS = {"int4": ("int4",), "all": ("int8", "float16", "int4")}


def random_model() -> Mplug2:
    """A caption that varies by position, ends by itself, and is the same in all forms."""
    torch.manual_seed(4)
    model = Mplug2(CONFIG).eval()
    for name, parameter in model.named_parameters():
        if name.endswith(("c_fc.weight", "intermediate.dense.weight")):
            parameter.data[:, OUTLYING] *= 8
    embeddings = model.text_decoder["bert"]["embeddings"]
    embeddings.word_embeddings.weight.data = 0.3 * torch.randn_like(embeddings.word_embeddings.weight)
    embeddings.position_embeddings.weight.data = torch.randn_like(embeddings.position_embeddings.weight)
    bias = model.text_decoder["cls"]["predictions"].bias.data
    bias[:5] = -9
    bias[CONFIG.ids.end] = 1.5
    return model


def main() -> None:
    torch.set_num_threads(1)
    for name, forms in FORMS.items():
        identity = {"id": name, "name": f"Tiny mPLUG-2 as {', '.join(forms)}", "licence": "Apache-2.0"}
        write_model(random_model(), VOCABULARY, OUT / name, identity, Forms(forms))
        (OUT / name / "README.md").write_text(f"# {identity['name']}\n\nFor tests; made by ../../make_forms.py.\n")


if __name__ == "__main__":
    main()
