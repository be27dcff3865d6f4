"""Questions, hard negatives, clips, augmentation and groups of sentences, made from invented captions."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.answers import Question, draw_answer, fold_answer
from train.augment import augment, may_mirror
from train.clips import clip_questions, make_clip
from train.data import CaptionedPhoto, is_held_out
from train.free_texts import free_text_groups, group_sentences
from train.made import made_questions
from train.nearness import absent
from train.negatives import hard_negative
from train.phrases import read
from train.questions import held_out_questions, training_questions
from train.scene import Scene, main_subject

DOGS = (
    "A black and white dog catches a red frisbee in the grass .",
    "Two dogs play with a frisbee in a grassy yard .",
    "Two dogs are running on the grass with a red frisbee .",
    "Two dogs run across the lawn .",
    "The two dogs are playing on the grass .",
)
RIDER = (
    "A man in a blue shirt is riding a horse on the beach .",
    "A man wearing a blue shirt and a hat rides a brown horse .",
    "The man is riding a horse along the beach .",
    "A man rides a brown horse at the beach",
    "Man on a horse near the ocean .",
)
KITCHEN = (
    "A woman is cutting a pizza in a kitchen.",
    "A woman wearing a green apron stands in a kitchen.",
    "The woman in the kitchen is holding a knife.",
    "A woman standing at a counter with a pizza on it.",
    "A lady in a kitchen cutting a large pizza.",
)
TENNIS = (
    "A girl in a white skirt is playing tennis .",
    "A young girl plays tennis on a court .",
    "The girl is swinging a tennis racket at a yellow ball .",
    "A girl hits a tennis ball .",
    "A girl with a racket on a tennis court .",
)


def photo(name: str, captions: tuple[str, ...], held_out: bool = False) -> CaptionedPhoto:
    return CaptionedPhoto(f"flickr8k/{name}.webp", "flickr8k", held_out, captions)


PHOTOS = [photo(f"{kind}{i}", c) for kind, c in zip("drkt", (DOGS, RIDER, KITCHEN, TENNIS)) for i in range(5)]


def answers(questions: list[Question], letter: str, start: str) -> set[str]:
    return {q.answer for q in questions if q.image.startswith(f"flickr8k/{letter}") and q.question.startswith(start)}


def test_captions_are_read() -> None:
    reading = read("Two young boys in red shirts are playing soccer on the beach .")
    boys, shirts, soccer, beach = reading.nouns
    assert (boys.lemma, boys.number, boys.plural) == ("boy", 2, True)
    assert (shirts.lemma, shirts.colours) == ("shirt", ("red",))
    action = reading.actions[0]
    assert (action.subject, action.verb, action.object, action.after) == (boys, "playing", soccer, (("on", beach),))
    assert (boys, "wearing", shirts) in reading.relations
    owned = read("A red , white and blue ball hits the man 's hat").nouns
    assert owned[0].colours == ("red", "white", "blue") and owned[2].owner == "man"
    assert not [n for n in read("A dog runs").nouns if n.lemma != "dog"]


def test_rules_make_true_questions() -> None:
    questions = made_questions(PHOTOS)
    assert answers(questions, "d", "how many dogs") == {"2"}
    assert answers(questions, "d", "what color is the frisbee") == {"red"}
    assert answers(questions, "r", "what color is the mans shirt") == {"blue"}
    assert answers(questions, "r", "what is the man doing") == {"riding horse"}
    assert answers(questions, "r", "what is the man riding") == {"horse"}
    assert answers(questions, "r", "where is the man") == {"beach"}
    assert answers(questions, "k", "what room") | answers(questions, "k", "which room") == {"kitchen"}
    assert answers(questions, "k", "what is the woman holding") == {"knife"}
    assert answers(questions, "t", "what sport") == {"tennis"}
    assert all(q.made and q.question and q.answer in q.answers for q in questions)
    assert questions == made_questions(PHOTOS)


def test_disagreement_makes_no_question() -> None:
    unsure = (
        "A black dog is next to three cats .",
        "A brown dog looks at two cats .",
        "The dog and some cats are in a room .",
        "Several cats with a dog .",
        "A dog .",
    )
    questions = made_questions([photo("u0", unsure)])
    assert not [q for q in questions if q.kind == "color" or q.question.startswith("how many cats")]


def test_yes_and_no_are_balanced_and_true() -> None:
    questions = [q for q in made_questions(PHOTOS) if q.answer_type == "yes/no"]
    assert len(questions) > 20
    by_text: dict[str, Counter[str]] = {}
    for q in questions:
        by_text.setdefault(q.question, Counter())[q.answer] += 1
    assert all(counts["yes"] == counts["no"] for counts in by_text.values())
    captions = {p.image: " ".join(p.captions).lower() for p in PHOTOS}
    for q in questions:
        if q.kind == "exists" and "dog" in q.question:
            assert ("dog" in captions[q.image]) == (q.answer == "yes")
        if q.kind == "exists" and q.question.startswith("is there a man"):
            assert (" man " in captions[q.image]) == (q.answer == "yes")
        # A word for all people is never denied where anybody is.
        if "person" in q.question or "people" in q.question:
            assert q.answer == "yes" or q.image.startswith("flickr8k/d")


def test_a_hypernym_is_never_denied() -> None:
    scene = Scene.of("x", "flickr8k", ("A puppy and a guy on a bicycle .",) * 5)
    assert not any(absent(scene, noun) for noun in ("person", "man", "dog", "bike"))
    assert all(absent(scene, noun) for noun in ("elephant", "woman", "boat"))
    crowd = Scene.of("y", "flickr8k", ("A crowd watches a woman .",) * 5)
    assert not any(absent(crowd, noun) for noun in ("man", "child", "person"))


def write_data(folder: Path, photos: list[CaptionedPhoto]) -> None:
    rows = [
        {"image": p.image, "dataset": p.dataset, "split": "val" if p.held_out else "train", "captions": p.captions}
        for p in photos
    ]
    (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    vqa = [
        {
            "image": f"coco/{i}.webp",
            "dataset": "vqa_v2",
            "question": f"What's on table {i}?",
            "answer": "hot dog",
            "answers": ["hot dog"] * 6 + ["The sausage"] * 3 + ["food"],
            "answer_type": "other",
        }
        for i in range(40)
    ]
    vqa += [
        {
            "image": f"daquar/image{i}.webp",
            "dataset": "daquar",
            "question": "what is near the bed",
            "answer": "garbage_bin, night_stand",
            "answers": ["garbage_bin, night_stand"],
            "answer_type": "other",
        }
        for i in range(40)
    ]
    (folder / "vqa.jsonl").write_text("\n".join(map(json.dumps, vqa)) + "\n")


def test_nothing_held_out_is_asked_in_training(tmp_path: Path) -> None:
    photos = [*PHOTOS, *(photo(f"held{i}", RIDER, held_out=True) for i in range(5))]
    write_data(tmp_path, photos)
    training, held = training_questions(tmp_path, photos), held_out_questions(tmp_path)
    learnt = {p.image for p in photos if not p.held_out}
    assert all(q.image in learnt if q.made else not is_held_out(q.image) for q in training)
    assert {q.image for q in training} & learnt
    assert held and all(is_held_out(q.image) and not q.made for q in held)
    assert not {q.image for q in training} & ({q.image for q in held} | {p.image for p in photos if p.held_out})
    assert len(held) + sum(not q.made for q in training) == 80
    # What is made of the others does not depend on the held-out photos.
    assert made_questions(photos) == made_questions(PHOTOS)


def test_answers_are_folded_and_drawn() -> None:
    assert fold_answer("garbage_bin") == "garbage bin"
    assert fold_answer("box, bag, night_stand") == "box bag night stand"
    assert fold_answer("The Red-blue one.") == "red blue 1"
    assert fold_answer("Two") == "2" and fold_answer("2.5") == "2.5" and fold_answer("8:00") == "8:00"
    question = Question("x", "what", ("dog",) * 6 + ("hot dog",) * 3 + ("food",), "dog", "vqa_v2", "other", False)
    rng = random.Random(0)
    drawn = Counter(draw_answer(question, rng) for _ in range(900))
    assert set(drawn) == {"dog", "hot dog"} and 520 < drawn["dog"] < 680
    apart = Question("x", "what", ("a b", "c"), "a b", "vqa_v2", "other", False)
    assert {draw_answer(apart, rng) for _ in range(50)} == {"a b", "c"}


@pytest.mark.parametrize("captions", [DOGS, RIDER, KITCHEN, TENNIS])
def test_a_hard_negative_changes_one_thing_to_what_nobody_says(captions: tuple[str, ...]) -> None:
    said = set(" ".join(captions).lower().split())
    found = 0
    for seed in range(40):
        for caption in captions:
            changed = hard_negative(caption, captions, random.Random(seed))
            assert changed == hard_negative(caption, captions, random.Random(seed))
            if changed is None:
                continue
            found += 1
            before = [word for word in caption.lower().split() if word != "."]
            after = changed.split()
            assert before != after and len(before) == len(after)
            new = [b for a, b in zip([x.strip(".") for x in before], after) if a != b]
            # Pronouns and articles follow; two things may also have changed places.
            assert set(new) - {"a", "an", "his", "her"} - said or len(new) == 2
    assert found > 100


def test_a_hard_negative_is_not_true_after_all() -> None:
    captions = ("A man and a woman run on the beach", "Two people run by the sea", "A boy, a girl and a baby run")
    near = {"man", "woman", "boy", "girl", "child", "baby", "ocean", "sand", "shore", "water", "lake"}
    for seed in range(200):
        changed = hard_negative(captions[0], captions, random.Random(seed))
        # Nobody may be turned into somebody who is there, nor the beach into the sea beside it.
        assert changed is None or not near & (set(changed.split()) - set(captions[0].lower().split()))
    assert hard_negative("Photograph.", ("Photograph.",), random.Random(0)) is None
    assert hard_negative("Two dogs", ("Two dogs", "A group of dogs"), random.Random(0)) not in (
        "three dogs",
        "four dogs",
    )


def picture(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red grows from left to right, green from top to bottom."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], -1).astype(np.uint8))


def test_clips_move_as_they_say() -> None:
    for kind, channel, sign in (("right", 0, 1), ("left", 0, -1), ("down", 1, 1), ("up", 1, -1)):
        clip = make_clip([picture()], kind, 8, 32, random.Random(3))
        assert clip.frames.shape == (8, 32, 32, 3) and clip.frames.dtype == np.uint8
        means = clip.frames[..., channel].mean((1, 2))
        assert (np.diff(means) * sign > 0).all()
        assert ("does the camera move", kind) in [
            (q[:20], a) for q, a in clip_questions(clip, ["dog"], random.Random(0)) if " or " in q
        ]
    spread = make_clip([picture()], "in", 8, 32, random.Random(3)).frames[..., 0].std((1, 2))
    assert (np.diff(spread) < 0).all()
    still = make_clip([picture()], "still", 8, 32, random.Random(3)).frames.astype(int)
    assert np.abs(np.diff(still.mean((1, 2)), axis=0)).max() < 10


def test_a_cut_shows_both_in_order() -> None:
    black, white = Image.new("RGB", (50, 50)), Image.new("RGB", (50, 50), "white")
    for seed in range(10):
        clip = make_clip([black, white], "cut", 8, 16, random.Random(seed))
        assert [int(frame.mean() > 100) for frame in clip.frames] == list(clip.shown)
        assert list(clip.shown) == sorted(clip.shown) and 2 <= sum(clip.shown) <= 6
        said = dict(clip_questions(clip, ["dog", "man"], random.Random(seed)))
        for question, answer in said.items():
            if "first" in question:
                assert answer == "dog"
            if "last" in question or "end" in question:
                assert answer == "man"
    with pytest.raises(ValueError, match="1 pictures"):
        make_clip([black], "cut", 8, 16, random.Random(0))
    assert main_subject(RIDER) == "man" and main_subject(("A dog", "A cat", "Two birds")) is None


def test_augmentation_keeps_shape_and_follows_its_chances() -> None:
    source = picture((250, 250))
    for seed in range(30):
        pixels = augment(source, 64, random.Random(seed), mirror_allowed=False)
        assert pixels.shape == (64, 64, 3) and pixels.dtype == np.uint8
        assert (pixels == augment(source, 64, random.Random(seed), mirror_allowed=False)).all()
        assert pixels[:, :8, 0].mean() < pixels[:, -8:, 0].mean()
    sides = [augment(source, 64, random.Random(s))[:, :8, 0].mean() > 128 for s in range(60)]
    assert 15 < sum(sides) < 45
    assert may_mirror(RIDER) and not may_mirror((*RIDER, "The man on the left."))


def test_sentences_fall_into_their_photos() -> None:
    rng = random.Random(0)
    words = [[f"word{i}x{k}" for k in range(8)] for i in range(120)]
    groups = [
        [" ".join(["a", *rng.sample(own, 4), "on", "the"]) for _ in range(5 if rng.random() < 0.9 else 6)]
        for own in words
    ]
    found = group_sentences([sentence for group in groups for sentence in group])
    assert sum(group in groups for group in found) >= 110


def test_free_texts_leave_held_out_sentences_out(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "coco_val2014_captions.txt.gz", "wt") as file:
        file.write("\n".join([*KITCHEN, *TENNIS, *RIDER]) + "\n")
    groups = free_text_groups(tmp_path, {"a  WOMAN is cutting a pizza in a kitchen."})
    sentences = [s for group in groups for s in group]
    assert len(sentences) == 14 and KITCHEN[0] not in sentences
