"""Questions made by rule from captions, worded and answered as VQA v2's are.

Each rule takes what the five captions of a photo say together (`Scene`) and gives (kind, question, answers); answers
hold one entry per caption that supports it, so that the commoner is drawn the more often.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator

from . import deeds
from . import words as w
from .answers import Question, fold_answer
from .data import CaptionedPhoto
from .scene import Pair, Scene, pick, same
from .text import clean_caption
from .yes_no import yes_no_questions

_COUNTED = set("man woman boy girl child animal vehicle board food toy furniture instrument device".split())
_COUNTED_WORDS = set(
    "umbrella person fire_hydrant traffic_light clock sign tree flag ball surfboard bench tent".split()
)


def _counting(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    wordings = (
        "are there",
        "are in the photo",
        "are in the picture",
        "can you see",
        "are shown",
        "are visible",
        "are in this picture",
    )
    for lemma, numbers in scene.counts().items():
        if w.CATEGORY[lemma] not in _COUNTED and lemma not in _COUNTED_WORDS or lemma == "person":
            continue
        said = w.plural(lemma).replace("_", " ")
        # One of a thing is said without counting, so more captions must say so, and it is asked less often.
        if numbers[0] > 1 or (len(numbers) > 2 and scene.only(lemma) and rng.random() < 0.3):
            for wording in rng.sample(wordings, 1 + (numbers[0] > 1)):
                yield "count", f"how many {said} {wording}", [str(n) for n in numbers]
    totals = [] if {"team", "teams", "game", "opponent", "match"} & scene.words else scene.people()
    if totals and totals[0] <= 8 and (totals[0] > 1 or (len(totals) > 2 and rng.random() < 0.3)):
        for wording in rng.sample(wordings, 1 + (totals[0] > 1)):
            yield "count", f"how many people {wording}", [str(n) for n in totals]
    if not scene.peopled and rng.random() < 0.25:
        yield "count", f"how many people {pick(rng, *wordings)}", ["0"] * 5


def colour_words(colours: tuple[str, ...]) -> str:
    """`black and white`, white last."""
    row = sorted(colours, key=lambda c: (c == "white", c))
    return " and ".join(row) if len(row) < 3 else " ".join(row[:-1]) + " and " + row[-1]


_COLOURED = set(
    "animal garment headwear accessory vehicle board ball toy furniture equipment instrument device".split()
)
_COLOURED_WORDS = set("hair building house fence wall flower fire_hydrant suitcase railing fur sky apple ball".split())
_UNCOLOURED = {"animal", "suit", "glass", "racket", "paper"}


def _is(noun: str, plural: bool) -> str:
    return "are" if plural or noun in w.UNCOUNTED - {"hair", "fur", "hay", "luggage"} else "is"


def wearers(scene: Scene) -> dict[str, str]:
    """What is worn (and hair) → whose it is, where there is one of each."""
    found: dict[str, set[str]] = defaultdict(set)
    for r in scene.readings:
        for who, how, what in r.relations:
            if how == "wearing" or (how == "with" and what.lemma == "hair"):
                found[same(what.lemma)].add(who.lemma)
        for a in r.actions:
            if a.verb == "wearing" and a.object:
                found[same(a.object.lemma)].add(a.subject.lemma)
    return {what: min(who) for what, who in found.items() if len(who) == 1 and scene.only(min(who))}


def _colours(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    worn = wearers(scene)
    for lemma, claims in scene.colours().items():
        category = w.CATEGORY[lemma]
        if category not in _COLOURED and lemma not in _COLOURED_WORDS or lemma in _UNCOLOURED:
            continue
        many = lemma in scene.several
        noun = (w.plural(lemma) if many and lemma not in w.UNCOUNTED else lemma).replace("_", " ")
        answers = [colour_words(c) for c in claims]
        verb = _is(lemma, many)
        if lemma in worn:
            yield "color", f"what color {verb} the {worn[lemma]}'s {noun}", answers
            if rng.random() < 0.3 and lemma != "hair":
                yield "color", f"what color {noun} is the {worn[lemma]} wearing", answers
        else:
            if category in ("garment", "headwear", "accessory") and rng.random() < 0.25:
                continue
            yield (
                "color",
                f"what color {verb} {pick(rng, 'the', 'the', 'the', 'this' if verb == 'is' else 'these')} {noun}",
                answers,
            )


_UNNAMED = set("animal vehicle food meal snack instrument wheelchair stroller sled cart carriage wagon".split())


def _named(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    """What animal, vehicle, food; what sport; season and weather."""
    asks = {
        "animal": (
            "what animal is this",
            "what kind of animal is this",
            "what animal is in the picture",
            "what type of animal is shown",
            "what animal is shown",
            "what kind of animal is in the photo",
        ),
        "vehicle": ("what type of vehicle is this", "what kind of vehicle is shown", "what vehicle is in the picture"),
        "food": ("what food is this", "what kind of food is shown", "what food is in the picture"),
        "instrument": ("what instrument is being played", "what instrument is shown", "what instrument is this"),
    }
    for category, wordings in asks.items():
        named = [
            n for r in scene.readings for n in r.nouns if w.CATEGORY[n.lemma] == category and n.lemma not in _UNNAMED
        ]
        lemmas = Counter(same(n.lemma) for n in named)
        if (
            len(lemmas) == 1
            and max(lemmas.values()) > 2
            and (category != "animal" or "dog" not in lemmas or rng.random() < 0.4)
        ):
            # Answers are named as most people name them, several of them in the plural where that is the usual answer.
            lemma = next(iter(lemmas))
            yield (
                category,
                pick(rng, *wordings),
                [w.plural(lemma) if category == "food" and n.plural else lemma.replace("_", " ") for n in named],
            )
    sports = [w.SPORTS[word] for r in scene.readings for word in set(r.words) if word in w.SPORTS]
    if sports and len(set(sports)) == 1 and len(sports) > 1:
        yield (
            "sport",
            pick(
                rng,
                "what sport is this",
                "what sport is being played",
                "what sport is shown",
                "what game is being played",
                "what sport are they playing",
            ),
            sports,
        )
    snowy = {"snow", "snowy", "skiing", "snowboarder", "skier"} & scene.words
    if scene.mentions["snow"] > 1 or len(snowy) > 2:
        yield "season", pick(rng, "what season is it", "what season is this", "what time of year is it"), ["winter"] * 2
        yield "weather", pick(rng, "what is the weather like", "how is the weather"), ["snowy"] * 2
    elif {"raining", "rain", "rainy"} & scene.words:
        yield "weather", pick(rng, "what is the weather like", "how is the weather"), ["rainy"] * 2
    elif {"sunny"} & scene.words:
        yield "weather", pick(rng, "what is the weather like", "how is the weather"), ["sunny"] * 2
    elif {"overcast", "cloudy"} & scene.words:
        yield "weather", pick(rng, "what is the weather like", "how is the weather"), ["cloudy"] * 2
    elif {"foggy"} & scene.words:
        yield "weather", pick(rng, "what is the weather like", "how is the weather"), ["foggy"] * 2


_RULES = (_counting, _colours, *deeds.RULES, _named)


def made_questions(photos: list[CaptionedPhoto]) -> list[Question]:
    """Every question that the rules make of the photos that are trained on, photo by photo; yes/no as often yes as no.

    The same photos give the same questions.
    """
    learnt = [p for p in photos if not p.held_out]
    scenes = [Scene.of(p.image, p.dataset, p.captions) for p in learnt]
    closed = yes_no_questions(scenes)
    questions = []
    for scene in scenes:
        rng = random.Random(f"made/{scene.image}")
        pairs = [pair for rule in _RULES for pair in rule(scene, rng)]
        seen: set[str] = set()
        for kind, ask, said in [*pairs, *closed[scene.image]]:
            text, answers = clean_caption(ask), tuple(map(fold_answer, said))
            if text not in seen:
                seen.add(text)
                answer = Counter(answers).most_common(1)[0][0]
                form = "yes/no" if answer in ("yes", "no") else "number" if answer.isdigit() else "other"
                questions.append(Question(scene.image, text, answers, answer, scene.dataset, form, True, kind))
    return questions
