"""Writes `odd/`: a model of odd sizes throughout, and what this project's own PyTorch definition makes of made inputs.

    cd models/export; PYTHONPATH=. python ../../packages/testing/goldens/make_odd.py

In the form of `mplug2-equal/`. Widths and lengths are no multiples of 4 and differ from each other: one that is
fixed by mistake, in a graph or in the runtime, shows.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from export.manifest import write_model
from export.stored_forms import Forms
from mplug2.config import DecoderConfig, FusionConfig, Mplug2Config, TextConfig, TokenIds, VisionConfig
from mplug2.model import Mplug2
from train.generate import CachedDecoder, beam_search
from train.text import load_tokenizer

OUT = Path(__file__).parent / "odd"
WORDS = "a man dog park ball is the what on in red one two yes no where how many runs plays sits green ##s ##y".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *(f"w{i}" for i in range(24))]
IDS = TokenIds(pad=0, unknown=1, start=2, end=3, mask=4)
PATCH = 11
CONFIG = Mplug2Config(
    image_size=3 * PATCH,
    patch_size=PATCH,
    vision=VisionConfig(width=66, layers=3, heads=3, mlp_width=77, stem_channels=3 * PATCH * PATCH),
    bridge=True,
    text=TextConfig(width=45, layers=5, universal_layers=3, heads=5, ffn_width=51, vocab=len(VOCABULARY), positions=37),
    latents=7,
    fusion=FusionConfig(layers=1, layers_in_file=3),
    decoder=DecoderConfig(layers=3),
    ids=IDS,
)
# By name: samples and frames.
VISUALS = {"image": (2, 1), "video3": (2, 3)}
TEXTS = {
    "questions": ["what is the dog on", "how many reds"],
    "captions": ["a man plays in the green park[SEP]", "two dogs[SEP]"],
    "answers": ["on the ball[SEP]", "two[SEP]"],
    "candidates": ["yes", "no", "two", "the red ball", "the park", "a man runs", "green"],
}
# Beam, shortest, longest, prompt.
SEARCHES = {
    "caption": [(1, 4, 20, [2]), (5, 4, 20, [2]), (3, 0, 9, [2, 5, 8])],
    "answer": [(1, 1, 10, [2]), (5, 1, 10, [2])],
}
SHORTLISTS = (3, 7)


def random_model() -> Mplug2:
    """Every parameter away from zero; texts that vary by position, and captions that end by themselves."""
    torch.manual_seed(5)
    model = Mplug2(CONFIG).eval()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    embeddings = model.text_decoder["bert"]["embeddings"]
    embeddings.word_embeddings.weight.data *= 0.35
    embeddings.position_embeddings.weight.data += 0.4 * torch.randn_like(embeddings.position_embeddings.weight)
    model.text_decoder["cls"]["predictions"].bias.data[IDS.end] += 1.5
    return model


def encoded(texts: list[str], ends: bool = False) -> list[list[int]]:
    """Ids with the start token, and with the end token where asked or where the text says so."""
    tokenizer = load_tokenizer(VOCABULARY)
    rows = [[IDS.start, *tokenizer.encode(text, add_special_tokens=False).ids] for text in texts]
    return [[*row, IDS.end] for row in rows] if ends else rows


def padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask."""
    most = max(map(len, rows))
    ids = torch.tensor([[*row, *[IDS.pad] * (most - len(row))] for row in rows])
    return ids, torch.tensor([[int(i < len(row)) for i in range(most)] for row in rows])


def teacher_forced(model: Mplug2, memories: list[torch.Tensor], rows: list[list[int]]) -> torch.Tensor:
    """Logits of each row over its own memory, zero behind its end."""
    logits = torch.zeros(len(rows), max(map(len, rows)), CONFIG.text.vocab)
    for i, (memory, row) in enumerate(zip(memories, rows)):
        logits[i, : len(row)] = model.logits(model.decoder_hidden(torch.tensor([row]), memory))[0]
    return logits


def search(model: Mplug2, memory: torch.Tensor, beam: int, shortest: int, longest: int, prompt: list[int]) -> dict:
    """The reference's hypotheses, and how many steps the search took."""
    steps = 0
    step = CachedDecoder.step

    def counted(decoder: CachedDecoder, ids: torch.Tensor) -> torch.Tensor:
        nonlocal steps
        steps += 1
        return step(decoder, ids)

    how = {"min_length": shortest, "max_length": longest, "prompt": prompt, "reference": True}
    CachedDecoder.step = counted
    try:
        [found] = beam_search(model, memory, beam, **how)
    finally:
        CachedDecoder.step = step
    # Rounding elsewhere must not change the outcome.
    for factor in (1 - 3e-5, 1 + 3e-5):
        [other] = beam_search(model, memory * factor, beam, **how)
        assert [h.ids for h in other] == [h.ids for h in found], "a tie: take another seed"
    hypotheses = [{"ids": [*prompt, *h.ids], "score": h.score} for h in found]
    return {
        "beam": beam, "min_length": shortest, "max_length": longest, "prefix": prompt, "hypotheses": hypotheses,
        "steps": steps,
    }  # fmt: skip


