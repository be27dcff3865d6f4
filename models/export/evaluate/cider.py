"""CIDEr-D (arXiv 1411.5726, section 4) with the arithmetic of pycocoevalcap's cider_scorer.

n-grams of 1 to 4 tokens; weight = count × (log photos − log max(1, document frequency)); per n the cosine
of candidate and reference with the candidate's weights clipped to the reference's; a Gaussian penalty
(sigma 6) on the difference of lengths, which that scorer counts in bigrams; the mean over n and over the
references, times 10.

Tokens are any hashable values, so ids serve as well as words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

N = 4
SIGMA = 6.0
SCALE = 10.0

Tokens = Sequence[Hashable]
NGram = tuple[Hashable, ...]


def ngram_counts(tokens: Tokens) -> Counter[NGram]:
    """How often each n-gram of 1 to 4 tokens occurs."""
    tokens = tuple(tokens)
    return Counter(tokens[i : i + n] for n in range(1, N + 1) for i in range(len(tokens) - n + 1))


@dataclass(frozen=True)
class DocumentFrequency:
    """In how many photos' references each n-gram occurs, of how many photos."""

    counts: Counter[NGram]
    photos: int

    @staticmethod
    def of(references: Iterable[Sequence[Tokens]]) -> "DocumentFrequency":
        """Counts the photos given, each a list of tokenised references."""
        counts: Counter[NGram] = Counter()
        photos = 0
        for sentences in references:
            photos += 1
            counts.update({gram for sentence in sentences for gram in ngram_counts(sentence)})
        return DocumentFrequency(counts, photos)


@dataclass(frozen=True)
class _Vector:
    weights: dict[NGram, float]
    norms: tuple[float, ...]
    bigrams: int


class CiderD:
    """Scores candidates for a fixed list of photos.

    Without `frequency` it is taken over those photos, as for evaluation; self-critical training gives that of
    its training photos. References are weighed once, so `score` costs one pass over a candidate's n-grams.
    """

    def __init__(self, references: Sequence[Sequence[Tokens]], frequency: DocumentFrequency | None = None) -> None:
        frequency = frequency or DocumentFrequency.of(references)
        log_photos = math.log(frequency.photos)
        self._unseen = log_photos
        self._rarity = {gram: log_photos - math.log(count) for gram, count in frequency.counts.items()}
        self._vectors = [[self._vector(sentence) for sentence in sentences] for sentences in references]
        # n-gram → the weights of the references that have it: most of a candidate's n-grams are in none.
        self._index: list[dict[NGram, list[tuple[int, float]]]] = []
        for vectors in self._vectors:
            index: dict[NGram, list[tuple[int, float]]] = {}
            for which, vector in enumerate(vectors):
                for gram, weight in vector.weights.items():
                    index.setdefault(gram, []).append((which, weight))
            self._index.append(index)

    def _vector(self, tokens: Tokens) -> _Vector:
        weights: dict[NGram, float] = {}
        squares = [0.0] * N
        for gram, count in ngram_counts(tokens).items():
            weight = count * self._rarity.get(gram, self._unseen)
            weights[gram] = weight
            squares[len(gram) - 1] += weight * weight
        return _Vector(weights, tuple(math.sqrt(s) for s in squares), max(0, len(tokens) - 1))

    def score(self, photo: int, candidate: Tokens) -> float:
        """CIDEr-D of one candidate for the photo at that index."""
        vector = self._vector(candidate)
        references = self._vectors[photo]
        index = self._index[photo]
        products = [[0.0] * N for _ in references]
        for gram, weight in vector.weights.items():
            for which, other in index.get(gram, ()):
                products[which][len(gram) - 1] += min(weight, other) * other
        total = 0.0
        for product, reference in zip(products, references):
            cosines = 0.0
            for n in range(N):
                norm = vector.norms[n] * reference.norms[n]
                if norm:
                    cosines += product[n] / norm
            delta = vector.bigrams - reference.bigrams
            total += cosines * math.exp(-(delta * delta) / (2 * SIGMA * SIGMA))
        return SCALE * total / (N * len(references))

    def scores(self, candidates: Sequence[Tokens]) -> list[float]:
        """One score for each photo, in order; their mean is the corpus's CIDEr-D."""
        return [self.score(photo, candidate) for photo, candidate in enumerate(candidates)]
