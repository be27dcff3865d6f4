"""Words that captions are made of, sorted by hand: what the rules for questions and hard negatives know of English.

Nouns are lemmas by category; `NOUN` finds the lemma of a form. Compounds are one word
with `_`, as `phrases.tokens` joins them.
"""

from __future__ import annotations

_CATEGORIES = {
    "man": "man guy gentleman male groom father dad cowboy fisherman policeman dude",
    "woman": "woman lady female bride mother mom cheerleader",
    "boy": "boy",
    "girl": "girl",
    "child": "child kid baby toddler infant",
    "person": (
        "person adult teenager teen player skateboarder snowboarder surfer skier biker cyclist bicyclist rider climber"
        " hiker runner racer swimmer skater musician guitarist singer dancer worker officer soldier goalie catcher"
        " batter pitcher referee umpire wrestler performer vendor photographer couple family team band crowd audience"
        " group student athlete driver pedestrian fan spectator friend owner motorcyclist jockey clown chef waiter"
        " passenger kayaker customer artist acrobat diver onlooker rollerblader coach"
    ),
    "animal": (
        "dog puppy cat kitten horse pony cow calf bull sheep lamb goat bird duck goose swan pigeon seagull parrot owl"
        " eagle chicken elephant giraffe zebra bear monkey tiger lion deer camel rabbit squirrel fish animal greyhound"
        " poodle terrier retriever collie shepherd lab labrador beagle bulldog pitbull doberman husky dachshund"
        " dalmatian turtle butterfly pig"
    ),
    "vehicle": (
        "bike bicycle motorcycle motorbike scooter dirtbike car truck van bus jeep suv taxi train boat ship canoe kayak"
        " raft sailboat rowboat airplane plane jet helicopter tractor wagon cart carriage stroller wheelchair sled"
        " snowmobile atv tricycle unicycle vehicle trailer tram"
    ),
    "board": "skateboard surfboard snowboard ski skate rollerblade wakeboard kiteboard paddle oar",
    "garment": (
        "shirt sweater sweatshirt hoodie jacket coat vest dress skirt pants jeans shorts suit uniform costume outfit"
        " swimsuit bikini wetsuit robe apron jersey overalls pajamas kilt tutu life_jacket tank_top swim_trunks trunks"
        " blouse gown sweatpants leotard tuxedo snowsuit"
    ),
    "headwear": "hat cap helmet hood bandanna bandana headband headscarf wig crown mask beanie sombrero headphones",
    "accessory": (
        "sunglasses glasses goggles scarf tie glove gloves mitten boot shoe sneaker sandal sock flip_flop backpack bag"
        " purse necklace belt bracelet apron harness leash collar muzzle bow_tie earring"
    ),
    "food": (
        "pizza sandwich cake cupcake hot_dog hamburger burger donut doughnut bread banana apple strawberry fruit"
        " broccoli carrot salad vegetable soup rice pasta fries cheese meat egg cookie ice_cream popcorn lollipop candy"
        " snack meal dessert corn watermelon bagel pie popsicle cereal pancake sauce food"
    ),
    "drink": "beer wine coffee water_bottle soda juice tea milk beverage drink",
    "ball": "ball puck",
    "toy": (
        "frisbee disc toy kite balloon hula_hoop doll teddy_bear stuffed_animal jump_rope bubble trampoline swing slide"
        " seesaw sprinkler snowball sandcastle"
    ),
    "equipment": (
        "bat racket racquet stick rope pole net hurdle ramp rail obstacle tire goal hoop golf_club hockey_stick"
        " fishing_pole parachute tent microphone camera shovel hose ladder bucket axe sword gun flag sign basket box"
        " bottle cup glass bowl plate fork knife spoon mug tray pan pot vase umbrella newspaper book magazine paper map"
        " pen toothbrush cigarette rod pipe bone"
    ),
    "instrument": "guitar violin drum piano trumpet flute saxophone accordion instrument tuba",
    "device": (
        "phone cell_phone laptop computer television tv monitor keyboard mouse remote controller clock watch microwave"
        " oven stove refrigerator fridge toaster sink toilet bathtub shower lamp mirror camcorder"
    ),
    "furniture": (
        "bench chair couch sofa bed table desk shelf counter cabinet stool dresser bookshelf rug carpet blanket pillow "
        "towel mat crib picnic_table window door curtain fireplace"
    ),
    "place": (
        "beach street road sidewalk field park yard backyard lawn pool lake river ocean sea pond stream creek forest"
        " wood mountain hill slope mountainside hillside cliff desert city town kitchen bathroom bedroom living_room"
        " dining_room office restaurant store shop market mall airport station gym stadium arena court tennis_court"
        " basketball_court track racetrack playground parking_lot garden farm zoo church bridge dock pier stage bar"
        " cafe alley driveway porch deck balcony hallway stair step staircase escalator rink skate_park trail path"
        " dirt_road highway intersection crosswalk runway tunnel subway train_station pasture meadow woods jungle"
        " canyon cave valley shore shoreline waterfall fountain plaza classroom library museum hotel_room room"
    ),
    "ground": (
        "grass snow sand water mud dirt ice gravel concrete pavement rock boulder log ground floor puddle wave hay"
        " leaves air brick cement"
    ),
    "thing": (
        "tree building house fence wall statue tower bush flower plant branch castle barn hut roof fire_hydrant"
        " traffic_light stop_sign street_sign street_light parking_meter luggage suitcase trash_can mailbox railing"
        " rainbow cloud sky sun moon sunset fire smoke stone ledge curb leaf stump train_track clock_tower"
        " christmas_tree graffiti mural poster painting candle"
    ),
    "sport": "soccer tennis baseball basketball hockey rugby volleyball football golf cricket softball lacrosse",
    "act": "picture photo photograph trick stunt game obstacle_course",
    "body": (
        "hair face head hand arm leg foot mouth tongue eye ear nose tooth beard mustache tail fur mohawk knee shoulder"
        " neck lap finger chest stomach tattoo skin paw horn wing lip"
    ),
}


