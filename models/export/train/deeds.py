"""Questions made by rule about who does what, where, with what and in what clothes."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator

from . import words as w
from .phrases import WORN, Action, Noun
from .scene import PEOPLE, Pair, Scene, pick, same

_DOES = set(
    "running walking jumping swimming sitting standing sleeping climbing eating drinking flying jogging dancing singing"
    " surfing skiing skating skateboarding snowboarding smiling laughing talking reading writing fishing hiking sliding"
    " swinging diving crawling kneeling digging barking fighting wrestling hugging kissing paddling rowing sailing"
    " racing driving biking cycling cooking smoking painting posing balancing performing waiting resting lying grazing"
    " shopping rollerblading kayaking bowling golfing marching juggling relaxing playing splashing wading leaping"
    " wakeboarding waterskiing windsurfing sunbathing camping exercising yawning crouching squatting stretching".split()
)
_DOES_TO = set(
    "riding holding carrying eating drinking throwing catching kicking hitting chasing pushing pulling reading flying"
    " washing feeding hugging kissing taking playing climbing doing chewing biting cutting driving licking petting"
    " watching brushing using retrieving cooking painting preparing".split()
)
_RIDES = {
    "skateboard": "skateboarding",
    "wave": "surfing",
    "surfboard": "surfing",
    "snowboard": "snowboarding",
    "ski": "skiing",
}


def deed(action: Action) -> str | None:
    """What is done in at most three words, as people answer: `riding bike`, `playing soccer`, `running`."""
    verb, target = action.verb, action.object
    if target is None or same(target.lemma) in ("air",):
        with_phone = [n.lemma for p, n in action.after if p == "on" and same(n.lemma) == "phone"]
        if verb == "talking" and with_phone:
            return "talking on phone"
        if verb == "looking" and any(p == "at" and n.lemma == "camera" for p, n in action.after):
            return "looking at camera"
        if verb == "playing":
            thing = next(
                (n for p, n in action.after if p == "with" and w.CATEGORY[n.lemma] in ("toy", "ball", "equipment")),
                None,
            )
            return f"playing with {thing.said}" if thing else "playing"
        return verb if verb in _DOES else None
    if verb == "riding" and target.lemma in _RIDES:
        return _RIDES[target.lemma]
    if verb in _DOES_TO and not target.owner:
        if verb == "playing" and w.CATEGORY[target.lemma] not in ("sport", "instrument", "toy"):
            return "playing"
        if verb in ("taking", "doing") and same(target.lemma) not in ("picture", "trick"):
            return None
        if verb in ("eating", "drinking") and w.CATEGORY[target.lemma] not in ("food", "drink", "ground"):
            return verb
        return f"{verb} {target.said}" if len(target.said.split()) < 3 else None
    return None


def _doing(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    deeds: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for a in scene.actions():
        done = deed(a)
        if done and (a.subject.plural or scene.only(a.subject.lemma)):
            deeds[a.subject.lemma, a.subject.plural].append(done)
    for (lemma, many), done in deeds.items():
        said = w.plural(lemma) if many else lemma
        yield (
            "doing",
            f"what {'are' if many else 'is'} the {said} {pick(rng, 'doing', 'doing', 'doing', 'doing in this photo')}",
            done,
        )
        if len({same(x.subject.lemma) for x in scene.actions()}) == 1 and rng.random() < 0.3:
            yield "doing", pick(rng, "what is happening in this photo", "what is going on in this picture"), done


_ASKED_OBJECT = _DOES_TO - set("taking doing preparing cooking climbing retrieving".split()) | {"climbing"}
_ASKED_AFTER = {
    "jumping": {"over", "into", "off", "in", "on"},
    "sitting": {"on", "in", "at"},
    "standing": {"on", "in", "next_to", "behind", "in_front_of"},
    "playing": {"with", "in", "on"},
    "looking": {"at", "out"},
    "walking": set("on through down along across with".split()),
    "running": set("through on in across along after".split()),
    "swimming": {"in", "through"},
    "leaning": {"against", "on", "over"},
    "lying": {"on", "in"},
    "sleeping": {"on", "in"},
    "climbing": {"up", "on", "over"},
    "flying": {"over", "in"},
    "sliding": {"down"},
    "swinging": {"on", "from"},
    "leaping": {"over", "into"},
    "talking": {"on", "to", "into"},
    "riding": {"on", "down"},
    "digging": {"in"},
    "resting": {"on"},
    "hanging": {"from", "on"},
    "pointing": {"at", "to"},
    "eating": {"from", "at"},
    "singing": {"into"},
    "wading": {"in", "through"},
}


def _thing(noun: Noun) -> bool:
    return (
        not noun.owner
        and noun.lemma not in ("front", "picture", "trick", "air", "act")
        and w.CATEGORY[noun.lemma] != "body"
    )


_IN_MOUTH = {("in", owner, "mouth") for owner in ("its", "his", "the")}


def _objects(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    found: dict[str, list[str]] = defaultdict(list)
    for a in scene.actions():
        if not (a.subject.plural or scene.only(a.subject.lemma)):
            continue
        ask = f"what {'are' if a.subject.plural else 'is'} the {a.subject.said} {a.verb}"
        if a.object and a.verb in _ASKED_OBJECT and _thing(a.object):
            playing = w.CATEGORY[a.object.lemma] in ("sport", "instrument", "toy")
            if a.verb != "playing" or playing:
                found[ask].append(a.object.said)
        for preposition, noun in a.after[:1]:
            if (
                a.object is None
                and preposition in _ASKED_AFTER.get(a.verb, ())
                and _thing(noun)
                and w.CATEGORY[noun.lemma] not in PEOPLE
            ):
                found[f"{ask} {preposition.replace('_', ' ')}"].append(noun.said)
    for r in scene.readings:
        for n in r.nouns:
            behind = r.words[n.end : n.end + 3]
            if behind in _IN_MOUTH and _thing(n):
                whose = "the dog's" if "dog" in scene.words else "his" if scene.peopled else "the animal's"
                owner = whose.removesuffix("'s")
                asks = f"what is in {whose} mouth", f"what does {owner} have in its mouth"
                found[asks[0] if whose == "his" else pick(rng, *asks)].append(n.said)
            if behind == ("in", "the", "background") and _thing(n) and w.CATEGORY[n.lemma] not in PEOPLE:
                found["what is in the background"].append(n.said)
        for what, how, base in r.relations:
            inanimate = w.CATEGORY[what.lemma] not in PEOPLE | {"place", "ground", "act", "sport", "body"}
            if not inanimate or not _thing(base) or not _thing(what) or not scene.only(base.lemma):
                continue
            if how == "on" and w.CATEGORY[base.lemma] in ("furniture", "equipment", "thing", "device"):
                found[f"what is on the {base.said}"].append(what.said)
            elif (
                how in ("in_front_of", "behind", "next_to", "on_top_of", "under", "near")
                and w.CATEGORY[base.lemma] not in PEOPLE
            ):
                found[f"what is {how.replace('_', ' ')} the {base.said}"].append(what.said)
    for ask, answers in found.items():
        yield "object", ask, answers


def _wearing(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    found: dict[str, list[str]] = defaultdict(list)
    for r in scene.readings:
        pairs = [(who, what) for who, how, what in r.relations if how == "wearing"]
        pairs += [(a.subject, a.object) for a in r.actions if a.verb == "wearing" and a.object]
        for who, what in pairs:
            if not (who.plural or scene.only(who.lemma)) or w.CATEGORY[what.lemma] not in (
                "garment",
                "headwear",
                "accessory",
            ):
                continue
            found[f"what {'are' if who.plural else 'is'} the {who.said} wearing"].append(what.said)
            if w.CATEGORY[what.lemma] == "headwear" and not who.plural:
                ask = pick(rng, f"what is on the {who.lemma}'s head", f"what is the {who.lemma} wearing on the head")
                found[ask].append(what.said)
            if not who.plural and not what.owner and rng.random() < 0.4:
                people = {n.lemma for n in scene.nouns() if w.CATEGORY[n.lemma] in PEOPLE}
                if len({same(p) for p in people}) > 1 and scene.only(what.lemma):
                    found[f"who is wearing the {what.said}"].append(who.said)
    for ask, answers in found.items():
        yield "wearing", ask, answers


_WHERE = set("in on at through across along down near by into in_the_middle_of over".split())


def _where(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    found: dict[str, list[str]] = defaultdict(list)
    for r in scene.readings:
        spots = [(a.subject, p, n) for a in r.actions for p, n in a.after] + [(a, p, n) for a, p, n in r.relations]
        spots += [(a.subject, "on", a.object) for a in r.actions if a.object and a.verb in ("walking", "running")]
        for what, how, place in spots:
            on = how in ("on", "in") and w.CATEGORY[place.lemma] in ("furniture", "vehicle")
            good = (
                how in _WHERE
                and w.CATEGORY[place.lemma] in ("place", "ground")
                and place.lemma not in ("air", "stair", "step")
            )
            thing = w.CATEGORY[what.lemma] not in WORN | {"place", "ground", "act"}
            if (on or good) and thing and _thing(place) and _thing(what) and (what.plural or scene.only(what.lemma)):
                found[f"where {'are' if what.plural else 'is'} the {what.said}"].append(place.said)
    for ask, answers in found.items():
        if not ask.endswith(("snow", "water", "grass")):
            yield "where", ask, answers
    named = [
        same(n.lemma)
        for r in scene.readings
        for n in r.nouns
        if w.CATEGORY[n.lemma] == "place"
        and n.lemma not in ("stair", "step", "room")
        and n.start
        and r.words[n.start - 1] in _WHERE
    ]
    place = Counter(named).most_common(1)
    if place and place[0][1] > 1 and rng.random() < 0.7:
        ask = pick(
            rng,
            "where was this photo taken",
            "where is this",
            "where are they" if scene.peopled else "where was this picture taken",
        )
        yield "where", ask, [p.replace("_", " ") for p in named if named.count(p) > 1]
    rooms = [
        p.replace("_", " ")
        for p in named
        if p in ("kitchen", "bathroom", "bedroom", "living_room", "dining_room", "office")
    ]
    if len(rooms) > 1 and len(set(rooms)) == 1:
        yield "where", pick(rng, "what room is this", "what room is shown", "which room is this"), rooms
    for ground, ask in (
        ("snow", "what is on the ground"),
        ("grass", "what covers the ground"),
        ("snow", "what is covering the ground"),
    ):
        if scene.mentions[ground] > 1 and rng.random() < 0.5:
            yield "where", ask, [ground] * scene.mentions[ground]


def _who(scene: Scene, rng: random.Random) -> Iterator[Pair]:
    found: dict[str, list[str]] = defaultdict(list)
    for a in scene.actions():
        done = deed(a)
        if not done or a.subject.lemma in ("crowd", "group", "team", "band", "audience", "family"):
            continue
        living = w.CATEGORY[a.subject.lemma] in PEOPLE
        target = (
            f" the {a.object.said}"
            if a.object and " " in done and w.CATEGORY[a.object.lemma] not in ("sport", "instrument")
            else ""
        )
        if a.object and not target and " " in done:
            target = f" {a.object.said}"
        verb = a.verb if a.object else done
        if rng.random() < 0.45:
            subject = a.subject.said if living else same(a.subject.lemma)
            found[f"{'who' if living else 'what animal'} is {verb}{target}"].append(subject)
    persons = [n for r in scene.readings for n in r.nouns[:1] if w.CATEGORY[n.lemma] in PEOPLE]
    if len(persons) > 2 and len({n.plural for n in persons}) == 1 and rng.random() < 0.5:
        found[pick(rng, "who is in the photo", "who is in the picture", "who is this")] = [n.said for n in persons]
    for ask, answers in found.items():
        yield "who", ask, answers
    sexes = {"man": ("man", "woman"), "woman": ("man", "woman"), "boy": ("boy", "girl"), "girl": ("boy", "girl")}
    for lemma, (a, b) in sexes.items():
        other = b if lemma == a else a
        if scene.mentions[lemma] > 2 and scene.only(lemma) and other not in scene.words and rng.random() < 0.2:
            yield (
                "who",
                pick(rng, f"is this a {a} or a {b}", f"is the person a {b} or a {a}"),
                [lemma] * scene.mentions[lemma],
            )


RULES = (_doing, _objects, _wearing, _where, _who)
