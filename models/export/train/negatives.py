"""Hard negatives for matching: a caption with one word or phrase changed to what none of the photo's captions says.

A changed word is drawn by how common it is in captions, so that the words alone do not give the change away.
"""

from __future__ import annotations

import random

from . import swaps as t
from . import words as w
from .phrases import ANIMATE
from .text import clean_caption


def _nounlike(word: str) -> bool:
    return word in w.NOUN or word in set("s player players covered filled like themed haired style".split())


def _plain_before(row: list[str], i: int) -> bool:
    """Whether row[i] stands alone behind a determiner, a colour or a plain adjective, and heads its phrase."""
    before = row[i - 1] if i else "a"
    after = row[i + 1] if i + 1 < len(row) else ""
    return (before in t.DETERMINERS or before in t.PLAIN or before in w.COLOURS) and not _nounlike(after)


Change = tuple[list[str], float]


def _replaced(row: list[str], i: int, word: str) -> list[str]:
    return [*row[:i], word, *row[i + 1 :]]


def _from_groups(row: list[str], i: int, said: set[str], groups: list[dict[str, float]], share: float) -> list[Change]:
    """row[i] changed to words of the groups it isn't in and none of whose words is said."""
    if not any(row[i] in group for group in groups):
        return []
    other = [
        g for g in groups if not any(word in said or word + "s" in said or word.removesuffix("s") in said for word in g)
    ]
    return [(_replaced(row, i, word), share * weight) for g in other for word, weight in g.items()]


_NATURAL = set("grass water sky snow leaves tree trees sand field ocean photo picture photograph image wine".split())
_COATS = {"black", "white", "brown", "tan", "gray"}


def _colours(row: list[str], i: int, said: set[str]) -> list[Change]:
    if row[i] not in w.COLOURS or row[i] in ("blonde", "blond"):
        return []
    behind = row[i + 1 : i + 5]
    if _NATURAL & set(behind) or (behind and behind[0] in ("haired", "male", "female", "man", "woman")):
        return []
    spoken = {w.COLOUR_NAME.get(word, word) for word in said & w.COLOURS.keys()}
    shunned = spoken.union(*(near for near in w.NEAR_COLOURS if near & spoken))
    head = next((w.CATEGORY[w.NOUN[word][0]] for word in behind if word in w.NOUN), "")
    return [
        (_replaced(row, i, colour), 1.5 * weight)
        for colour, weight in w.COLOURS.items()
        if colour not in shunned
        and colour not in ("blonde", "blond", "grey")
        and (head not in ("animal", "body") or colour in _COATS)
    ]


def _persons(row: list[str], i: int, said: set[str]) -> list[Change]:
    if row[i] not in t.PERSONS or (i + 1 < len(row) and row[i + 1] in w.NOUN and row[i + 1] not in w.GERUND):
        return []
    found = []
    for word, weight in t.PERSONS[row[i]].items():
        sex, age = (t.MALE, t.FEMALE)[word in t.FEMALE] if word in t.MALE | t.FEMALE else set(), word in t.YOUNG
        was_sex = t.MALE if row[i] in t.MALE else t.FEMALE if row[i] in t.FEMALE else set()
        new_sex, new_age = sex is not was_sex, age != (row[i] in t.YOUNG)
        if word in said or (new_sex and sex & said) or (new_age and (t.YOUNG if age else t.GROWN) & said):
            continue
        if not new_sex and not new_age:
            continue
        changed = _replaced(row, i, word)
        if new_sex and was_sex and not (was_sex & set(row) - {row[i]} - t.TURNED.keys() - {"her", "she"}):
            changed = [_turned(changed, j, sex is t.FEMALE) for j in range(len(changed))]
        found.append((changed, 0.7 * weight))
    return found


def _turned(row: list[str], j: int, to_female: bool) -> str:
    """Pronouns follow the person."""
    if to_female:
        return t.TURNED.get(row[j], row[j])
    if row[j] == "her":
        followed = j + 1 < len(row) and row[j + 1] not in w.PREPOSITIONS and row[j + 1] not in ("and", "while", "as")
        return "his" if followed else "him"
    return {"she": "he", "herself": "himself"}.get(row[j], row[j])


