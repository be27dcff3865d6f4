"""What the captions of one photo say together: who and what is there, how many, in what colours."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

from . import words as w
from .phrases import ANIMATE, Action, Noun, Reading, read

PEOPLE = ANIMATE - {"animal"}

Pair = tuple[str, str, list[str]]
"""Kind of question, question, and an answer for every caption that supports it."""

_PERSONAL = set(
    "his her he she him someone somebody people hand hands arm arms himself herself shirt family crowd team band"
    " swimmer owner others bmx hiking worker graduate skiing surfing snowboarding skateboarding riding".split()
)


def same(lemma: str) -> str:
    """The word that stands for all words of one meaning."""
    return w.SAME.get(lemma, lemma)


@dataclass(frozen=True)
class Scene:
    """One photo's captions, read."""

    image: str
    dataset: str
    readings: tuple[Reading, ...]
    words: frozenset[str]
    """Every word of the captions, and the lemmas of those that are nouns."""
    mentions: Counter[str]
    """In how many captions a noun (by `same`) is met."""
    several: frozenset[str]
    """Nouns that some caption has in the plural or more than once."""

    @staticmethod
    def of(image: str, dataset: str, captions: tuple[str, ...]) -> Scene:
        """Reads the captions of a photo."""
        readings = tuple(read(c) for c in captions)
        words: set[str] = set()
        mentions: Counter[str] = Counter()
        several: set[str] = set()
        for r in readings:
            for word in r.words:
                words |= {word, *word.split("_")}
                if word in w.NOUN:
                    words |= {w.NOUN[word][0], same(w.NOUN[word][0])}
            found = [(same(n.lemma), n) for n in r.nouns]
            mentions.update({lemma for lemma, _ in found})
            for lemma, n in found:
                again = sum(other == lemma for other, _ in found) > 1
                if n.plural or n.number not in (None, 1) or again or n.determiner in ("another", "other", "each"):
                    several.add(lemma)
        return Scene(image, dataset, readings, frozenset(words), mentions, frozenset(several))

    @property
    def peopled(self) -> bool:
        """Whether any word hints at a person."""
        return bool(_PERSONAL & self.words) or any(w.CATEGORY.get(word) in PEOPLE for word in self.words)

    def only(self, lemma: str) -> bool:
        """Whether every caption that has it has one alone."""
        return same(lemma) not in self.several and self.mentions[same(lemma)] > 0

    def actions(self) -> list[Action]:
        """All captions' actions."""
        return [a for r in self.readings for a in r.actions]

    def nouns(self) -> list[Noun]:
        """All captions' noun phrases."""
        return [n for r in self.readings for n in r.nouns]

    def counts(self) -> dict[str, list[int]]:
        """Noun → the number stated, once for each caption that states it.

        Captions may not disagree; where one has the noun in the plural without a number, two others must agree on more
        than one.
        """
        stated: dict[str, list[int]] = defaultdict(list)
        vague: set[str] = set()
        for r in self.readings:
            here: dict[str, list[Noun]] = defaultdict(list)
            for n in r.nouns:
                here[same(n.lemma)].append(n)
            for lemma, nouns in here.items():
                number = None if lemma in w.UNCOUNTED else _number(nouns)
                if number:
                    stated[lemma].append(number)
                elif len(nouns) > 1 or nouns[0].plural or nouns[0].determiner in ("another", "other"):
                    vague.add(lemma)
        return {lemma: agreed for lemma, numbers in stated.items() if (agreed := _agreed(numbers, lemma in vague))}

    def people(self) -> list[int]:
        """The number of people, once for each caption that tells it; empty as `counts` leaves nouns out."""
        totals: list[int] = []
        vague = False
        for r in self.readings:
            persons = [n for n in r.nouns if w.CATEGORY[n.lemma] in PEOPLE]
            unsure = set("others someone crowd group people player team".split()) & set(r.words) and not persons
            unsure = unsure or any(n.lemma in _BODIES or n.owner or n.determiner in _UNSURE for n in persons)
            unsure = unsure or any(n.number is None and (n.plural or n.determiner in w.POSSESSIVE) for n in persons)
            if unsure or any(word in ("others", "everyone", "onlookers") for word in r.words):
                vague = True
            elif persons:
                totals.append(sum(n.number or 1 for n in persons))
        return _agreed(totals, vague)

    def colours(self) -> dict[str, list[tuple[str, ...]]]:
        """Noun → the colours that captions give it, where there is one of it (or one kind) and nobody disagrees."""
        given: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        numbers: dict[str, set[bool]] = defaultdict(set)
        twice: set[str] = set()
        for r in self.readings:
            here = Counter(same(n.lemma) for n in r.nouns)
            for n in r.nouns:
                lemma = same(n.lemma)
                numbers[lemma].add(n.plural)
                if here[lemma] > 1 or n.determiner in ("another", "other", "one", "some", "each"):
                    twice.add(lemma)
                if n.colours and len(n.colours) < 4 and ("blonde" not in n.colours or lemma == "hair"):
                    given[lemma].append(n.colours)
        kept = {}
        for lemma, claims in given.items():
            shared = all(set(a) & set(b) for a in claims for b in claims)
            if shared and lemma not in twice and len(numbers[lemma]) == 1:
                kept[lemma] = claims
        return kept


_BODIES = set("couple family team crowd band audience group friend owner spectator".split())
_UNSURE = set("another other each some several many few".split())


def _number(nouns: list[Noun]) -> int | None:
    """How many there are by one caption's phrases for one noun."""
    if len(nouns) == 1:
        n = nouns[0]
        return None if n.owner or n.determiner in ("another", "each") or n.plural and n.number == 1 else n.number
    if len(nouns) == 2 and nouns[0].number == nouns[1].number == 1 and not nouns[0].plural and not nouns[1].plural:
        apart = nouns[1].determiner == "another" or set(nouns[0].colours) != set(nouns[1].colours)
        return 2 if apart else None
    return None


def _agreed(numbers: list[int], vague: bool) -> list[int]:
    """The commonest of the stated numbers, repeated as stated, where captions do not disagree."""
    if not numbers:
        return []
    number, times = Counter(numbers).most_common(1)[0]
    if (len(set(numbers)) == 1 and not vague) or (number > 1 and times > 1 and times >= 3 * (len(numbers) - times)):
        return [number] * times
    return []


def pick(rng: random.Random, *options: str) -> str:
    """One of several wordings."""
    return rng.choice(options)


def main_subject(captions: tuple[str, ...]) -> str | None:
    """The noun that most captions begin with, if at least three do, as it is said: `dog`, `people`."""
    first = Counter(r.nouns[0].said for r in map(read, captions) if r.nouns)
    said, times = first.most_common(1)[0] if first else (None, 0)
    return said if times > 2 else None
