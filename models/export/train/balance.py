"""Lets an exported model say yes as often as people do: moves the output bias of the one piece `yes`, where it lies.

python -m train.balance --data DIR --features DIR --model DIR

How far it moves follows from the questions about photos that are trained on. No caption says yes, so that captions stay what
they are; every tensor but this bias does so byte for byte.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from export.amend import amend_tensor
from mplug2.bert import Memory
from mplug2.model import Mplug2

from .checkpoint import load_model
from .data import is_held_out
from .features import PLAIN, Cells
from .objectives import answer_memory, encode
from .questions import Question, asked_questions
from .targets import pad
from .text import load_tokenizer

QUESTIONS = 100
BIAS = "decoder.head.bias"


def yes_no_questions(data: Path) -> list[Question]:
    """What people asked of photos that are trained on and answered with yes or no."""
    return [q for q in asked_questions(data) if not is_held_out(q.image) and q.answer in ("yes", "no")]


@torch.inference_mode()
def leads(model: Mplug2, vocabulary: list[str], cells: Cells, questions: Sequence[Question]) -> torch.Tensor:
    """By how much the logit of `yes` leads that of `no` as an answer's first piece: S, float32."""
    tokenizer = load_tokenizer(vocabulary)
    start, yes, no = model.config.ids.start, vocabulary.index("yes"), vocabulary.index("no")
    found = []
    for first in range(0, len(questions), QUESTIONS):
        some = questions[first : first + QUESTIONS]
        encoded = tokenizer.encode_batch([q.question for q in some], add_special_tokens=False)
        images = list(dict.fromkeys(q.image for q in some))
        owner = torch.tensor([images.index(q.image) for q in some])
        seen = torch.from_numpy(cells.of(PLAIN, images)).to(torch.bfloat16)[:, None]
        with torch.autocast("cpu", torch.bfloat16):
            memory = Memory(model.universal(model.vision(seen)), owner)
            hidden, mask = encode(model, pad([[start, *e.ids] for e in encoded]))
            begun = torch.full((len(some), 1), start)
            logits = model.logits(model.decoder_hidden(begun, *answer_memory(model, hidden, mask, memory))[:, 0])
        found.append((logits[:, yes] - logits[:, no]).float())
    return torch.cat(found)


def as_often(lead: torch.Tensor, share: float) -> float:
    """What is to be added to `lead` S for a `share` of it to be above zero."""
    return -float(torch.quantile(lead, 1 - share))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features --init` wrote")
    parser.add_argument("--model", type=Path, required=True, help="exported model, which is changed")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, vocabulary = load_model(args.model)
    model.eval()
    questions = yes_no_questions(args.data)
    says = torch.tensor([q.answer == "yes" for q in questions])
    lead = leads(model, vocabulary, Cells(args.data, args.features, (PLAIN,)), questions)
    share = float(says.float().mean())
    shift = as_often(lead, share)
    for name, by in (("before", lead), ("after", lead + shift)):
        said = by > 0
        print(f"{name}: yes to {said.float().mean():.3f} of {len(said)} (people {share:.3f}), {(said == says).float().mean():.3f} right")
    print(f"bias of yes {shift:+.3f}")
    bias = model.text_decoder["cls"]["predictions"].bias.detach().numpy().copy()
    bias[vocabulary.index("yes")] += shift
    amend_tensor(args.model, BIAS, bias)


if __name__ == "__main__":
    main()