def _numbers(row: list[str], i: int, said: set[str]) -> list[Change]:
    vague = set("group crowd several many others some bunch multiple".split())
    if row[i] not in t.NUMBERS or vague & said or (i + 1 < len(row) and row[i + 1] in ("of", "story", "wheeled", "on")):
        return []
    digits = {str(w.NUMBERS[n]) for n in t.NUMBERS} & said
    return [
        (_replaced(row, i, word), 0.6 * weight)
        for word, weight in t.NUMBERS.items()
        if word not in said and str(w.NUMBERS[word]) not in digits
    ]


def _places(row: list[str], i: int, said: set[str]) -> list[Change]:
    if row[i] not in t.ZONES or (i + 1 < len(row) and _nounlike(row[i + 1])):
        return []
    j = i - 1 if i and row[i - 1] in ("a", "the") else i
    if j == 0 or row[j - 1] not in w.PREPOSITIONS:
        return []
    zones = {t.ZONES[word][0] for word in said if word in t.ZONES} | {
        z for z, signs in t.ZONE_SIGNS.items() if signs & said
    }
    shunned = zones.union(*(near for near in t.ZONE_NEAR if near & zones))
    found = []
    for word, (zone, prepositions, weight) in t.ZONES.items():
        fits = row[j - 1] in prepositions.split(",") and (
            row[i - 1] == "the" or (word in t.MASS) == (row[i - 1] != "a")
        )
        if fits and zone not in shunned and word not in said:
            found.append((_replaced(row, i, word), 1.5 * weight))
    return found


def _forms(groups: list[dict[str, float]], form: str) -> list[dict[str, float]]:
    """The groups with every verb in its third person."""
    if form == "ing":
        return groups
    return [{w.VERB_FORMS[v][1]: x / 2 for v, x in group.items() if v in w.VERB_FORMS} for group in groups]


_ACTION_FORMS = {form: _forms(t.ACTIONS, form) for form in ("ing", "s")}
_HANDLING_FORMS = {form: _forms(t.HANDLING, form) for form in ("ing", "s")}


def _actions(row: list[str], i: int, said: set[str]) -> list[Change]:
    form = "ing" if row[i].endswith("ing") else "s"
    after = row[i + 1] if i + 1 < len(row) else "and"
    if i == 0 or (row[i - 1] in t.DETERMINERS - {"and"}) or row[i - 1] in w.PREPOSITIONS:
        return []
    nouns = [w.NOUN[word] for word in row[:i] if word in w.NOUN]
    if not nouns or w.CATEGORY[nouns[0][0]] not in ANIMATE:
        return []
    if form == "s" and (row[i - 1] not in w.NOUN or nouns[-1][1] or w.CATEGORY[nouns[-1][0]] not in ANIMATE):
        return []
    spoken = {w.GERUND[word] for word in said if word in w.GERUND} | said
    shift = {word: w.GERUND.get(word, word) for group in _ACTION_FORMS[form] + _HANDLING_FORMS[form] for word in group}
    if after in ("a", "the", "his", "her", "its"):
        thing = next((word for word in row[i + 2 : i + 5] if word in w.NOUN), "")
        groups = _HANDLING_FORMS[form] if thing in t.HANDLED else []
    elif after in t.MOVING_PREPS:
        groups = [{word: x for word, x in g.items() if shift[word] in t.MOVING} for g in _ACTION_FORMS[form]]
    elif after in t.STAYING_PREPS:
        groups = _ACTION_FORMS[form]
    else:
        return []
    if not any(row[i] in group for group in groups):
        return []
    other = [g for g in groups if g and not any(shift[word] in spoken for word in g)]
    if w.CATEGORY[nouns[0][0]] == "animal":
        other = [g for g in other if not any(shift[word] in t.HUMAN for word in g)]
    return [
        (_replaced(row, i, word), 1.2 * x)
        for g in other
        for word, x in g.items()
        if shift[word] != "playing" or after in ("in", "with", "on")
    ]


