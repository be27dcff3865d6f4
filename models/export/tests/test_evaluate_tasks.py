"""Figures of answers, matching, retrieval, classes and calibration, on numbers small enough to check by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from evaluate import classify, match, vqa
from evaluate.answers import PrefixAnswers, accuracy, normalise
from evaluate.bootstrap import Estimate, mean_by_photo
from evaluate.calibration import best_temperature, calibrate, calibration_error, reliability, with_temperature
from evaluate.match import Pair, make_pairs, preferred
from evaluate.metric import Metric, markdown
from evaluate.predict import Said
from evaluate.retrieval import chance, ranks, share_of_others_found
from evaluate.vqa import Answered, other_photos
from train.data import CaptionedPhoto
from train.questions import Question


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("Yes.", "yes"),
        ("The two dogs", "2 dogs"),
        ("none", "0"),
        ("1,000", "1000"),
        ("2.5 m.", "2.5 m"),
        ("t-shirt", "t shirt"),
        ("red/white", "red white"),
        ("dont know", "don't know"),
        ("girl's", "girl's"),
        ("its", "its"),
        ("10:30", "10:30"),
        ("garbage_bin", "garbage bin"),
    ],
)
def test_answers_in_the_form_that_is_compared(answer: str, wanted: str) -> None:
    assert normalise(answer) == wanted
    assert normalise(wanted) == wanted


@pytest.mark.parametrize(
    # k of ten people agree: leaving out one of them leaves k − 1 (k times) or k (10 − k times).
    ("agree", "wanted"),
    [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)],
)
def test_accuracy_by_the_official_rule(agree: int, wanted: float) -> None:
    people = ["The dog."] * agree + [f"thing {i}" for i in range(10 - agree)]
    assert accuracy("dog", people) == pytest.approx(wanted)


def test_one_person_is_matched_exactly() -> None:
    assert accuracy("Garbage bin", ["garbage_bin"]) == 1
    assert accuracy("bin", ["garbage_bin"]) == 0


def question(
    text: str, answer: str, image: str = "coco/a.webp", dataset: str = "vqa_v2", kind: str = "other"
) -> Question:
    return Question(image, text, (answer,) * 10, answer, dataset, kind, False)


def test_prefix_answers_back_off_to_what_was_seen_often() -> None:
    learnt = [question("is it red", "yes")] * 3 + [question("is it blue", "no")] * 4
    learnt += [question("what is it", "cat")] * 2
    blind = PrefixAnswers(learnt, at_least=3)
    assert blind.answer("is it red") == "yes"
    assert blind.answer("is it green") == "no"
    assert blind.answer("what is it") == "no"
    assert PrefixAnswers(learnt, at_least=2).answer("what is it") == "cat"
    assert PrefixAnswers([]).answer("is it") == ""


def test_answers_are_held_against_both_blind_ones() -> None:
    def answered(image: str, right: float, blind: float, elsewhere: float, kind: str) -> Answered:
        return Answered(question("q", "a", image, kind=kind), Said("a", -0.1), right, "b", blind, "c", elsewhere)

    found = vqa.metrics(
        [answered("x", 1, 0.5, 0, "number"), answered("y", 1, 1, 1, "number"), answered("y", 0, 0, 0, "yes/no")]
    )
    by_name = {(m.name, m.split): m for m in found}
    number = by_name["answer accuracy", "VQA v2 held out, number"]
    assert (number.value, number.blind, number.beside, number.count) == (1, 0.75, {"another photo": 0.5}, 2)
    assert by_name["answer accuracy above the question prefix's", "VQA v2 held out, number"].value == 0.25
    assert by_name["answer accuracy lost with another photo", "VQA v2 held out, all"].value == pytest.approx(1 / 3)
    assert not any("DAQUAR" in m.split for m in found)


def test_another_photo_is_another_of_the_same_data_set() -> None:
    questions = [question("q", "a", f"coco/{i}.webp") for i in range(5)]
    questions += [question("q", "a", f"daquar/{i}.webp", "daquar") for i in range(2)]
    others = other_photos(questions)
    assert sorted(others) == sorted(others.values())
    assert all(a != b and a.split("/")[0] == b.split("/")[0] for a, b in others.items())


def test_a_photos_values_are_drawn_together() -> None:
    one_each = mean_by_photo(np.arange(200) % 2, [str(i) for i in range(200)])
    four_each = mean_by_photo(np.arange(200) // 4 % 2, [str(i // 4) for i in range(200)])
    assert one_each.value == four_each.value == 0.5
    # 200 throws of a coin against 50.
    assert one_each.high - one_each.low == pytest.approx(0.139, abs=0.015)
    assert four_each.high - four_each.low == pytest.approx(0.277, abs=0.03)


def test_ranks_count_wrong_candidates_ties_included() -> None:
    likeness = torch.tensor([[0.9, 0.5, 0.1], [0.5, 0.5, 0.5], [0.1, 0.3, 0.2]])
    right = torch.tensor([[1, 0, 1], [1, 0, 0], [1, 0, 1]]).bool()
    assert ranks(likeness, right).tolist() == [0, 2, 1]


def test_sentences_find_the_others_of_their_photo() -> None:
    angles = torch.tensor([0.0, 0.1, 2.0, 0.2, 2.1, 2.2])
    owners = torch.tensor([0, 0, 0, 1, 1, 1])
    share, found = share_of_others_found(torch.stack([angles.cos(), angles.sin()], 1), owners, 2)
    # 0.0: 0.1, 0.2 → one of two; 0.1: 0.0, 0.2 → one; 2.0: 2.1, 2.2 → none; 0.2: none; 2.1: 2.2 of two; 2.2: 2.1.
    assert share.tolist() == [0.5, 0.5, 0.0, 0.0, 0.5, 0.5]
    assert found.tolist() == [1, 1, 0, 0, 1, 1]


def test_chance() -> None:
    assert chance(1000, 1, 10) == pytest.approx(0.01)
    assert chance(4, 2, 2) == pytest.approx(1 - 1 / 6)


def photos(count: int) -> list[CaptionedPhoto]:
    texts = [(f"a dog {i}", f"two cats {i}") for i in range(count)]
    return [CaptionedPhoto(f"flickr8k/{i}.webp", "flickr8k", True, captions) for i, captions in enumerate(texts)]


def changed(caption: str, captions: tuple[str, ...], rng: object) -> str | None:
    """Stands in for the rules: photo 0 has nothing that can be changed, cats can't be."""
    return caption.replace("dog", "bus") if "dog" in caption and "0" not in caption else None


