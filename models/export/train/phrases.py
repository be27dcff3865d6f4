"""A shallow reading of captions: noun phrases with number and colours, and who does what where.

No tagger: words that `words` does not know end a phrase, so what is read is right more often than it is complete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from . import words as w

_COMPOUNDS = [
    ("t shirts?|tee shirts?|polo shirts?|undershirts?", "shirt"),
    ("bathing suits?|swim suits?|swimming suits?", "swimsuit"),
    ("wet suits?", "wetsuit"),
    ("swim(?:ming)? trunks", "swim_trunks"),
    ("life (?:jacket|vest)", "life_jacket"),
    ("life (?:jackets|vests)", "life_jackets"),
    ("tank top", "tank_top"),
    ("hot dog", "hot_dog"),
    ("hot dogs", "hot_dogs"),
    ("teddy bear|stuffed bear|teddy", "teddy_bear"),
    ("teddy bears|stuffed bears", "teddy_bears"),
    ("stuffed (?:animal|toy)", "stuffed_animal"),
    ("stuffed (?:animals|toys)", "stuffed_animals"),
    ("fire hydrant|hydrant", "fire_hydrant"),
    ("fire hydrants|hydrants", "fire_hydrants"),
    ("traffic (?:light|signal)|stop ?light", "traffic_light"),
    ("traffic (?:lights|signals)|stop ?lights", "traffic_lights"),
    ("stop sign", "stop_sign"),
    ("street sign", "street_sign"),
    ("street signs", "street_signs"),
    ("street ?light|street lamp", "street_light"),
    ("parking meter", "parking_meter"),
    ("parking meters", "parking_meters"),
    ("parking lot", "parking_lot"),
    ("trash can|garbage can", "trash_can"),
    ("train tracks|railroad tracks|train track|railroad track|railway tracks?", "train_track"),
    ("train station|subway station", "train_station"),
    ("tennis court", "tennis_court"),
    ("basketball court", "basketball_court"),
    ("skate(?:board)? park", "skate_park"),
    ("living room", "living_room"),
    ("dining room", "dining_room"),
    ("hotel room", "hotel_room"),
    ("rest ?room|wash ?room", "bathroom"),
    ("ice cream", "ice_cream"),
    ("french fries", "fries"),
    ("cell phones?|cellphones?|mobile phones?|telephones?", "cell_phone"),
    ("dirt ?bikes?|motor bikes?|motor cycles?", "motorcycle"),
    ("dirt (?:road|path|trail|track)", "dirt_road"),
    ("hula hoops?", "hula_hoop"),
    ("jump rope", "jump_rope"),
    ("clock tower", "clock_tower"),
    ("christmas tree", "christmas_tree"),
    ("picnic table", "picnic_table"),
    ("golf club", "golf_club"),
    ("hockey stick", "hockey_stick"),
    ("fishing (?:pole|rod)", "fishing_pole"),
    ("flip flops?", "flip_flop"),
    ("bow ?tie", "bow_tie"),
    ("inner ?tube", "raft"),
    ("pit bull", "pitbull"),
    ("scuba diving", "scuba_diving"),
    ("roller skating", "roller_skating"),
    ("pick ?up truck|fire ?truck|semi truck", "truck"),
    ("in front of", "in_front_of"),
    ("on top of", "on_top_of"),
    ("next to", "next_to"),
    ("in the middle of|in the midst of", "in_the_middle_of"),
    ("(?:on|at|along|by) the (?:side|edge) of", "at_the_edge_of"),
    ("out of", "out_of"),
    (
        (
            "(?:a |large |small"
            " )*(?:group|crowd|bunch|herd|flock|number|team|line|row|pack|lot|lots|variety|set|gathering) of"
        ),
        "group_of",
    ),
    (
        (
            "(?:a )?couple of|(?:a )?pair of(?="
            " (?:dogs|people|men|women|children|kids|girls|boys|giraffes|zebras|birds|elephants))"
        ),
        "couple_of",
    ),
    ("(?:a )?pair of", "pair_of"),
    ("a few", "few"),
    (
        (
            "an? (?:close up|closeup|image|picture|photo|photograph|view|black and white"
            " (?:photo|picture|photograph|image)) of"
        ),
        ",",
    ),
    ("hot air balloon", "balloon"),
    ("police man", "policeman"),
    ("home plate", "homeplate"),
    ("orange juice", "juice"),
    ("red sox|red bull|green bay|white house|orange soda", "brandname"),
    ("white water|whitewater", "rapids"),
    ("merry go round", "merrygoround"),
    ("wine glass", "glass"),
    ("toilet paper", "toiletpaper"),
    ("water ?skiing", "waterskiing"),
    ("body ?boarding", "surfing"),
    ("boogie boarding", "surfing"),
]
_JOINED = [(re.compile(rf"\b(?:{pattern})\b"), joined) for pattern, joined in _COMPOUNDS]
_TOKEN = re.compile(r"'s\b|[a-z0-9_]+|[,.;]")


@dataclass(frozen=True)
class Noun:
    """A noun phrase of a caption."""

    lemma: str
    plural: bool
    number: int | None
    """1 with `a` or `one` …, a stated number, or none where it isn't said (`the`, `some`, no determiner)."""
    determiner: str | None
    colours: tuple[str, ...]
    adjectives: tuple[str, ...]
    start: int
    end: int
    owner: str | None = None
    """Lemma of whose it is: `the man 's hat`."""

    @property
    def said(self) -> str:
        """The head as a question would say it."""
        return (w.plural(self.lemma) if self.plural else self.lemma).replace("_", " ")


