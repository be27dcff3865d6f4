"""Tables for hard negatives: words that stand where others stood, how common they are, and what keeps them from it.

Weights are, roughly, hundreds of captions (of 40,000) that have the word; 0 for one that is replaced but
never put in.
"""

from __future__ import annotations


def table(text: str) -> list[dict[str, float]]:
    """Groups of words of like meaning, `;` between: word:weight."""
    return [
        {word: float(weight) for word, weight in (entry.split(":") for entry in group.split())}
        for group in text.split(";")
    ]


OBJECTS = [
    table("ball:17; frisbee:3.5; stick:4; rope:2.3; bone:.3 toy:0; bat:1; balloon:.5; kite:.7"),
    table(
        "umbrella:1.4; flag:.8; camera:2 phone:1.2; book:1 newspaper:.4; microphone:.6; shovel:.3; bottle:.9;"
        " cup:.7 drink:1; cigarette:.7; sword:.2"
    ),
    table("guitar:1.5; violin:.3; drums:.2; piano:.2; trumpet:.1; flute:.1"),
    table("bike:8 bicycle:4; skateboard:4.2; motorcycle:2.7 scooter:.6; horse:2.8; unicycle:.4; wheelchair:.3"),
    table("surfboard:1.9 wave:3; boat:2.7; kayak:.8 canoe:.6 raft:.7; snowboard:.9; sled:.9"),
    table("bench:4.2; couch:1.4 sofa:.3; bed:2.6; chair:1.8; table:4.4; floor:1.7; rug:.3 carpet:.4; blanket:.6"),
    table("swing:3.2; slide:2.6; trampoline:1; rock:6; wall:5.5; fence:3.5; stairs:1 steps:1.3; ladder:.2; tree:4.2"),
    table("car:4.4; truck:1.4; bus:1.8; train:2.3; plane:.5 airplane:.5; boat:2.7"),
    table(
        "pizza:.8; sandwich:.5; cake:.8; donut:.2; banana:.3 ; apple:.2; broccoli:.4; salad:.2; popsicle:.2; candy:.2"
    ),
    table("toilet:1.2; sink:.6; bathtub:.2; oven:.2 stove:.3; refrigerator:.2"),
    table("television:.3 tv:.3; laptop:1 computer:.9; vase:.3; clock:1; lamp:.2; book:.5"),
    table(
        "shirt:17 top:2 jersey:.9 sweater:.9 sweatshirt:.7; jacket:6 coat:2.4; dress:3.2 skirt:.7; suit:2.5"
        " uniform:2.3; costume:1.2; swimsuit:.5 bikini:.6; wetsuit:.8; robe:.2; apron:.3"
    ),
    table(
        "hat:6.2 cap:1.7; helmet:3.3; scarf:.7; mask:.7; headband:.4 bandana:.3; tie:.8; wig:.2; backpack:1.5;"
        " collar:1.7; necklace:.2"
    ),
    table(
        "jeans:2 pants:2.3; shorts:3.2; sunglasses:2.2 goggles:.6; boots:.6; sandals:.2; gloves:.3; shoes:.9"
        " sneakers:.2"
    ),
]
ANIMALS = table(
    "dog:60; cat:1.8; horse:2.8; cow:.6 bull:.6; sheep:.5 goat:.2; bird:2.2; duck:.4; elephant:.5; giraffe:.8;"
    " zebra:.5; bear:1; monkey:.2; camel:.2; tiger:.2"
)
ANIMAL_PLURALS = table(
    "dogs:18; cats:.2; horses:1.1; cows:.3; sheep:.4 goats:.1; birds:.6; ducks:.3; elephants:.5; giraffes:.5; "
    "zebras:.5; bears:.4; camels:.2"
)
SPORTS = table(
    "soccer:5.1 football:3.8 rugby:.5; tennis:5; baseball:3.8 softball:.4 cricket:.4; basketball:3; hockey:1.7"
    " lacrosse:.2; volleyball:.6"
)
ACTORS = table(
    "skier:1.7; snowboarder:2; surfer:1.6; skateboarder:3; cyclist:.7 biker:1.5 bicyclist:.6; climber:1.1; hiker:.7;"
    " swimmer:.2; runner:.4; dancer:.2; musician:.2; wrestler:.3; kayaker:.2"
)
ACTING = {
    "ski": "skier",
    "snowboard": "snowboarder",
    "surf": "surfer",
    "skat": "skateboarder",
    "bik": "biker",
    "cycl": "biker",
    "bicycl": "biker",
    "climb": "climber",
    "hik": "hiker",
    "swim": "swimmer",
    "run": "runner",
    "danc": "dancer",
    "rac": "runner",
    "board": "surfer",
    "music": "musician",
    "guitar": "musician",
    "wrestl": "wrestler",
    "kayak": "kayaker",
    "snow": "skier",
}
"""Beginnings of words that tell who somebody may be."""
NUMBERS = {"two": 53.0, "three": 13.0, "four": 5.0, "five": 1.5, "six": 0.7}

MALE = set("man men boy boys male males guy guys he his him father son groom gentleman".split())
FEMALE = set("woman women girl girls female females lady ladies she her mother daughter bride".split())
YOUNG = set(
    "boy boys girl girls child children kid kids baby toddler teen teenager teenagers young little babies toddlers"
    " teens teenage".split()
)
GROWN = set(
    "man men woman women adult adults guy guys lady ladies people person father mother player gentleman older old"
    .split()
)
PERSONS = {
    "man": {"woman": 32, "boy": 12},
    "woman": {"man": 60, "girl": 14},
    "boy": {"girl": 29, "man": 20},
    "girl": {"boy": 30, "woman": 14},
    "men": {"women": 6, "boys": 3},
    "women": {"men": 10, "girls": 4},
    "boys": {"girls": 7, "men": 5},
    "girls": {"boys": 6, "women": 4},
    "lady": {"man": 5, "guy": 2},
    "guy": {"girl": 4, "lady": 2},
    "guys": {"girls": 1, "ladies": 0.4},
    "ladies": {"men": 1, "guys": 0.8},
    "child": {"man": 10, "woman": 8},
    "children": {"men": 4, "women": 3},
    "kid": {"man": 2},
    "kids": {"adults": 1, "men": 1},
    "baby": {"man": 2, "woman": 2},
    "toddler": {"man": 1, "woman": 1},
}
TURNED = {"his": "her", "he": "she", "him": "her", "himself": "herself"}