def _crossed(row: list[str], said: list[list[str]]) -> list[Change]:
    """Two colours of different things exchanged, unless another caption has them so."""
    places = [
        i
        for i, word in enumerate(row[:-1])
        if word in w.COLOURS and row[i + 1] in w.NOUN and i and row[i - 1] != "and" and row[i - 1] not in w.COLOURS
    ]
    found = []
    for first, second in zip(places, places[1:]):
        a, b = row[first], row[second]
        pairs = {(a, row[second + 1]), (b, row[first + 1])}
        spoken = {pair for other in said for pair in zip(other, other[1:])}
        animals = any(w.CATEGORY[w.NOUN[row[i + 1]][0]] == "animal" for i in (first, second))
        likely = not animals or {a, b} <= _COATS
        if a != b and row[first + 1] != row[second + 1] and likely and not pairs & spoken:
            changed = _replaced(_replaced(row, first, b), second, a)
            found.append((changed, 25.0))
    return found


_ROLES = set("holding carrying pushing chasing watching kissing feeding pulling hugging leading following".split())


def _exchanged(row: list[str]) -> list[Change]:
    """Who does and whom it is done to exchanged: `a man holding a girl`."""
    found = []
    for i, word in enumerate(row):
        who = i - 2 if i > 1 and row[i - 1] == "is" else i - 1
        whom = i + 2
        if word in _ROLES and who > 0 and whom < len(row) and row[i + 1] in ("a", "the", "another"):
            a, b = row[who], row[whom]
            both = all(x in w.NOUN and not w.NOUN[x][1] and w.CATEGORY[w.NOUN[x][0]] in ANIMATE for x in (a, b))
            if both and a != b and (whom + 1 == len(row) or row[whom + 1] not in w.NOUN):
                found.append((_replaced(_replaced(row, who, b), whom, a), 25.0))
    return found


def _articles(row: list[str]) -> str:
    """`a` and `an` put right."""
    return " ".join(
        (
            ("an" if row[i + 1][0] in "aeiou" and not row[i + 1].startswith(("uni", "ut", "us", "one", "eu")) else "a")
            if word in ("a", "an") and i + 1 < len(row) and row[i + 1].isalpha()
            else word
        )
        for i, word in enumerate(row)
    )


def hard_negative(caption: str, captions_of_photo: tuple[str, ...], rng: random.Random) -> str | None:
    """The caption, clean, with one thing changed that makes it wrong by all that the photo's captions say.

    None where no rule finds a change.
    """
    row = clean_caption(caption).split()
    others = [clean_caption(c).split() for c in captions_of_photo]
    said = set(row).union(*others)
    acting = {actor for beginning, actor in t.ACTING.items() if any(word.startswith(beginning) for word in said)}
    changes: list[Change] = _crossed(row, others) + _exchanged(row)
    for i, word in enumerate(row):
        changes += (
            _colours(row, i, said)
            + _persons(row, i, said)
            + _numbers(row, i, said)
            + _places(row, i, said)
            + _actions(row, i, said)
        )
        if word in w.NOUN or word in w.COLOURS:
            if _plain_before(row, i):
                changes += _from_groups(row, i, said | acting, t.ACTORS, 6.0)
                for groups in t.OBJECTS:
                    changes += _from_groups(row, i, said, groups, 2.0)
                changes += _from_groups(row, i, said | ({"dog"} if "puppy" in said else set()), t.ANIMALS, 0.7)
                changes += _from_groups(row, i, said, t.ANIMAL_PLURALS, 0.7)
        if any(word in group for group in t.SPORTS):
            changes += _from_groups(row, i, said, t.SPORTS, 2.0)
    changes = [(changed, weight) for changed, weight in changes if weight > 0]
    if not changes:
        return None
    # Rare words would tell a negative by themselves, common ones alone would make for few kinds of change.
    return _articles(rng.choices([c for c, _ in changes], [weight for _, weight in changes])[0])