@dataclass(frozen=True)
class Action:
    """A subject and what it does: `man`, `riding`, object `horse`, then prepositional phrases."""

    subject: Noun
    verb: str
    object: Noun | None
    after: tuple[tuple[str, Noun], ...]


@dataclass(frozen=True)
class Reading:
    """What was understood of one caption."""

    words: tuple[str, ...]
    nouns: tuple[Noun, ...]
    actions: tuple[Action, ...] = ()
    relations: tuple[tuple[Noun, str, Noun], ...] = field(default=())
    """(noun, preposition or `wearing`, noun)"""


def tokens(caption: str) -> list[str]:
    """Lower-case words, compounds joined by `_`; commas kept as phrase ends."""
    text = caption.lower().replace("’", "'").replace(" 's", "'s").replace("-", " ").replace("/", " ").replace('"', "")
    text = " ".join(_TOKEN.findall(text)).replace(".", ",").replace(";", ",")
    for pattern, joined in _JOINED:
        text = pattern.sub(joined, text)
    return text.split()


def _colours(row: list[str], i: int) -> tuple[tuple[str, ...], int]:
    """Colours from row[i] on, `black and white`, `red , white and blue` included, and where they end."""
    found: list[str] = []
    while i < len(row) and row[i] in w.COLOURS:
        found.append(w.COLOUR_NAME.get(row[i], row[i]))
        i += 1
        joint = i
        while joint < len(row) and row[joint] in ("and", ","):
            joint += 1
        if joint > i and joint < len(row) and row[joint] in w.COLOURS:
            i = joint
    return tuple(dict.fromkeys(found)), i


def noun_at(row: list[str], i: int, owner: str | None = None) -> Noun | None:
    """The noun phrase that begins at row[i], if one does."""
    start, determiner, number = i, None, None
    while i < len(row) and row[i] in w.DETERMINERS:
        determiner = row[i] if determiner is None or determiner in ("the", "his", "her", "their") else determiner
        if row[i] in w.NUMBERS:
            number = w.NUMBERS[row[i]]
        elif row[i] in w.SINGULAR and number is None:
            number = 1
        i += 1
    colours: list[str] = []
    adjectives: list[str] = []
    unknown = 0
    while i < len(row):
        some, after = _colours(row, i)
        head = row[i] in w.NOUN and not (i > start and row[i] in ("jumps", "stands"))
        if some and not (head and not (after < len(row) and (row[after] in w.NOUN or row[after] in w.ADJECTIVES))):
            colours += some
            i = after
        elif row[i] in w.ADJECTIVES and not (head and (i + 1 >= len(row) or row[i + 1] not in w.NOUN)):
            adjectives.append(row[i])
            i += 1
        elif head:
            break
        elif (
            determiner
            and unknown < 2
            and row[i] not in w.OTHER_WORDS
            and row[i] not in w.GERUND
            and row[i] not in (",", "'s")
            and not row[i].isdigit()
        ):
            adjectives.append(row[i])
            unknown += 1
            i += 1
        else:
            return None
    if i >= len(row):
        return None
    lemma, many = w.NOUN[row[i]]
    i += 1
    while i < len(row) and row[i] in w.NOUN and not (row[i] in w.GERUND and row[i] not in ("slide", "swing")):
        if many and lemma not in w.UNCOUNTED:
            break
        adjectives.append(lemma)
        lemma, many = w.NOUN[row[i]]
        i += 1
    if number == 1 and many:
        number = None
    return Noun(lemma, many, number, determiner, tuple(colours), tuple(adjectives), start, i, owner)


