"""Whom captions take for whom, on sentences small enough to count."""

from __future__ import annotations

from evaluate.biases import markdown, said_too_often, taken_for
from evaluate.captions import Prediction
from train.data import CaptionedPhoto


def prediction(text: str, *captions: str) -> Prediction:
    return Prediction(CaptionedPhoto("x", "flickr8k", True, captions), text, False)


def test_only_photos_of_one_sex_count() -> None:
    women = ["a woman runs", "she runs", "a lady", "someone runs"]
    found = taken_for(
        [
            prediction("a man runs", *women),
            prediction("a woman", *women),
            prediction("a man", *women, "a man and a woman"),
            prediction("two people", "a man", "the boy", "his dog", "a dog"),
            prediction("a man", "a man", "two people", "a dog"),
        ]
    )
    assert found["female"] == {"male": 1, "female": 1}
    assert found["male"] == {"neither": 1}


def test_words_are_expected_as_often_as_people_write_them() -> None:
    said = [prediction("a red dog", "a dog", "a cat") for _ in range(10)]
    assert [(word, count, round(want, 6)) for word, count, want in said_too_often(said)] == [
        ("red", 10, 0), ("dog", 10, 5), ("a", 10, 10)
    ]
    assert "| dog | 10 | 5 |" in markdown(said)
