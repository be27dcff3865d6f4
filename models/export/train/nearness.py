"""When captions that do not name a thing still leave open whether it is there: what makes a `no` unsure."""

from __future__ import annotations

from . import words as w
from .scene import PEOPLE, Scene, same

NEAR_TO = {
    row.split()[0]: set(row.split())
    for row in (
        (
            "car vehicle truck van jeep taxi traffic street road race parking racetrack city bus highway suv drive"
            " driving driver"
        ),
        "bus vehicle traffic street city road",
        "truck vehicle traffic car van",
        "train subway track railroad railway train_track station platform tram",
        (
            "bike motorcycle tricycle scooter cyclist biker rider bmx wheel wheelie unicycle cycling biking bikes race"
            " pedals"
        ),
        "motorcycle bike biker rider motocross atv vehicle wheel race dirtbike racer motorbike",
        "scooter bike motorcycle skateboard wheel ride",
        "boat ship kayak canoe raft sail dock river lake ocean harbor craft rowing sailing water paddle",
        "kayak canoe boat raft rapids paddle river",
        "plane airport jet aircraft flying helicopter",
        "skateboard skateboarder skate board skating ramp skateboarding trick",
        "surfboard surfer surf surfing wave board wakeboard boogie",
        "snowboard snowboarder board ski snowboarding slope",
        "sled sledding snow inflatable tube",
        (
            "ball soccer tennis baseball basketball football volleyball hockey rugby golf cricket softball game player"
            " team catch playing toy puck bowling goal play"
        ),
        "frisbee disc toy catch game jumping",
        "kite flying parachute",
        "umbrella rain parasol shade",
        "bench seat sitting seated sits park",
        "swing swinging swings",
        "slide playground sliding slides",
        "pool swimming swim water diving",
        "fountain water sprinkler",
        "guitar instrument music band musician musicians stage concert",
        "phone cell talking cell_phone texting cellphone device",
        "laptop computer desk keyboard monitor",
        "computer laptop desk keyboard monitor office screen",
        "bed bedroom pillow blanket sleeping mattress lying crib hotel_room",
        "couch sofa chair living_room lying furniture seat",
        "toilet bathroom urinal stall",
        "sink bathroom kitchen faucet",
        "bathtub bathroom tub bath shower toilet",
        "pizza food slice eating meal",
        "cake food dessert birthday party pastry",
        "sandwich food burger meal eating lunch plate",
        "banana fruit food bunch",
        "broccoli food vegetable salad meal plate dinner dish",
        "donut food pastry doughnut",
        "tent camping camp canopy camper",
        "stick branch log wood mouth pole bat hockey",
        "rope climbing climber leash tug harness string climbs cord swing",
        (
            "snow snowy ski skiing skier snowboard snowboarder sled winter ice icy mountain snowball snowboarding white"
            " cold snowmobile"
        ),
        "beach sand ocean shore coast sea wave surf surfing surfer surfboard water seaside lake sandy shoreline dune",
        (
            "water ocean lake river pool pond beach sea wave surf boat swim swimming splash splashing fountain creek"
            " stream wet rain puddle surfing surfer kayak dock shore raft canoe bottle drink sprinkler waterfall sail"
            " fishing paddle bath wading hose rapids swims underwater bridge diving toilet sink tub"
        ),
        (
            "mountain hill cliff rock slope peak climbing climber hiking hiker rocky landscape snow mountaintop"
            " mountainside hillside trail valley hills scenic distance background overlooking"
        ),
        "statue sculpture monument fountain art",
        "bridge river railing overpass walkway",
        "clock tower watch time",
        "traffic_light street light intersection traffic city road signal",
        "stop_sign sign street",
        "fire_hydrant street sidewalk hydrant",
        "vase flower flowers table",
        "teddy_bear toy stuffed_animal doll bear animal stuffed",
        (
            "table desk counter picnic_table restaurant food plate meal eating dinner room cake pizza kitchen laptop"
            " drink bowl sandwich bottle vase drinking bar computer"
        ),
        "television monitor screen room video wii game",
        "oven stove kitchen",
        "refrigerator kitchen",
        "microphone singing singer stage band singer karaoke speaking mic concert",
        "trampoline jumping bouncing",
        "racket tennis racquet",
        "bat baseball batter softball cricket swing player",
        "camera picture photo photograph photographer taking photographing video",
        "ladder climbing",
        "balloon party",
        "flag parade flags country banner",
        "ramp skateboard bike trick skate_park jump skateboarder",
        "hurdle obstacle jumping agility fence bar course",
        "net tennis goal soccer volleyball fishing hockey basketball tennis_court",
        "crowd people group audience spectator fans team stadium concert parade city busy street",
        "stroller baby carriage buggy",
        "wheelchair chair",
        "canoe kayak boat raft paddle",
        "raft boat kayak inflatable rapids tube canoe",
        "bird duck goose swan pigeon seagull eagle parrot flying owl penguin chicken wings feathers",
        "duck bird goose swan",
        "cow bull cattle calf rodeo",
        "horse pony rodeo carriage jockey cowboy riding rider horseback polo",
        "sheep goat lamb herd",
        "goat sheep herd",
        "bear teddy_bear polar",
        "cat kitten",
        "dog puppy canine hound animals pitbull",
        "monkey ape chimp",
    )
}
"""Noun → words that make it likely or are other names for it; streets make cars likely, cars no street signs."""
_ADULT = set("adult person people couple group crowd family team player rider band audience".split())
_CHILDISH = set(
    "child baby kid toddler boy girl infant young teen teenager family crowd people group person little student school"
    " youth daughter son player team".split()
)