ZONES: dict[str, tuple[str, str, float]] = {}
"""Place → (zone, prepositions it goes with, weight)."""
for _zone, _row in {
    "beach": "beach:on,at,along,near,across:9 sand:in,on,through,over,across:4 shore:on,along,near:1.4",
    "water": (
        "water:in,through,into,near,over,across:20 ocean:in,into,near,by,at:4 lake:in,into,near,by,at:3"
        " river:in,into,near,by,across:2 pool:in,into,near,by,at:5 pond:in,into,near,by:.8"
    ),
    "snow": "snow:in,on,through,over,across,into:13 ice:on,over,across:1.8",
    "grass": (
        "grass:in,on,through,over,across:14 field:in,on,through,across,at:11 park:in,at,through,near:4"
        " yard:in,across,through:2 lawn:on,across,over:1"
    ),
    "road": (
        "street:on,down,in,across,along,near,at:10 road:on,down,along,near,across:4 sidewalk:on,down,along,near:4"
        " city:in,through,near:3 track:on,along,down:2.5"
    ),
    "forest": "forest:in,through,into,near:1.6 woods:in,through,into,near:2",
    "mountain": "mountain:on,up,down,near:4 hill:on,up,down,near:4 cliff:on,up,down,near:1.7",
    "indoor": "kitchen:in,into:1.3 bathroom:in,into:1.4 restaurant:in,at:.8 bedroom:in,into:.3 gym:in,at:.4",
    "desert": "desert:in,through,across:.6",
    "mud": "mud:in,through,into,on:1",
}.items():
    for _entry in _row.split():
        _word, _preps, _weight = _entry.split(":")
        ZONES[_word] = (_zone, _preps, float(_weight))
ZONE_SIGNS = {
    "beach": set("shoreline sandy coast seaside waves surf surfer surfing dune dunes".split()),
    "water": set(
        "swims swimming sea stream creek waves wave surf surfer boat kayak fountain splash splashes splashing wet"
        " puddle swim underwater waterfall canoe raft sprinkler rain waters".split()
    ),
    "snow": set("snowy snowboard snowboarder ski skier skis skiing sled icy winter snowboarding hockey rink".split()),
    "grass": set(
        "grassy fields backyard meadow pasture green garden soccer football baseball lush outside farm".split()
    ),
    "road": set(
        "sidewalk city pavement car cars traffic crosswalk cement concrete bus highway paved downtown urban racetrack"
        " race store building path trail driveway buildings town alley parade".split()
    ),
    "forest": set("wooded trees tree jungle leaves trail path".split()),
    "mountain": set(
        "mountains hills rock rocks rocky hillside mountainside slope climbing climber cliffs hiker hiking rope steep"
        " ramp climbs stairs slide".split()
    ),
    "indoor": set(
        "room indoors inside couch bed table floor carpet sink toilet counter indoor office bar food store house home"
        " window chair shop building hall".split()
    ),
    "desert": set("sand dirt sandy dune dunes dusty camel".split()),
    "mud": {"muddy", "dirt", "dirty", "puddle"},
}
ZONE_NEAR = [
    {"beach", "water"},
    {"beach", "desert"},
    {"grass", "forest"},
    {"mountain", "snow"},
    {"mountain", "forest"},
    {"mountain", "grass"},
    {"mountain", "desert"},
    {"desert", "mud"},
    {"road", "grass"},
    {"mud", "water"},
]
MASS = set("sand water snow ice grass mud".split())

ACTIONS = table(
    "running:15 jogging:.2 racing:.5 chasing:0; walking:11 strolling:.1 hiking:.6; sitting:16 seated:.1; standing:20"
    " waiting:1 posing:2; jumping:13 leaping:.5; swimming:2.5 wading:.4; sleeping:.7 lying:1 laying:1.6 resting:.5;"
    " climbing:4.3; dancing:1.1; crawling:.2; kneeling:.4; eating:1.8; sliding:1.1; smiling:4 laughing:.8; talking:1.6;"
    " reading:.9; fighting:1.1; playing:19"
)
HANDLING = table(
    "holding:14 carrying:4; throwing:1.1 tossing:.1; catching:1.1; kicking:.6; pushing:.7; pulling:1; riding:10;"
    " painting:.4; washing:.2; fixing:.1; hugging:.6; biting:.6; licking:.3; watching:2.5"
)
HUMAN = set("smiling laughing dancing talking reading waiting posing kneeling painting hugging".split())
"""Nothing that animals are said to do."""
MOVING = set("running walking swimming climbing crawling jumping dancing sliding".split())
MOVING_PREPS = set("through across along down up over toward towards into around past".split())
STAYING_PREPS = set("in on near at by next outside with while and under beside behind inside together".split())
HANDLED = set(
    "ball frisbee stick toy rope bike bicycle cart dog baby child girl boy sled wagon horse cow tire car boat".split()
)

DETERMINERS = set("a an the his her their its another one some this two three four of and with in".split())
PLAIN = set("small large big little young old older wooden tiny huge colorful white striped plastic metal long".split())