def _pairs(text: str) -> dict[str, str]:
    """`a:b c:d` → a dictionary."""
    return dict(entry.split(":") for entry in text.split())


_IRREGULAR = _pairs(
    "men:man women:woman children:child people:person persons:person ladies:lady gentlemen:gentleman "
    "policemen:policeman fishermen:fisherman sheep:sheep geese:goose deer:deer fish:fish calves:calf leaves:leaf "
    "feet:foot teeth:tooth knives:knife mice:mouse buses:bus busses:bus benches:bench beaches:beach couches:couch "
    "scarves:scarf shelves:shelf dishes:plate dish:plate someone:person bicyles:bicycle woods:forest oxen:cow "
    "ox:cow"
)
_ONLY_PLURAL = set(
    "air dirt fries fur glasses gloves goggles graffiti grass gravel hair hay headphones ice jeans luggage mud "
    "overalls pajamas pants sand shorts snow sunglasses sweatpants swim_trunks trunks water".split()
)
"""No plural of their own, or no singular: never counted."""

CATEGORY: dict[str, str] = {lemma: name for name, words in _CATEGORIES.items() for lemma in words.split()}
UNCOUNTED = frozenset(_ONLY_PLURAL)


def plural(lemma: str) -> str:
    """The plural of a lemma."""
    for form, singular in _IRREGULAR.items():
        if singular == lemma and form not in ("persons", "busses", "bicyles", "dishes", "oxen"):
            return form
    if lemma.endswith(("s", "x", "ch", "sh")):
        return lemma + "es"
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return lemma[:-1] + "ies"
    return lemma + "s"


NOUN: dict[str, tuple[str, bool]] = {lemma: (lemma, False) for lemma in CATEGORY}
"""Form → (lemma, whether it is plural)."""
for _lemma in [n for n in CATEGORY if n not in UNCOUNTED]:
    NOUN.setdefault(plural(_lemma), (_lemma, True))
for _form, _lemma in _IRREGULAR.items():
    NOUN[_form] = (_lemma, _form not in ("someone", "ox", "dish", "woods"))
