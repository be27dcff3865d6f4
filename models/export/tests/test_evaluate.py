"""Caption scores on numbers small enough to check by hand."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluate import captions, meteor
from evaluate.bleu import bleu, bleu_statistics
from evaluate.bootstrap import interval, resamples
from evaluate.captions import evaluate, people, read_predictions
from evaluate.cider import CiderD, DocumentFrequency
from evaluate.tokenize import tokenize
from train.data import captioned_photos


# The expected tokens are what Stanford's PTBTokenizer 3.4.1 gives, less the customary punctuation.
@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("", ""),
        (" . ", ""),
        ("A dog, a cat; and -- a bird...", "a dog a cat and a bird"),
        ("Two dogs are running .", "two dogs are running"),
        ("A man's hat doesn't fit, it's the boys' hat.", "a man 's hat does n't fit it 's the boys hat"),
        ("They can't, I'll, we've, he'd, you're", "they ca n't i 'll we 've he 'd you 're"),
        ("We cannot, gonna", "we can not gon na"),
        ("a black-and-white t-shirt, mid-air -", "a black-and-white t-shirt mid-air"),
        ("his/her and / or elephant/", "his/her and / or elephant /"),
        ("the U.S. flag on a t.v. at 5 p.m.", "the u.s. flag on a t.v. at 5 p.m."),
        ("on Main St. and Ocean Ave.", "on main st. and ocean ave."),
        ("no. 5 and no. Yes", "no. 5 and no yes"),
        ("wash the car wash. in Wash.", "wash the car wash in wash."),
        ("It is 12:30pm, 4:38.", "it is 12:30 pm 4:38"),
        ("1,000 of 3.5% for $14.99 and 1/2 # 28 #11", "1,000 of 3.5 % for $ 14.99 and 1/2 # 28 # 11"),
        ("in the 1950's and '90s, 4x4", "in the 1950 's and '90s 4x4"),
        ('a sign "STOP" \'now\' (big)', "a sign stop now -lrb- big -rrb-"),
        ("wow!! really?! ok!", "wow !! really ?! ok"),
        ("AT&T at&t", "at&t at & t"),
        ("o'clock d'Arnaud po'boy rock 'n' roll", "o'clock d'arnaud po boy rock 'n' roll"),
        ("red,white,and blue it;s", "red white and blue it s"),
        ("“it’s” – a café…", "it 's a café"),
        ("The letter A. The end", "the letter a the end"),
        ("The letter A. is", "the letter a. is"),
    ],
)
def test_tokens(sentence: str, expected: str) -> None:
    assert tokenize(sentence) == expected.split()


def test_cider_d_of_a_perfect_caption_without_4_grams() -> None:
    # Two photos, one reference each, nothing shared: every weight is log 2, cosines of 1- to 3-grams are 1,
    # there are no 4-grams: 10 × 3/4.
    references = [[["a", "red", "dog"]], [["some", "blue", "cats"]]]
    assert CiderD(references).scores([["a", "red", "dog"], []]) == pytest.approx([7.5, 0.0])


def test_cider_d_by_hand() -> None:
    # "a" is in both photos: weight 0. Candidate "a dog dog" against "a dog": 1-grams 2 log 2 clipped to log 2,
    # (log 2)² / (2 log 2 × log 2) = 1/2; of its bigrams "a dog" matches, 1 / (√2 × 1); lengths differ by 1.
    references = [[["a", "dog"]], [["a", "cat"]]]
    expected = 10 * (1 / 2 + 1 / math.sqrt(2)) / 4 * math.exp(-1 / 72)
    assert CiderD(references).score(0, ["a", "dog", "dog"]) == pytest.approx(expected)


def test_cider_d_averages_over_references() -> None:
    references = [[["x", "y"], ["p", "q"]], [["z"]]]
    assert CiderD(references).score(0, ["x", "y"]) == pytest.approx(10 * 2 / 4 / 2)


def test_cider_d_of_an_empty_sentence() -> None:
    assert CiderD([[["a"]], [["b"]]]).score(0, []) == 0.0


def test_cider_d_with_a_fixed_document_frequency() -> None:
    frequency = DocumentFrequency.of([[[1, 2], [1, 3]], [[1, 4]], [[5]], [[6]]])
    assert frequency.photos == 4
    assert frequency.counts[(1,)] == 2
    # Weights: token 1 log 4/2, token 2 and the bigram log 4. Candidate [1]: cosine 1 / √(1 + 2²) on 1-grams.
    assert CiderD([[[1, 2]]], frequency).score(0, [1]) == pytest.approx(
        10 / 4 / math.sqrt(5) * math.exp(-1 / 72)
    )
    # Over one photo alone every weight is log 1 = 0.
    assert CiderD([[[1, 2]]]).score(0, [1, 2]) == 0.0


def test_bleu_by_hand() -> None:
    # 3 of 4 words, 2 of 3 pairs, 1 of 2 triples, 0 of 1; closest reference has 5 words: penalty exp(1 − 5/4).
    rows = bleu_statistics([["a", "b", "c", "x"]], [[["a", "b", "c", "d", "e"], ["q"] * 9]])
    assert rows.tolist() == [[4, 5, 4, 3, 2, 1, 3, 2, 1, 0]]
    penalty = math.exp(1 - 5 / 4)
    assert bleu(rows.sum(0))[:3] == pytest.approx(
        [penalty * 3 / 4, penalty * math.sqrt(1 / 2), penalty * (1 / 4) ** (1 / 3)], abs=1e-7
    )


def test_bleu_clips_and_prefers_the_shorter_of_two_close_references() -> None:
    rows = bleu_statistics([["a", "a", "a"]], [[["a", "a"], ["a", "b", "b", "b"]]])
    assert rows[0, 1] == 2
    assert rows[0, 6] == 2


def test_bleu_of_nothing_is_nothing() -> None:
    assert bleu(bleu_statistics([[]], [[["a", "b"]]]).sum(0)) == pytest.approx([0, 0, 0, 0])


def test_bootstrap_is_seeded_and_covers() -> None:
    draws = resamples(400, samples=500)
    assert np.array_equal(draws, resamples(400, samples=500))
    assert not np.array_equal(draws, resamples(400, samples=500, seed=1))
    assert (draws.sum(1) == 400).all()
    values = np.arange(400) % 2
    low, high = interval(draws @ values / 400)
    # A mean of 400 coin throws: 0.5 ± 1.96 × 0.025.
    assert low == pytest.approx(0.451, abs=0.01)
    assert high == pytest.approx(0.549, abs=0.01)


def test_people_leave_one_out() -> None:
    # Each of two references against the other: the same sentence, so as a perfect caption of two words.
    cider, _ = people([[["a", "b"], ["a", "b"]], [["c", "d"], ["c", "d"]]])
    assert cider == pytest.approx(5.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {"image": "flickr8k/a.webp", "split": "val", "captions": ["A dog runs .", "a dog runs"]},
        {"image": "flickr8k/b.webp", "split": "val", "captions": ["Two cats sleep.", "cats sleep"]},
        {"image": "flickr8k/c.webp", "split": "val", "captions": ["A red bus", "a bus"]},
        {"image": "flickr8k/t.webp", "split": "train", "captions": ["A dog runs", "A man sits .", "a man sits"]},
    ]
    (tmp_path / "captions.jsonl").write_text("\n".join(json.dumps({"dataset": "flickr8k", **r}) for r in rows))
    return tmp_path


def predictions(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "predictions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def test_report(data: Path) -> None:
    photos = captioned_photos(data)
    path = predictions(
        data,
        {"media": "flickr8k/a.webp", "text": "A dog runs."},
        {"media": "b.webp", "error": {"code": "X", "message": "y"}},
    )
    report = evaluate(read_predictions(path, photos), photos)
    assert (report.photos, report.errors, report.photos_trained_on) == (2, 1, 0)
    assert report.held_out_without_prediction == 1
    assert report.cider_d.value == pytest.approx(7.5 / 2)
    assert (report.cider_d.low, report.cider_d.high) == pytest.approx((0.0, 7.5))
    assert report.distinct_share == 1.0
    assert report.most_frequent_share == 0.5
    assert report.mean_length == 1.5
    assert report.common_caption == "a man sits"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"media": "none.webp", "text": ""}], "0 photos"),
        ([{"media": "a.webp", "text": ""}, {"media": "flickr8k/a.webp", "text": ""}], "already"),
        ([], "no predictions"),
    ],
)
def test_bad_predictions(data: Path, rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_predictions(predictions(data, *rows), captioned_photos(data))


def test_command(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = predictions(
        data, {"media": "a.webp", "text": "a dog runs"}, {"media": "c.webp", "text": "a bus"}
    )
    out = data / "out.json"
    monkeypatch.setattr(
        sys, "argv", ["captions", "--data", str(data), "--predictions", str(path), "--json", str(out)]
    )
    captions.main()
    assert "CIDEr-D" in capsys.readouterr().out
    assert json.loads(out.read_text())["bleu"][0]["value"] == pytest.approx(1.0)


@pytest.mark.skipif(bool(meteor.missing()), reason=f"METEOR: {meteor.missing()}")
def test_meteor_is_one_for_the_same_words_and_less_for_others() -> None:
    references = [["a dog runs on grass".split(), "the dog is running".split()]] * 3
    said = ["a dog runs on grass".split(), "a dog running on grass".split(), "two people eat cake".split()]
    same = meteor.meteor(said[:1], references[:1])
    whole = meteor.meteor(said, references)
    assert same.value == pytest.approx(1, abs=0.01) and 0.3 < whole.value < 0.8
    assert whole.low < whole.value < whole.high