def ranked(model: Mplug2, memory: torch.Tensor, k: int) -> dict:
    """The reference's ranking: the log p of the first token counts twice."""
    firsts, sums = [], []
    for row in encoded(TEXTS["candidates"], ends=True):
        logp = model.logits(model.decoder_hidden(torch.tensor([row[:-1]]), memory))[0].log_softmax(-1)
        each = logp[range(len(row) - 1), row[1:]]
        firsts.append(float(each[0]))
        sums.append(float(each.sum()))
    listed = sorted(range(len(firsts)), key=lambda i: -firsts[i])[:k]
    order = sorted(listed, key=lambda i: -(firsts[i] + sums[i]))
    scores = torch.tensor([firsts[i] + sums[i] for i in order], dtype=torch.float64)
    logs = {"first_log_p": firsts, "sum_log_p": sums}
    return {"k": k, "order": order, "probabilities": scores.softmax(0).tolist(), **logs}


@torch.inference_mode()
def made(model: Mplug2) -> tuple[dict[str, torch.Tensor], dict]:
    """What `io.safetensors` and `io.json` hold."""
    rows = {name: encoded(TEXTS[f"{name}s"]) for name in ("question", "caption", "answer")}
    rows["candidates"] = encoded(TEXTS["candidates"], ends=True)
    tensors: dict[str, torch.Tensor] = {}
    for name, each in rows.items():
        tensors[f"{name}.ids"], tensors[f"{name}.mask"] = padded(each)
    ids, mask = tensors["question.ids"], tensors["question.mask"]
    hidden = model.text(ids, mask)
    tensors[f"question.layer{CONFIG.text.layers - 1}"] = hidden
    generation, rank = [], []
    for name, (samples, frames) in VISUALS.items():
        pixels = torch.randn(samples, 3, frames, CONFIG.image_size, CONFIG.image_size)
        cells = model.cells(pixels)
        memory = model.universal(visual := model.vision(cells))
        fused = model.fusion(hidden, memory, mask)
        answers = [torch.cat([memory[i], fused[i, : len(row)]])[None] for i, row in enumerate(rows["question"])]
        tensors |= {
            f"{name}.pixels": pixels,
            f"{name}.ln_pre": model.visual_encoder["visual"].tokens(cells).flatten(0, 1),
            f"{name}.visn": visual,
            f"{name}.visual": memory,
            f"{name}.fusion.layer{CONFIG.fusion.layers_in_file - 1}": fused,
            f"{name}.caption_logits": teacher_forced(model, list(memory[:, None]), rows["caption"]),
            f"{name}.answer_logits": teacher_forced(model, answers, rows["answer"]),
        }
        for sample in range(samples):
            memories = {"caption": memory[sample : sample + 1], "answer": answers[sample]}
            seen = {"visual": name, "sample": sample}
            for task, searches in SEARCHES.items():
                generation += [{"task": task, **seen, **search(model, memories[task], *each)} for each in searches]
            rank += [{**seen, **ranked(model, answers[sample], k)} for k in SHORTLISTS]
    cases = {"family": "mplug2", "case": "odd", "texts": TEXTS, "generation": generation, "rank": rank}
    return {name: tensor.contiguous() for name, tensor in tensors.items()}, cases


def write_odd(model: Mplug2, out: Path) -> None:
    """Writes the model's folder, but for its card."""
    identity = {"id": OUT.name, "name": "Tiny mPLUG-2 of odd sizes", "licence": "Apache-2.0"}
    write_model(model, VOCABULARY, out, identity, Forms(("float32",)))


def main() -> None:
    torch.set_num_threads(1)
    model = random_model()
    tensors, cases = made(model)
    OUT.mkdir(exist_ok=True)
    CONFIG.save(OUT / "config.json")
    save_file(tensors, OUT / "io.safetensors")
    (OUT / "io.json").write_text(json.dumps(cases, indent=1) + "\n")
    write_odd(model, OUT / "model")
    (OUT / "model" / "README.md").write_text("# Tiny mPLUG-2 of odd sizes\n\nFor tests; see ../README.md.\n")
    lengths = [len(each["hypotheses"][0]["ids"]) for each in cases["generation"]]
    print(f"{len(lengths)} texts of {sorted(set(lengths))} ids, {len(cases['rank'])} rankings")


if __name__ == "__main__":
    main()