for _form in _ONLY_PLURAL & NOUN.keys():
    NOUN[_form] = (_form, False)

SAME = _pairs(
    "guy:man gentleman:man dude:man male:man lady:woman female:woman puppy:dog kitten:cat pony:horse bicycle:bike "
    "motorbike:motorcycle dirtbike:motorcycle airplane:plane jet:plane sofa:couch tv:television "
    "fridge:refrigerator racquet:racket cell_phone:phone kid:child toddler:child infant:baby bandanna:bandana "
    "burger:hamburger doughnut:donut sea:ocean woods:forest wood:forest jungle:forest bicyclist:cyclist "
    "biker:cyclist disc:frisbee greyhound:dog poodle:dog terrier:dog retriever:dog collie:dog shepherd:dog lab:dog "
    "labrador:dog beagle:dog bulldog:dog pitbull:dog doberman:dog husky:dog dachshund:dog dalmatian:dog calf:cow "
    "bull:cow lamb:sheep shop:store backyard:yard lawn:yard racetrack:track shoreline:shore luggage:suitcase "
    "photo:picture photograph:picture stunt:trick stone:rock boulder:rock swim_trunks:shorts trunks:shorts "
    "teen:teenager"
)
"""Words taken for one another where it is asked whether captions agree."""

COLOURS = {
    colour: int(common)
    for colour, common in _pairs(
        "black:34 white:36 red:24 brown:23 blue:20 green:12 yellow:11 orange:7 pink:7 gray:4 grey:2 tan:3 purple:3 "
        "silver:1 gold:1 beige:1 blonde:2 blond:2 maroon:1 teal:1"
    ).items()
}
"""Colour → how common, in hundreds of captions."""
COLOUR_NAME = {"grey": "gray", "blond": "blonde"}
NEAR_COLOURS = tuple(
    set(row.split(","))
    for row in (
        "beige,blonde,brown,gold,orange,tan,yellow gray,silver,white maroon,orange,pink,red maroon,pink,purple "
        "blue,purple,teal green,teal black,gray,silver"
    ).split()
)
"""Sets within which one person's word is another's."""
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10} | {
    str(n): n for n in range(2, 11)
}
SINGULAR = set("a an one another lone single".split())
POSSESSIVE = {"his", "her", "their", "its"}
VAGUE = set("some several many few multiple various lots_of group_of both all these those couple_of other".split())
DETERMINERS = SINGULAR | POSSESSIVE | VAGUE | set("the this that each no every pair_of".split()) | NUMBERS.keys()

ADJECTIVES = set(
    "young old older elderly little small large big huge tiny tall short long fat thin skinny wet dry muddy dirty clean"
    " furry fluffy shaggy spotted striped colorful bright dark light colored multicolored wooden metal plastic stone"
    " brick concrete leather denim plaid checkered floral fancy formal beautiful pretty cute happy smiling asian"
    " african american german indian chinese hispanic caucasian bald bearded shirtless barefoot naked topless grassy"
    " sandy snowy rocky snow covered rough calm shallow deep open empty crowded busy full steep high low wide narrow"
    " paved dirt outdoor indoor public urban rural wild stuffed inflatable swimming soccer tennis baseball basketball"
    " football hockey rugby volleyball cricket golf ice water fire dining living racing running parked painted"
    " decorated lit wooded flat round square cut sliced half giant adult teenage professional blurry toy red haired"
    " blonde brunette middle aged dressed hooded sleeveless long sleeved tri brindle mixed breed lone single cowboy"
    " straw knit winter summer baby police street park city mountain christmas birthday wedding sports martial skate"
    " ski surf beach chain picnic yellow tree swim nice new modern antique vintage sunny cloudy foggy reflective"
    " camouflage flowered hardwood tiled overhead partially muzzled sled race guide male female very white horned"
    " overweight playful brightly".split()
)

