"""All tasks' losses over one batch, by name."""

from __future__ import annotations

import torch

from mplug2.bert import Memory
from mplug2.model import Mplug2

from .clip_batches import ClipBatch
from .mixture import Batch
from .loop import Average
from .objectives import TEMPERATURE, Contrast, Embedded, answer_loss, encode, match_loss, next_token_loss
from .targets import pad

WEIGHTS = {"caption": 1.0, "answer": 0.5, "contrast": 0.3, "match": 1.0, "text": 0.2, "class": 1.0}


def harder(visual: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
    """For each of P sentences another photo: half of the time any, else one it might be taken for. visual, text P×W → P."""
    likeness = (text.float() @ visual.float().T / TEMPERATURE).fill_diagonal_(-torch.inf)
    chance = likeness.softmax(-1) + 1 / (len(text) - 1)
    return torch.multinomial(chance.fill_diagonal_(0), 1)[:, 0]


def together(rows: list[torch.Tensor]) -> torch.Tensor:
    """Tensors S_i×L_i of ids below each other, padded to the longest."""
    return pad([row for tensor in rows for row in tensor.tolist()])


def task_losses(
    model: Mplug2, average: Average, batch: Batch, cells: torch.Tensor, contrast: Contrast, smoothing: float
) -> dict[str, torch.Tensor]:
    """cells P×T×HW×C of the batch's photos → each task's loss, unweighted."""
    memory = model.universal(model.vision(cells))
    count = batch.captioned
    per_photo = batch.captions.shape[0] // count
    compared = batch.compared.shape[0] // count

    parts = [batch.compared, batch.wrong, batch.asked.ids, batch.source]
    hidden, mask = encode(model, together(parts))
    sizes = [len(p) for p in parts]
    (of_captions, of_wrong, of_questions, of_source), (captions_mask, wrong_mask, questions_mask, source_mask) = (
        hidden.split(sizes), mask.split(sizes),
    )

    visual, text = model.embed_visual(memory[:count]), model.embed_text(of_captions, captions_mask)
    owners = batch.keys.repeat_interleave(compared)
    # Autocast keeps converted weights by parameter: those of the model and of its mean must not be taken for each other.
    torch.clear_autocast_cache()
    with torch.no_grad(), average.in_place():
        kept = Embedded(
            model.embed_visual(model.universal(model.vision(cells[:count]))), batch.keys,
            model.embed_text(*encode(model, batch.compared)), owners,
        )
    torch.clear_autocast_cache()
    first = torch.arange(0, len(text), compared)
    mistaken = harder(visual.detach(), text.detach()[first])
    pairs = torch.cat([of_captions[first], of_captions[first], of_wrong])
    pairs_mask = torch.cat([captions_mask[first], captions_mask[first], wrong_mask])
    seen = Memory(memory, torch.cat([torch.arange(count), mistaken, batch.wrong_owner]))
    fits = torch.zeros(len(pairs), dtype=torch.long)
    fits[:count] = 1
    return {
        "caption": next_token_loss(
            model, batch.captions, Memory(memory, torch.arange(count).repeat_interleave(per_photo)), smoothing
        ),
        "answer": answer_loss(model, of_questions, questions_mask, Memory(memory, batch.asked.owner), batch.asked.answers, 0.05),
        "contrast": contrast(Embedded(visual, batch.keys, text, owners), kept),
        "match": match_loss(model, pairs, pairs_mask, seen, fits),
        "text": next_token_loss(model, batch.target, of_source, smoothing, source_mask),
    }


def clip_losses(model: Mplug2, clip: ClipBatch, smoothing: float) -> dict[str, torch.Tensor]:
    """Losses of the clips' captions and of what they are asked."""
    memory = model.universal(model.vision(clip.cells))
    per_clip = clip.captions.shape[0] // memory.shape[0]
    hidden, mask = encode(model, clip.asked.ids)
    return {
        "clip": next_token_loss(
            model, clip.captions, Memory(memory, torch.arange(len(memory)).repeat_interleave(per_clip)), smoothing
        ),
        "order": answer_loss(model, hidden, mask, Memory(memory, clip.asked.owner), clip.asked.answers, 0.05),
    }