def test_pairs_are_balanced_and_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "hard_negative", changed)
    pairs = make_pairs(photos(4))
    assert pairs == make_pairs(photos(4))
    assert [p.kind for p in pairs] == ["right", "hard", "right", "random"] * 3
    for right, hard, second, other in zip(*(pairs[i::4] for i in range(4))):
        number = right.image[9]
        assert (right.text, hard.text, second.text) == (f"a dog {number}", f"a bus {number}", f"two cats {number}")
        assert number not in other.text
    images = [p.image for p in pairs]
    others = match.other_photos(pairs)
    assert set(others) == set(images) and all(a != b for a, b in zip(images, others))


def test_match_counts_sides_and_what_the_sentence_gives_away() -> None:
    pairs = [Pair(f"{i}", "t", kind) for i in range(2) for kind in ("right", "hard", "right", "random")]
    here = np.array([0.9, 0.8, 0.6, 0.1, 0.9, 0.2, 0.4, 0.1])
    elsewhere = np.array([0.1, 0.0, 0.3, 0.0, 0.3, 0.3, 0.0, 0.3])
    found = {m.name: m for m in match.metrics(pairs, here, elsewhere)}
    whole = found["match accuracy"]
    assert (whole.value, whole.beside) == (0.75, {"another photo": 0.5})
    # A threshold below 0.1 on the blind probability takes three of four right sentences and two others.
    assert whole.blind == 0.625
    assert found["match accuracy, right sentences"].blind == 0.75
    assert found["match accuracy, changed sentences"].value == 0.5
    assert found["match accuracy, other photos' sentences"].value == 1
    assert found["match: right above changed sentence"].value == 1
    assert found["match: right above changed sentence"].blind == 0.75
    assert preferred(np.array([1.0, 0.0]), np.array([0.0, 0.0])) == 0.75


def test_classes_that_agree() -> None:
    ours = {"a": [1, 2, 3, 4, 5], "b": [1, 2, 3, 4, 5], "c": [9, 2, 3, 4, 5], "d": [7, 1, 2, 3, 4]}
    found = classify.metrics(ours, {"a": 1, "b": 5, "c": 1, "d": 7}, {"b"})
    by_name = {(m.name, m.split): m for m in found}
    assert by_name["class agreement, top 1", "all photos"].value == 0.5
    assert by_name["class agreement, top 1", "all photos"].blind == 0.5
    assert by_name["original's class among our 5", "all photos"].value == 0.75
    assert by_name["original's class among our 5", "photos held out"].value == 1
    # Four photos have no more than five classes.
    assert by_name["original's class among our 5", "all photos"].blind == 1
    assert by_name["class agreement, top 1", "photos held out"].value == 0


def test_calibration_error_weighs_bins() -> None:
    stated, right = np.array([0.9, 0.9, 0.9, 0.9, 1.0, 0.15]), np.array([1, 1, 0, 0, 1, 0.15])
    bins = reliability(stated, right)
    assert [(b.low, b.count) for b in bins] == [(0.1, 1), (0.9, 5)]
    assert (bins[1].probability, bins[1].right) == (pytest.approx(0.92), pytest.approx(0.6))
    assert calibration_error(stated, right) == pytest.approx(5 / 6 * 0.32)


def test_a_temperature_mends_too_much_confidence() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 1.5, 4000)
    right = (rng.random(4000) < 1 / (1 + np.exp(-odds))).astype(float)
    stated = 1 / (1 + np.exp(-2 * odds))
    assert best_temperature(stated, right) == pytest.approx(2, rel=0.1)
    assert with_temperature(np.array([0.8]), 2)[0] == pytest.approx(1 / (1 + math.exp(-math.log(4) / 2)))
    found = calibrate("x", stated, right, [str(i // 2) for i in range(4000)])
    assert found.error.value > 0.08 and found.error_with_temperature < 0.03
    assert found.error.low < found.error.value < found.error.high < found.error.value + 0.03


def test_the_table_and_its_plain_form() -> None:
    metric = Metric.of("recall@1", "val", Estimate(0.5, 0.4, 0.6123456), 10, 0.001)
    assert metric.plain() == {
        "name": "recall@1", "split": "val", "value": 0.5, "low": 0.4, "high": 0.61235, "count": 10, "blind": 0.001,
    }  # fmt: skip
    assert "| recall@1 | val | 0.500 | 0.400 – 0.612 | 0.001 |  | 10 |" in markdown([metric])