_VERBS = (
    "run walk jump swim play ride sit stand climb eat drink sleep lie throw catch kick hit hold carry push pull chase"
    " fly jog dance sing surf ski skate skateboard snowboard smile laugh talk read write fish hike leap slide swing"
    " dive fall wade splash crawl kneel squat dig bite lick chew sniff shake bark fight wrestle hug kiss wave point"
    " paddle row sail race drive bike cycle skydive cook bake cut smoke blow paint draw pose perform balance grind bowl"
    " golf bat serve pitch dribble shoot tackle watch look stare wait rest lean lay hang cross wash brush shop sell"
    " feed pet graze drink walk wear use cuddle nap relax bounce flip spin march rollerblade roller_skate kayak canoe"
    " raft waterski wakeboard windsurf parasail float roll juggle clap cheer exercise stretch yawn knit type text work"
    " prepare attempt try take make do go get come leave enter approach move travel cover fill surround pass put show"
    " reach help follow lead touch practice compete stop step trot gallop bathe sunbathe camp picnic celebrate snorkel"
    " scuba_dive sled drag toss retrieve fetch handle examine scale rappel land peek crouch wrap strum"
).split()
_DOUBLED = set(
    "run swim sit hit dig hug bat cut pet get put shop wrap jog stop step trot nap flip spin clap drag knit rappel sled"
    " squat strum".split()
)
_GERUNDS = {
    "lie": "lying",
    "ski": "skiing",
    "picnic": "picnicking",
    "text": "texting",
    "kayak": "kayaking",
    "canoe": "canoeing",
}
_NO_FINITE = set(
    "bat bike bowl camp canoe cover cross cycle fish golf hand kayak land lay lead paddle pet pitch point raft "
    "scale shop show sled text type wave work".split()
)
"""Verbs whose other forms are rather nouns."""


def gerund(verb: str) -> str:
    """`run` → `running`."""
    if verb in _GERUNDS:
        return _GERUNDS[verb]
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


def third_person(verb: str) -> str:
    """`run` → `runs`."""
    if verb == "do" or verb == "go" or verb.endswith(("s", "x", "ch", "sh")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


GERUND: dict[str, str] = {}
"""Form of a verb → its -ing form, for finite forms after a subject."""
GERUNDS: set[str] = set()
VERB_FORMS: dict[str, tuple[str, str, str]] = {}
"""-ing form → (base, third person, -ing)."""
for _verb in _VERBS:
    _ing = gerund(_verb)
    GERUNDS.add(_ing)
    VERB_FORMS[_ing] = (_verb, third_person(_verb), _ing)
    GERUND[_ing] = _ing
    if _verb not in _NO_FINITE:
        GERUND[_verb] = GERUND[third_person(_verb)] = _ing
GERUND |= {"laying": "laying", "lays": "lying", "lies": "lying", "lay": "lying"}
GERUND["laying"] = "lying"

PREPOSITIONS = set(
    "in on at near by with of to into onto from over under through across along down up around behind beside between"
    " above below against towards toward inside outside off past during for as next_to in_front_of on_top_of"
    " in_the_middle_of on_the_side_of at_the_edge_of underneath beneath among atop out_of while after before without"
    .split()
)
OTHER_WORDS = (
    set(
        "is are was were be being been has have having does and or but that which who where when what it its he she"
        " they them him there not very while as his her their out off away back together something each himself herself"
        " themselves".split()
    )
    | PREPOSITIONS
)

SPORTS = _pairs(
    "soccer:soccer tennis:tennis baseball:baseball basketball:basketball hockey:hockey rugby:rugby "
    "volleyball:volleyball football:football golf:golf cricket:cricket softball:softball lacrosse:lacrosse "
    "skateboarding:skateboarding skateboarder:skateboarding skateboard:skateboarding snowboarder:snowboarding "
    "snowboarding:snowboarding snowboard:snowboarding snowboards:snowboarding skier:skiing skiing:skiing "
    "skis:skiing skiers:skiing surfer:surfing surfing:surfing surfboard:surfing surfs:surfing wrestling:wrestling "
    "wrestlers:wrestling karate:karate boxing:boxing bowling:bowling frisbee:frisbee polo:polo"
)
