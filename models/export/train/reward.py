"""Self-critical training (arXiv 1612.00563): sampled captions are worth their CIDEr-D, against the mean of the others."""

from __future__ import annotations

import torch

from evaluate.cider import CiderD, DocumentFrequency
from evaluate.tokenize import tokenize
from mplug2.bert import Memory
from mplug2.model import Mplug2

from .data import CaptionedPhoto
from .generate import CachedDecoder
from .targets import pad
from .text import load_tokenizer

MAX_LENGTH = 20


def draw_token(chance: torch.Tensor) -> torch.Tensor:
    """One index of each row of R×V weights, R×1 int64; torch.multinomial takes ten times as long on a CPU."""
    sums = chance.cumsum(-1)
    # In [0, 1): the sum itself isn't reached, so that a weight of 0 behind the last is never drawn.
    return torch.searchsorted(sums, torch.rand(len(chance), 1) * sums[:, -1:], right=True).clamp_(max=chance.shape[1] - 1)


@torch.inference_mode()
def sample(model: Mplug2, memory: torch.Tensor, samples: int) -> torch.Tensor:
    """Captions drawn token by token: ids (P·samples)×L, [CLS] in front, zeros behind [SEP], a photo's side by side."""
    ids = model.config.ids
    decoder = CachedDecoder(model, memory, None)
    rows = torch.full((memory.shape[0] * samples, 1), ids.start)
    ended = torch.zeros(len(rows), dtype=torch.bool)
    texts = [rows]
    for length in range(MAX_LENGTH):
        chance = decoder.step(texts[-1]).exp()
        chance[:, [ids.pad, ids.unknown, ids.start, ids.mask]] = 0
        drawn = draw_token(chance).masked_fill(ended[:, None], ids.pad)
        if length == MAX_LENGTH - 1:
            drawn = drawn.masked_fill(~ended[:, None], ids.end)
        texts.append(drawn)
        ended |= drawn[:, 0] == ids.end
        if ended.all():
            break
    return torch.cat(texts, 1)


class Reward:
    """CIDEr-D of sentences against what people wrote about their photo; rarity is that of the training photos."""

    def __init__(self, photos: list[CaptionedPhoto], vocabulary: list[str], end: int) -> None:
        references = [[(*tokenize(c), ".") for c in p.captions] for p in photos]
        self._scorer = CiderD(references, DocumentFrequency.of(references))
        self._tokenizer = load_tokenizer(vocabulary)
        self._end = end

    def __call__(self, keys: list[int], rows: list[list[int]]) -> torch.Tensor:
        """keys: index of each sentence's photo; rows: ids after [CLS] → rewards. The end counts as a word, so that a
        sentence broken off is worth less."""
        scores = []
        for key, row in zip(keys, rows):
            words = row[: row.index(self._end)] if self._end in row else row
            scores.append(self._scorer.score(key, (*tokenize(self._tokenizer.decode(words)), ".")))
        return torch.tensor(scores)


def reward_loss(
    model: Mplug2, memory: torch.Tensor, keys: torch.Tensor, reward: Reward, samples: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """memory P×N×E of photos `keys` → policy-gradient loss, and the samples' mean reward. The model is in `eval` mode: what
    is rewarded is what was drawn."""
    texts = sample(model, memory.detach(), samples)
    # Weights that autocast converted while sampling carry no gradient.
    torch.clear_autocast_cache()
    texts = pad([row[: row.index(0)] if 0 in row else row for row in texts.tolist()])
    owners = keys.repeat_interleave(samples)
    worth = reward(owners.tolist(), [row[1:] for row in texts.tolist()]).unflatten(0, (-1, samples))
    others = (worth.sum(1, keepdim=True) - worth) / (samples - 1)
    advantage = (worth - others).flatten()
    hidden = model.decoder_hidden(texts[:, :-1], Memory(memory, torch.arange(len(memory)).repeat_interleave(samples)))
    target = texts[:, 1:]
    kept = target != model.config.ids.pad
    log_p = model.logits(hidden[kept]).float().log_softmax(-1).gather(1, target[kept][:, None])[:, 0]
    weights = advantage[:, None].expand(target.shape)[kept]
    return -(weights * log_p).mean(), worth.mean()