def absent(scene: Scene, lemma: str) -> bool:
    """Whether nothing that the captions say comes near the noun."""
    said = scene.words
    if NEAR_TO.get(lemma, {lemma}) & said:
        return False
    category = w.CATEGORY.get(lemma)
    if category == "animal":
        return not {"animal", "animals"} & said
    if lemma == "person":
        return not scene.peopled
    if category in PEOPLE:
        if not scene.peopled:
            return True
        sex = {"man": "woman", "woman": "man", "boy": "girl", "girl": "boy"}.get(lemma)
        persons = {same(word) for word in said if w.CATEGORY.get(word) in PEOPLE and word in w.CATEGORY}
        if lemma in ("child", "baby"):
            return not _CHILDISH & said and bool(persons & {"man", "woman"})
        own = {
            "man": {"he", "his", "him", "male", "father"},
            "woman": {"she", "her", "female", "mother"},
            "boy": {"he", "his", "him", "son"},
            "girl": {"she", "her", "daughter"},
        }.get(lemma, set())
        unsure = (_ADULT | set("child children kid baby toddler teenager young others".split()) | own) & said
        return (
            sex in persons
            and not unsure
            and persons <= {sex, *({"woman", "girl"} if sex in ("woman", "girl") else {"man", "boy"})}
        )
    return True


DEED_GROUPS = [
    set(row.split())
    for row in (
        "running runs run racing chasing jogging playing race chase sprinting hurdle rushing through",
        "walking walks walk strolling hiking crossing moving going running path hike",
        (
            "sitting sits sit seated riding bench chair resting relaxing driving rides eating reading kneeling lying"
            " laying crouching squatting on_top_of swing couch"
        ),
        "jumping jumps jump leaping leaps leap flying midair air airborne trick bouncing diving flip trampoline catch",
        "swimming swims swim wading pool water ocean lake splashing river pond underwater",
        "sleeping sleeps sleep lying laying resting napping asleep rest lays lies bed",
        "climbing climbs climb climber scaling ladder ascending up hiking mountain rock rope rocks",
        "lying laying lays lies sleeping resting rests lounging lay sunbathing relaxing",
        "eating eats eat food meal biting chewing feeding lunch dinner drinking mouth restaurant bite grazing snack",
        "reading reads read book newspaper magazine paper",
        "dancing dances dance dancer performing ballet stage performs twirling costume",
        "fishing fishes fish rod",
        "skateboarding skateboard skateboarder skate skating trick",
        "surfing surfs surf surfboard surfer wave waves",
        "skiing skis ski skier slope snow",
        "snowboarding snowboard snowboarder slope snow",
        "drinking drinks drink bottle cup glass beer water beverage",
        "smoking smokes cigarette smoke pipe",
        "flying flies fly air",
        "digging digs dig sand hole",
        "singing sings microphone singer stage band",
        "kneeling kneels crouching sitting squatting bending",
    )
]
"""Deeds and the words that may mean the same or go with it; the first word of each is the deed."""
NEAR_WORN = {
    "hat": "cap helmet beanie hood headwear sombrero cowboy santa uniform costume winter",
    "helmet": "hat cap gear biker cyclist bike player motorcycle football rider goalie skier uniform race",
    "tie": "suit formal uniform tuxedo business dressed bow_tie",
    "suit": "tie tuxedo formal uniform dressed jacket wetsuit costume groom",
    "dress": "skirt gown costume dressed dresses bride outfit formal",
    "sunglasses": "glasses goggles sun shades",
    "backpack": "bag pack hiker hiking gear backpacks",
    "scarf": "headscarf winter coat",
    "jacket": "coat sweater vest hoodie suit sweatshirt winter skier uniform",
    "costume": "dressed outfit uniform costumes mask dress",
    "wetsuit": "surfer surfing suit surf scuba",
    "uniform": "player team police officer game soldier costume jersey",
    "shorts": "trunks swimsuit swimming bathing",
    "shirt": "jersey top sweater t",
    "glasses": "sunglasses goggles",
    "coat": "jacket winter",
    "swimsuit": "bikini bathing suit swimming trunks",
    "bikini": "swimsuit bathing suit",
    "jeans": "pants denim",
    "mask": "costume goalie helmet dressed face",
    "harness": "climbing rope climber",
    "collar": "leash",
    "vest": "jacket suit",
    "goggles": "glasses skier swimming sunglasses mask",
    "cap": "hat helmet",
    "skirt": "dress outfit",
    "sweater": "shirt jacket sweatshirt coat",
}
"""Worn thing → words that may mean it or are worn with it."""
