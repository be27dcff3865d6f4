"""How far answers lean to yes, and what balances them."""

from __future__ import annotations

import numpy as np
import torch
from tiny_model import VOCABULARY, tiny

from evaluate.subject import Subject
from train.answers import Question
from train.balance import as_often, leads
from train.generate import CachedDecoder

PIECES = [{"w0": "yes", "w1": "no"}.get(piece, piece) for piece in VOCABULARY]
TEXTS = ["a dog", "a man a park w5", "park"]


class StoredCells:
    """Cells of the tiny model, made from the photo's name."""

    def of(self, view: str, images: list[str]) -> np.ndarray:
        return np.stack([np.random.default_rng(int(image)).normal(size=(4, 588)).astype(np.float16) for image in images])


@torch.inference_mode()
def test_a_lead_is_what_the_answers_first_step_gives_yes_over_no() -> None:
    model, cells = tiny(), StoredCells()
    asked = [Question(str(i), text, ("yes",), "yes", "vqa_v2", "yes/no", False) for i, text in enumerate(TEXTS)]
    with torch.autocast("cpu", torch.bfloat16):
        memory = model.universal(model.vision(torch.from_numpy(cells.of("plain", ["0", "1", "2"])).to(torch.bfloat16)[:, None]))
        hidden, mask = Subject(model, PIECES).encode(TEXTS)
        whole = torch.cat([memory, model.fusion(hidden, memory, mask)], 1)
        log_p = CachedDecoder(model, whole, torch.cat([mask.new_ones(memory.shape[:2]), mask], 1)).step(torch.full((3, 1), 2))
    wanted = log_p[:, PIECES.index("yes")] - log_p[:, PIECES.index("no")]
    found = leads(model, PIECES, cells, asked)
    assert found.std() > 0.01
    assert torch.allclose(found, wanted, atol=0.03)


def test_yes_is_said_as_often_as_people_say_it() -> None:
    lead = torch.randn(1000, generator=torch.Generator().manual_seed(1)) + 3
    shift = as_often(lead, 0.4)
    assert abs(float((lead + shift > 0).float().mean()) - 0.4) < 0.01
