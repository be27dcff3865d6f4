"""Stage 7: the decoder alone learns from the reward of its captions; what it reads rests.

Vision, universal layers, text encoder and fusion stay as they are, and with them every task but captions and answers;
a share of supervised captions and answers keeps the decoder from forgetting these. Resumes by itself from the output
folder.
"""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch

from mplug2.bert import Memory

from .checkpoint import load_model
from .clip_batches import ClipBatch, ClipBatches
from .features import Cells
from .generate import greedy_captions
from .loop import Average, Stage, parameter_groups, run, stage_parser
from .losses import clip_losses
from .mixture import Amounts, Batch, Mixture
from .objectives import answer_loss, encode, next_token_loss
from .reward import Reward, reward_loss
from .settle import watched_photos

# Not the word table: the text encoder reads it too.
TRAINED = ("text_decoder.bert.encoder.", "text_decoder.bert.embeddings.LayerNorm.", "text_decoder.cls.")
WEIGHTS = {"reward": 1.0, "caption": 0.1, "answer": 0.5, "clip": 0.1, "order": 0.1, "cider": 0.0}


def main() -> None:
    parser = stage_parser(__doc__, photos=40, rate=1e-4, seed=7)
    parser.add_argument("--features", type=Path, required=True, help="folder that `train.features --init` wrote")
    parser.add_argument("--init", type=Path, required=True, help="checkpoint folder to start from")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=5, help="captions drawn for each photo and rewarded")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    resumed = (args.out / "progress.pt").exists()
    model, vocabulary = load_model(args.out if resumed else args.init, args.dropout)
    amounts = Amounts(args.photos, captions=1, compared=1, asked=12, made=1, free=1)
    mixture = Mixture(args.data, vocabulary, amounts, args.seed)
    cells = Cells(args.data, args.features)
    clips = ClipBatches(args.features, mixture, 2, args.seed)
    reward = Reward(mixture.learnt, vocabulary, model.config.ids.end)
    groups = parameter_groups(model, {TRAINED: args.rate})
    average = Average(model)
    decoder = model.text_decoder

    def prepared(step: int) -> tuple[Batch, torch.Tensor, ClipBatch]:
        batch = mixture.batch(step)
        return batch, cells.drawn(batch.photos, random.Random(f"{args.seed}/views/{step}")), clips.batch(step)

    ahead: dict[int, Future] = {}
    with ThreadPoolExecutor(1) as pool:

        def losses(step: int) -> dict[str, torch.Tensor]:
            batch, seen, clip = (ahead.pop(step, None) or pool.submit(prepared, step)).result()
            ahead[step + 1] = pool.submit(prepared, step + 1)
            model.eval()
            memory = model.universal(model.vision(seen))
            count, asked = batch.captioned, batch.asked
            rewarded, cider = reward_loss(model, memory[:count], batch.keys, reward, args.samples)
            hidden, mask = encode(model, asked.ids)
            decoder.train()
            return {
                "reward": rewarded,
                "cider": cider,
                "caption": next_token_loss(model, batch.captions, memory[:count], args.smoothing),
                "answer": answer_loss(model, hidden, mask, Memory(memory, asked.owner), asked.answers, 0.05),
                **clip_losses(model, clip, args.smoothing),
            }

        watched = watched_photos(args.data)
        plain = Cells(args.data, args.features, ("plain",)).of("plain", watched)
        stage = Stage(
            args.out, mixture.per_epoch, args.steps, losses,
            lambda: list(zip(watched, greedy_captions(model, vocabulary, plain, range(len(watched))))), WEIGHTS,
        )
        run(stage, model, vocabulary, groups, average)


if __name__ == "__main__":
    main()