def _nouns(row: list[str]) -> list[Noun]:
    found: list[Noun] = []
    i = 0
    while i < len(row):
        if row[i] == "'s" and found and found[-1].end == i:
            owned = noun_at(row, i + 1, found[-1].lemma)
            if owned:
                found.append(owned)
                i = owned.end
                continue
        noun = noun_at(row, i)
        # A finite verb that is also a noun (`a dog jumps`) is no phrase of its own right behind a noun.
        if noun and not (noun.end - noun.start == 1 and row[i] in w.GERUND and found and found[-1].end == i):
            found.append(noun)
            i = noun.end
        else:
            i += 1
    return found


ANIMATE = set("man woman boy girl child person animal".split())
WORN = {"garment", "headwear", "accessory"}
_ADVERBS = set(
    "now also happily quickly quietly both together alone each slowly playfully outside up down out away around off"
    " back high just still about all currently".split()
)


def _actions(row: list[str], nouns: list[Noun]) -> tuple[list[Action], list[tuple[Noun, str, Noun]]]:
    at = {n.start: n for n in nouns}
    actions: list[Action] = []
    relations: list[tuple[Noun, str, Noun]] = []
    for n in nouns:
        if n.owner or w.CATEGORY[n.lemma] not in ANIMATE:
            if n.end < len(row) and row[n.end] in w.PREPOSITIONS and n.end + 1 in at:
                relations.append((n, row[n.end], at[n.end + 1]))
            continue
        i, first = n.end, True
        joined = n.start > 0 and row[n.start - 1] == "and"
        # Past what describes the noun: `in a red shirt and blue jeans`, `with a hat`, `on a beach`.
        while i < len(row):
            word = row[i]
            if word in ("in", "wearing", "with", "on", "at", "from", "wears") and i + 1 in at:
                other = at[i + 1]
                worn = w.CATEGORY[other.lemma] in WORN
                relations.append((n, "wearing" if worn and word in ("in", "wearing", "wears") else word, other))
                i = other.end
                while worn and i + 1 < len(row) and row[i] in ("and", ",", "with"):
                    j = i + 1 + (row[i + 1] == "and" or row[i + 1] == "with")
                    if j in at and w.CATEGORY[at[j].lemma] in WORN:
                        relations.append((n, "wearing", at[j]))
                        i = at[j].end
                    else:
                        break
                if word in ("wearing", "wears"):
                    first = first and word == "wearing"
            else:
                break
        if i < len(row) and row[i] == "and" and i + 1 in at and w.CATEGORY[at[i + 1].lemma] in ANIMATE:
            continue
        while True:
            while i < len(row) and (
                row[i] in ("is", "are", "that", "who", "while") or row[i] in _ADVERBS and row[i] not in w.GERUND
            ):
                i += 1
            if i >= len(row):
                break
            word = row[i]
            verb = word if word in w.GERUNDS or word == "laying" else w.GERUND.get(word) if first else None
            if word in w.GERUND and not first and word not in w.GERUNDS:
                verb = w.GERUND[word] if not n.plural and word.endswith("s") else None
            if verb is None or joined:
                break
            verb = "lying" if verb == "laying" else verb
            i += 1
            while (
                i < len(row) and row[i] in _ADVERBS and i not in at and not (row[i] in w.PREPOSITIONS and i + 1 in at)
            ):
                i += 1
            target = None
            if i in at:
                target = at[i]
                i = target.end
            after: list[tuple[str, Noun]] = []
            while i + 1 < len(row) and row[i] in w.PREPOSITIONS and i + 1 in at and row[i] not in ("while", "as"):
                after.append((row[i], at[i + 1]))
                i = at[i + 1].end
            actions.append(Action(n, verb, target, tuple(after)))
            first = False
            if i < len(row) and row[i] in ("and", ",", "while") and i + 1 < len(row):
                i += 1 + (row[i] == "," and row[i + 1] in ("and", "while"))
                if i < len(row) and (row[i] in w.GERUNDS or row[i] in w.GERUND and row[i].endswith("s")):
                    continue
            break
    return actions, relations


@cache
def read(caption: str) -> Reading:
    """The shallow reading of a caption."""
    row = tokens(caption)
    nouns = _nouns(row)
    actions, relations = _actions(row, nouns)
    return Reading(tuple(row), tuple(nouns), tuple(actions), tuple(relations))
