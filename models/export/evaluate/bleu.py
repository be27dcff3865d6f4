"""Corpus BLEU-1..4 (Papineni et al. 2002) with the arithmetic of pycocoevalcap's bleu_scorer.

Clipped n-gram precision against the references together, the reference length closest to the candidate's
(the shorter one on a tie), brevity penalty exp(1 − reference/candidate) where the candidates are shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .cider import N, NGram, Tokens, ngram_counts

# That scorer's guards against division by zero; they are part of its results.
_SMALL = 1e-9
_TINY = 1e-15


def bleu_statistics(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> np.ndarray:
    """What BLEU sums over photos, float64 of shape (photos, 10): candidate length, reference length,
    n-grams in the candidate (4), of them matched (4)."""
    rows = np.zeros((len(candidates), 2 + 2 * N))
    for row, candidate, sentences in zip(rows, candidates, references):
        length = len(candidate)
        most: Counter[NGram] = Counter()
        for sentence in sentences:
            most |= ngram_counts(sentence)
        row[0] = length
        row[1] = min((abs(len(s) - length), len(s)) for s in sentences)[1]
        for n in range(N):
            row[2 + n] = max(0, length - n)
        for gram, count in ngram_counts(candidate).items():
            row[2 + N + len(gram) - 1] += min(count, most[gram])
    return rows


def bleu(sums: np.ndarray) -> np.ndarray:
    """BLEU-1..4 from statistics summed over photos: shape (..., 10) gives (..., 4)."""
    guessed = sums[..., 2 : 2 + N] + _SMALL
    matched = sums[..., 2 + N :] + _TINY
    precision = np.exp(np.cumsum(np.log(matched / guessed), axis=-1) / np.arange(1, N + 1))
    ratio = (sums[..., 0:1] + _TINY) / (sums[..., 1:2] + _SMALL)
    return precision * np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio))
