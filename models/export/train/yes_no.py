"""Yes/no questions made by rule, each asked about one photo where captions say yes and one where all of them say no.

So no question can be answered without the photo. `No` takes that nothing the captions say comes near what is asked for.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import words as w
from .nearness import DEED_GROUPS, NEAR_TO, NEAR_WORN, absent
from .phrases import Action
from .scene import PEOPLE, Scene, same

_ASKED = set(
    "dog cat horse cow sheep goat bird duck elephant giraffe zebra bear monkey person man woman boy girl child baby"
    " bike motorcycle car bus train truck boat plane scooter wheelchair stroller kayak canoe raft sled skateboard"
    " surfboard snowboard ball frisbee kite umbrella bench swing slide pool fountain guitar phone laptop bed couch"
    " toilet sink pizza cake sandwich banana tent stick rope snow beach water mountain statue bridge clock"
    " traffic_light stop_sign fire_hydrant vase teddy_bear table television oven refrigerator microphone trampoline"
    " tennis_racket racket bat camera ladder balloon flag ramp hurdle net crowd bathtub broccoli donut computer".split()
)


@dataclass(frozen=True)
class _Yes:
    """A question that a photo answers with yes, and which other photos answer it with no."""

    kind: str
    group: str
    """Photos that have this may be asked."""
    text: str
    no: Callable[[Scene], bool]
    person: bool = False


def _article(noun: str) -> str:
    if noun in w.UNCOUNTED or w.CATEGORY.get(noun) in ("sport", "drink") or noun in ("ground",):
        return noun.replace("_", " ")
    return ("an " if noun[0] in "aeiou" and not noun.startswith("uni") else "a ") + noun.replace("_", " ")


_WORDINGS = (
    "is there {a}",
    "is there {a} in the photo",
    "is there {a} in this picture",
    "do you see {a}",
    "can you see {a}",
    "are there any {many}",
    "is {a} visible",
    "is there {a} in the image",
)


def _existing(scene: Scene, rng: random.Random) -> Iterable[_Yes]:
    for lemma, captions in scene.mentions.items():
        if lemma in _ASKED and captions > 1:
            many = "people" if lemma == "person" else w.plural(lemma).replace("_", " ")
            wording = rng.choice(_WORDINGS)
            if lemma in w.UNCOUNTED:
                wording = rng.choice(
                    (
                        "is there any {a}",
                        "do you see {a}",
                        "is there {a} in the photo",
                        "is there {a} on the ground" if lemma == "snow" else "is there {a}",
                    )
                )
            yield _Yes(
                "exists",
                "",
                wording.format(a=_article(lemma), many=many),
                lambda s, n=lemma: absent(s, n),
                w.CATEGORY[lemma] in PEOPLE and lemma != "person",
            )


def _coloured(scene: Scene, rng: random.Random) -> Iterable[_Yes]:
    for lemma, claims in scene.colours().items():
        one = {c for claim in claims for c in claim}
        if len(one) == 1 and w.CATEGORY[lemma] not in PEOPLE | {"place", "ground"} and lemma not in scene.several:
            colour = next(iter(one))
            shunned = {colour}.union(*(near for near in w.NEAR_COLOURS if colour in near))

            def otherwise(s: Scene, n: str = lemma, shunned: set[str] = shunned) -> bool:
                theirs = s.colours().get(n)
                return bool(theirs) and n not in s.several and not any(c in shunned for claim in theirs for c in claim)

            verb = "are" if lemma in w.UNCOUNTED - {"hair", "fur", "luggage", "hay"} else "is"
            yield _Yes("is coloured", f"coloured {lemma}", f"{verb} the {lemma.replace('_', ' ')} {colour}", otherwise)


_EXCLUSIVE = set(
    "running walking sitting jumping swimming sleeping climbing lying eating reading dancing fishing skateboarding"
    " surfing skiing snowboarding drinking smoking flying digging singing kneeling".split()
)
_WITH = set("riding holding carrying throwing kicking chasing playing pushing pulling hugging flying climbing".split())


def _done(a: Action) -> tuple[str, set[str]] | None:
    """What is asked to be done, and the words that make `no` unsure."""
    if a.object is None:
        return (a.verb, next(g for g in DEED_GROUPS if a.verb in g)) if a.verb in _EXCLUSIVE else None
    n = a.object
    if (
        a.verb not in _WITH
        or n.owner
        or n.plural
        or w.CATEGORY[n.lemma] in PEOPLE | {"place", "ground", "act", "body", "garment"}
    ):
        return None
    if a.verb == "playing" and w.CATEGORY[n.lemma] not in ("sport", "instrument"):
        return None
    what = f"the {n.said}" if w.CATEGORY[n.lemma] == "instrument" else _article(n.lemma)
    near = NEAR_TO.get(same(n.lemma), set()) if w.CATEGORY[n.lemma] != "sport" else {"ball", "game", "player"}
    return f"{a.verb} {what}", {n.lemma, same(n.lemma)} | near


def _doing(scene: Scene, rng: random.Random) -> Iterable[_Yes]:
    for a in scene.actions():
        done = _done(a)
        subject = same(a.subject.lemma)
        if (
            done
            and (a.subject.plural or scene.only(subject))
            and subject in (
                "man",
                "woman",
                "boy",
                "girl",
                "child",
                "person",
                "dog",
                "cat",
                "horse",
                "bird",
                "bear",
                "elephant",
                "giraffe",
                "cow",
                "baby",
            )
        ):
            text, near = done
            many = a.subject.plural
            who = f"are the {w.plural(subject)}" if many else f"is the {subject}"

            def otherwise(s: Scene, n: str = subject, near: set[str] = near, many: bool = many) -> bool:
                known = any(same(x.subject.lemma) == n and x.subject.plural == many for x in s.actions())
                return known and (s.only(n) or many) and not near & s.words

            yield _Yes("does", f"{'several' if many else 'one'} {subject}", f"{who} {text}", otherwise)


_RARELY_SAID = set("shirt jeans shorts glasses collar shoe gloves".split())


def _worn(scene: Scene, rng: random.Random) -> Iterable[_Yes]:
    for r in scene.readings:
        pairs = [(who, what) for who, how, what in r.relations if how == "wearing"]
        pairs += [(a.subject, a.object) for a in r.actions if a.verb == "wearing" and a.object]
        for who, what in pairs:
            n, subject = same(what.lemma), same(who.lemma)
            if (
                n in NEAR_WORN
                and n not in _RARELY_SAID
                and not who.plural
                and not what.plural
                and scene.only(subject)
                and subject in ("man", "woman", "boy", "girl", "person", "child", "dog")
            ):
                near = {n, *NEAR_WORN[n].split()}

                def otherwise(s: Scene, near: set[str] = near, subject: str = subject) -> bool:
                    # Only where captions say what is worn, so that they would have said this too.
                    dressed = any(
                        how == "wearing" and same(x.lemma) == subject for r in s.readings for x, how, _ in r.relations
                    )
                    return s.only(subject) and dressed and not near & s.words and not {x + "s" for x in near} & s.words

                yield _Yes("wears", f"one {subject}", f"is the {subject} wearing {_article(n)}", otherwise)


def _counted(scene: Scene, rng: random.Random) -> Iterable[_Yes]:
    names = ["zero", "one", "two", "three", "four", "five"]
    for lemma, numbers in scene.counts().items():
        if (
            w.CATEGORY[lemma] in ("animal", "man", "woman", "boy", "girl", "child")
            and 1 < numbers[0] < 6
            and len(numbers) > 1
        ):
            text = f"are there {names[numbers[0]]} {w.plural(lemma)}"

            def otherwise(s: Scene, n: str = lemma, number: int = numbers[0]) -> bool:
                theirs = s.counts().get(n, [])
                return len(theirs) > 1 and theirs[0] != number

            yield _Yes("are so many", f"has {lemma}", text, otherwise)


_INDOORS = set(
    "kitchen bathroom bedroom living_room dining_room office restaurant indoors inside couch bed toilet sink gym bar"
    " room indoor carpet classroom library oven refrigerator television microwave bathtub counter".split()
)
_OUTDOORS = set(
    "beach street road field park ocean mountain grass snow lake river forest sidewalk outside outdoors yard sand hill"
    " sky mud cliff slope surfing trail tree grassy snowy".split()
)
_NIGHT = set("night nighttime dark evening dusk sunset moon lit sunrise neon fireworks".split())
_SUNNY = {"sunny", "sunshine"}
_GREY = set("rain raining rainy cloudy overcast foggy night storm stormy snowing snowstorm".split())
_RAIN = {"rain", "raining", "rainy"}
_CONDITIONS: list[tuple[tuple[str, ...], Callable[[Scene], bool], Callable[[Scene], bool]]] = [
    (
        ("is this indoors", "is this inside", "was this photo taken indoors", "are they indoors"),
        lambda s: len(_INDOORS & s.words) > 1 and not _OUTDOORS & s.words,
        lambda s: len(_OUTDOORS & s.words) > 1 and not _INDOORS & s.words,
    ),
    (
        ("is this outdoors", "is this outside", "was this taken outside", "are they outside"),
        lambda s: len(_OUTDOORS & s.words) > 2 and not _INDOORS & s.words,
        lambda s: len(_INDOORS & s.words) > 1 and not _OUTDOORS & s.words,
    ),
    (
        ("is it sunny", "is it a sunny day", "is the sun shining"),
        lambda s: bool(_SUNNY & s.words),
        lambda s: bool(_GREY & s.words) and not {"sun", *_SUNNY} & s.words,
    ),
    (
        ("is it raining", "is it raining in this photo"),
        lambda s: bool(_RAIN & s.words),
        lambda s: bool(_SUNNY & s.words) and not _RAIN & s.words,
    ),
    (
        ("is it night time", "is it dark outside", "is this at night"),
        lambda s: bool({"night", "nighttime"} & s.words),
        lambda s: len(_OUTDOORS & s.words) > 1
        and not _NIGHT & s.words
        and bool(set("sunny sun day blue grass beach dog".split()) & s.words),
    ),
    (
        ("is it daytime", "was this taken during the day", "is it light outside"),
        lambda s: bool({"sunny", "day", "daytime"} & s.words) and not _NIGHT & s.words,
        lambda s: bool({"night", "nighttime"} & s.words) and not {"sunny", "day", "sun"} & s.words,
    ),
]


def _conditions(scene: Scene, rng: random.Random) -> Iterable[_Yes]:
    for wordings, yes, no in _CONDITIONS:
        if yes(scene):
            rng_wording = rng.choice(wordings)
            if "they" not in rng_wording or scene.peopled:
                yield _Yes(
                    "conditions",
                    "",
                    rng_wording,
                    lambda s, no=no, they="they" in rng_wording: no(s) and (not they or s.peopled),
                )


_RULES = (_existing, _coloured, _doing, _worn, _counted, _conditions)
_MOST = {"exists": 3, "is coloured": 2, "does": 3, "wears": 2, "are so many": 1, "conditions": 1}
"""Of each kind, a photo is asked at most so many that it answers with yes."""


def _tries(scenes: list[Scene], groups: dict[str, list[Scene]], group: str, rng: random.Random) -> Iterable[Scene]:
    among = groups[group] if group else scenes
    for _ in range(60 if among else 0):
        yield rng.choice(among)


def yes_no_questions(scenes: list[Scene]) -> dict[str, list[tuple[str, str, list[str]]]]:
    """Photo → (kind, question, answers); every question text has as many `yes` as `no`."""
    groups: dict[str, list[Scene]] = defaultdict(list)
    for scene in scenes:
        if scene.peopled:
            groups["people"].append(scene)
        for lemma in scene.mentions:
            if scene.only(lemma):
                groups[f"one {lemma}"].append(scene)
            if lemma in scene.several:
                groups[f"several {lemma}"].append(scene)
        for lemma in scene.colours():
            groups[f"coloured {lemma}"].append(scene)
        for lemma in scene.counts():
            groups[f"has {lemma}"].append(scene)
    found: dict[str, list[tuple[str, str, list[str]]]] = defaultdict(list)
    asked: set[tuple[str, str]] = set()
    for scene in scenes:
        rng = random.Random(f"yes/{scene.image}")
        kinds: dict[str, dict[str, _Yes]] = defaultdict(dict)
        for rule in _RULES:
            for yes in rule(scene, rng):
                kinds[yes.kind].setdefault(yes.text, yes)
        for kind, several in kinds.items():
            for yes in rng.sample(list(several.values()), min(_MOST[kind], len(several))):
                # A photo of the same set of photos whose captions share most words makes the hardest `no`.
                fit = [
                    s for s in _tries(scenes, groups, yes.group, rng) if (s.image, yes.text) not in asked and yes.no(s)
                ][:4]
                if yes.person and rng.random() < 0.7:
                    # That no man is there is learnt where a woman is, not from photos of dogs alone.
                    fit = [
                        s
                        for s in _tries(scenes, groups, "people", rng)
                        if (s.image, yes.text) not in asked and yes.no(s)
                    ][:2] or fit
                if fit and (scene.image, yes.text) not in asked:
                    other = max(
                        fit, key=lambda s: (s.dataset == scene.dataset, len(s.words & scene.words) / len(s.words))
                    )
                    for image, answer in ((scene.image, "yes"), (other.image, "no")):
                        asked.add((image, yes.text))
                        found[image].append((kind, yes.text, [answer]))
    return found
