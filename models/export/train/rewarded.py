"""Stage 7: the decoder alone learns from the reward of its captions; what it reads rests.

Vision, universal layers, text encoder and fusion stay as they are, and with them every task but captions and answers;
a share of supervised captions and answers keeps the decoder from forgetting these. Resumes by itself from the output
folder.
"""

from __future__ import annotations

import torch

from mplug2.bert import Memory

from .cell_batches import CellBatches, cell_stage_parser, watch
from .loop import Ahead, Average, Stage, begin, parameter_groups, run
from .losses import clip_losses
from .mixture import Amounts
from .objectives import answer_loss, encode, next_token_loss
from .reward import Reward, reward_loss

# Not the word table: the text encoder reads it too.
TRAINED = ("text_decoder.bert.encoder.", "text_decoder.bert.embeddings.LayerNorm.", "text_decoder.cls.")
WEIGHTS = {"reward": 1.0, "caption": 0.1, "answer": 0.5, "clip": 0.1, "order": 0.1, "cider": 0.0}


def main() -> None:
    parser = cell_stage_parser(__doc__, photos=40, rate=1e-4, seed=7, steps=1000)
    parser.add_argument("--samples", type=int, default=5, help="captions drawn for each photo and rewarded")
    args = parser.parse_args()
    model, vocabulary = begin(args)
    batches = CellBatches(args, vocabulary, Amounts(args.photos, captions=1, compared=1, asked=12, made=1, free=1), model.stem)
    reward = Reward(batches.mixture.learnt, vocabulary, model.config.ids.end)
    groups = parameter_groups(model, {TRAINED: args.rate})
    average = Average(model)
    ahead = Ahead(batches.make)

    def losses(step: int) -> dict[str, torch.Tensor]:
        batch, cells, clip = ahead(step)
        model.eval()
        memory = model.universal(model.vision(cells))
        count, asked = batch.captioned, batch.asked
        rewarded, cider = reward_loss(model, memory[:count], batch.keys, reward, args.samples)
        hidden, mask = encode(model, asked.ids)
        model.text_decoder.train()
        return {
            "reward": rewarded,
            "cider": cider,
            "caption": next_token_loss(model, batch.captions, memory[:count], args.smoothing),
            "answer": answer_loss(model, hidden, mask, Memory(memory, asked.owner), asked.answers, 0.05),
            **clip_losses(model, clip, args.smoothing),
        }

    stage = Stage(args.out, batches.mixture.per_epoch, args.steps, losses, watch(args, model, vocabulary), WEIGHTS)
    run(stage, model, vocabulary, groups, average)


if __name__ == "__main__":
    main()
