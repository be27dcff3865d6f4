"""Token ids → embeddings. The word table is a module of its own where text encoder and decoder share it."""

from __future__ import annotations

import numpy as np
import torch

from mplug2.bert import Embeddings
from mplug2.model import Mplug2

from .graph import GraphWriter, Value
from .weights import ModuleWeights

IDS = Value("ids", "int32", ("batch", "length"))


def word_table(w: ModuleWeights, model: Mplug2, embeddings: Embeddings) -> str:
    """Name of the word table, stored E×vocabulary as the output matrix wants it, with a scale per piece."""
    decoder = model.text_decoder["bert"]["embeddings"]
    shared = model.text_encoder["embeddings"].word_embeddings is decoder.word_embeddings
    return (w.of("embeddings") if shared else w).matrix("words", [embeddings.word_embeddings.weight], product=False)


def embed(
    g: GraphWriter, w: ModuleWeights, model: Mplug2, embeddings: Embeddings, first: str, end: str
) -> tuple[str, str]:
    """ids at positions `first` … `end` − 1 → embeddings B×L×E behind their LayerNorm, and the word table's name.

    A token's embedding is one of the table's columns.
    """
    table = word_table(w, model, embeddings)
    if g.reads_int8(table):
        taken = g.op("Cast", g.op("Gather", g.weight(table, "int8"), "ids", axis=1), to=1)
        scales = g.op("Gather", g.weight(f"{table}.scales"), "ids", axis=0)
        taken = g.op("Mul", taken, scales)
    else:
        taken = g.op("Gather", g.weight(table), "ids", axis=1)
    rows = g.transpose(taken, 1, 2, 0)
    of_type = embeddings.token_type_embeddings.weight[0].detach()
    places = embeddings.position_embeddings.weight.detach()

    def write_back(values: np.ndarray) -> None:
        places.copy_(torch.from_numpy(values) - of_type)

    stored = g.weight(w.small("positions", places + of_type, write_back))
    x = g.op("Add", rows, g.op("Slice", stored, first, end, g.constant([0])))
    return g.layer_norm(x, w.norm("embedding_norm", embeddings.LayerNorm), model.config.text.norm_eps), table
