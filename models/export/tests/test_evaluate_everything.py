"""All of evaluation over a tiny random model and a data folder of a few plain photos."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_model import VOCABULARY, tiny

from evaluate import everything, meteor, predicted
from evaluate.captions import evaluate, read_predictions
from evaluate.predict import Search, say_answers, say_captions
from evaluate.source import TorchSource
from evaluate.subject import Subject
from train.checkpoint import save_model
from train.data import PhotoTars, captioned_photos, is_held_out
from train.objectives import encode

CAPTIONS = ["a man in a red shirt runs", "a man runs", "a red shirt", "the man and a dog", "a dog runs in the park"]


def names(dataset: str, count: int, held_out: bool) -> list[str]:
    """The first names of that kind by the fixed rule."""
    every = (f"{dataset}/{i}.webp" for i in range(1000))
    return [name for name in every if is_held_out(name) == held_out][:count]


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    captioned = [(f"flickr8k/{i}.webp", "val" if i < 4 else "train") for i in range(6)]
    captioned += [(name, "val") for name in names("coco", 3, True)]
    rows = [
        {"image": image, "dataset": image.split("/")[0], "split": split, "captions": [f"{c} {i}" for c in CAPTIONS]}
        for i, (image, split) in enumerate(captioned)
    ]
    (folder / "captions.jsonl").write_text(lines(rows))
    asked = []
    for dataset, source, people in (("coco", "vqa_v2", 10), ("daquar", "daquar", 1)):
        for image in names(dataset, 3, True) + names(dataset, 4, False):
            row = {"image": image, "dataset": source, "question": "Is it a dog?", "answer": "yes"}
            asked.append({**row, "answers": ["yes"] * people, "answer_type": "yes/no"})
    (folder / "vqa.jsonl").write_text(lines(asked))
    images = {image for image, _ in captioned} | {str(row["image"]) for row in asked}
    for dataset in everything.PHOTO_SETS:
        with tarfile.open(folder / f"{dataset}.tar", "w") as tar:
            for i, image in enumerate(sorted(images)):
                if image.startswith(dataset):
                    stored = io.BytesIO()
                    Image.new("RGB", (40, 30), (i * 9 % 256, i * 31 % 256, 90)).save(stored, "WEBP")
                    info = tarfile.TarInfo(image)
                    info.size = len(stored.getvalue())
                    tar.addfile(info, io.BytesIO(stored.getvalue()))
    return folder


def run(monkeypatch: pytest.MonkeyPatch, data: Path, heads: bool, *more: str) -> dict:
    out = data.parent / "out"
    save_model(data.parent / "checkpoint", tiny(heads=heads, shared=True), VOCABULARY)
    given = ["--data", str(data), "--checkpoint", str(data.parent / "checkpoint"), "--out", str(out), *more]
    monkeypatch.setattr(sys, "argv", ["everything", *given])
    everything.main()
    return json.loads((out / "report.json").read_text())


def test_every_task_leaves_figures_and_predictions(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    report = run(monkeypatch, data, True, "--dequantised")
    assert report["about"] == {"weights": "int8", "arithmetic": "float32", "search": "beam 3"}
    assert report["skipped"] == {}
    splits = {(m["name"], m["split"]): m for m in report["metrics"]}
    assert {"CIDEr-D", "BLEU-4", "answer accuracy", "match accuracy", "recall@10 text→image"} < {n for n, _ in splits}
    assert splits["CIDEr-D", "Flickr8k val"]["count"] == 4 and splits["CIDEr-D", "COCO held out"]["count"] == 3
    # All questions are alike and so are their answers: the blind rule knows them.
    assert splits["answer accuracy", "VQA v2 held out, yes/no"]["blind"] == 1
    assert splits["answer accuracy", "DAQUAR held out"]["count"] == 3
    assert splits["class agreement, top 1", "all photos"]["count"] == 6 + 3 + 4 + 7
    assert {c["split"].split(",")[0] for c in report["calibration"]} == {"answers", "match"}
    out = data.parent / "out"
    for name, count in (("captions-flickr8k", 4), ("captions-coco", 3), ("answers", 6), ("match", 16), ("classes", 20)):
        assert len((out / f"{name}.jsonl").read_text().splitlines()) == count
    photos = captioned_photos(data)
    again = evaluate(read_predictions(out / "captions-flickr8k.jsonl", photos), photos)
    assert again.cider_d.value == pytest.approx(splits["CIDEr-D", "Flickr8k val"]["value"], abs=1e-5)
    assert "| CIDEr-D | Flickr8k val |" in (out / "report.md").read_text()


def test_a_checkpoint_without_heads_says_what_it_skips(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setattr(meteor.shutil, "which", lambda name: None)
    report = run(monkeypatch, data, False, "--limit", "2", "--meteor", "--beam", "1", "--reference")
    assert set(report["skipped"]) == {"match", "retrieval", "classes", "METEOR"}
    assert report["skipped"]["METEOR"] == "Java was not found"
    assert {m["count"] for m in report["metrics"] if m["name"] == "CIDEr-D"} == {2}
    assert report["about"]["search"] == "beam 1, reference"


def test_in_a_batch_as_alone(data: Path) -> None:
    model = tiny(shared=True)
    tars, images = PhotoTars(data, everything.PHOTO_SETS), [f"flickr8k/{i}.webp" for i in range(4)]
    subject = Subject(model, VOCABULARY)
    subject.look(tars, images[:3])
    subject.look(tars, images)
    texts = ["Is it a dog?", "dog", "a man, a dog - the park", "man"]
    said = say_answers(subject, images, texts, Search(2))
    captions = say_captions(subject, images, Search(2))
    for image, text, answer, caption in zip(images, texts, said, captions):
        alone = Subject(model, VOCABULARY)
        alone.look(tars, [image])
        assert torch.allclose(alone.memory([image]), subject.memory([image]), atol=1e-5)
        again = say_answers(alone, [image], [text], Search(2))[0]
        assert again.text == answer.text and again.log_p == pytest.approx(answer.log_p, abs=1e-4)
        assert say_captions(alone, [image], Search(2))[0].text == caption.text
    ids = subject.ids(["A man, a dog.", "man"])
    assert ids.tolist() == [[2, 5, 6, 5, 7], [2, 6, 0, 0, 0]]
    assert torch.equal(encode(model, ids)[1], ids != 0)


def test_the_browsers_results_get_the_same_figures(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    model, asked = tiny(heads=True, shared=True), data.parent / "asked"
    tars = PhotoTars(data, everything.PHOTO_SETS)
    torch_source = TorchSource(Subject(model, VOCABULARY), tars, Search(3), {})
    monkeypatch.setattr(sys, "argv", ["predicted", "--data", str(data), "--out", str(asked)])
    predicted.main()
    assert (asked / "every/coco").is_dir() and len(list((asked / "held-out/flickr8k").iterdir())) == 4

    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (asked / name).read_text().splitlines()]

    def write(run: str, found: list[dict[str, object]]) -> None:
        predicted.results(asked, run).write_text(lines(found))

    labels = [f"class {i}" for i in range(model.config.heads.classes)]
    (asked / predicted.LABELS).write_text(json.dumps(labels))
    held = [f"{p.parent.name}/{p.name}" for p in sorted((asked / "held-out").glob("*/*"))]
    every = [f"{p.parent.name}/{p.name}" for p in sorted((asked / "every").glob("*/*"))]
    said = zip(held, torch_source.captions(held))
    write("captions", [{"media": image, "text": s.text, "logprob": s.log_p} for image, s in said])
    questions, sentences = rows("questions.jsonl"), rows("sentences.jsonl")
    answers = torch_source.answers([q["media"] for q in questions], [q["question"] for q in questions])
    write("answers", [{**q, "text": s.text, "logprob": s.log_p} for q, s in zip(questions, answers)])
    fits = torch_source.fits([r["media"] for r in sentences], [r["text"] for r in sentences])
    write("match", [{**r, "probability": float(p)} for r, p in zip(sentences, fits)])
    flickr, texts = [i for i in held if i.startswith("flickr8k")], [r["text"] for r in rows("captions.jsonl")]
    visual, text = torch_source.photo_embeddings(flickr), torch_source.text_embeddings(texts)
    places = [{"media": i.split("/")[1], "vector": v.tolist()} for i, v in zip(flickr, visual)]
    write("embeddings", [*places, *({"text": t, "vector": v.tolist()} for t, v in zip(texts, text))])
    best = torch_source.classes(every)
    write("classes", [{"media": i, "labels": [{"label": labels[c]} for c in best[i]]} for i in every])

    inside = run(monkeypatch, data, True)["metrics"]
    given = ["--data", data, "--predicted", asked, "--model", asked, "--out", data.parent / "browser"]
    monkeypatch.setattr(sys, "argv", ["everything", *map(str, given)])
    everything.main()
    report = json.loads((data.parent / "browser/report.json").read_text())
    assert report["about"]["weights"] == "as shipped" and len(report["metrics"]) == len(inside)
    for ours, theirs in zip(report["metrics"], inside):
        assert ours["name"] == theirs["name"] and ours["value"] == pytest.approx(theirs["value"], abs=1e-4)

    write("captions", [{"media": held[0], "error": {"code": "DECODE_FAILED", "message": "no picture"}}])
    with pytest.raises(ValueError, match="no picture"):
        predicted.PredictedSource(asked, asked).captions(held)
