"""What the training stages share: schedule, optimizer, resuming, and saying what the model says."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from mplug2.model import Mplug2

from .checkpoint import save_model, save_progress


def stage_parser(description: str | None, photos: int, rate: float, seed: int) -> argparse.ArgumentParser:
    """The arguments that every stage has; the numbers are the stage's own defaults."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=photos, help="photos a step")
    parser.add_argument("--captions", type=int, default=3, help="captions a photo and step")
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=seed)
    return parser


def learning_rate(step: int, steps: int, peak: float, warmup: int = 100) -> float:
    """Linear warm-up, then half a cosine to zero."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def parameter_groups(model: Mplug2, rates: dict[tuple[str, ...], float]) -> list[dict]:
    """Freezes all but the parameters whose names begin with one of the prefixes; matrices decay, vectors don't."""
    groups = []
    chosen: set[str] = set()
    for prefixes, rate in rates.items():
        named = [(n, p) for n, p in model.named_parameters() if n.startswith(prefixes)]
        chosen |= {n for n, _ in named}
        for decay, kept in ((0.01, lambda p: p.ndim > 1), (0.0, lambda p: p.ndim <= 1)):
            groups.append({"params": [p for _, p in named if kept(p)], "weight_decay": decay, "peak": rate, "lr": rate})
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in chosen)
    return groups


@dataclass(frozen=True)
class Stage:
    """One stage: where it writes, how long it is, and its two functions."""

    out: Path
    per_epoch: int
    steps: int
    loss: Callable[[int], torch.Tensor]
    """Step number → loss to minimise; whatever is random in it follows from the step number alone."""
    captions: Callable[[], list[tuple[str, str]]]
    """(photo, caption) of the photos to watch, said by the model as it is."""


def run(stage: Stage, model: Mplug2, vocabulary: list[str], groups: list[dict]) -> None:
    """Trains from the last checkpoint in `stage.out`, if there is one, to the end."""
    trained = [p for group in groups for p in group["params"]]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    step, resumed = 0, stage.out / "progress.pt"
    if resumed.exists():
        progress = torch.load(resumed)
        optimizer.load_state_dict(progress["optimizer"])
        step = progress["step"]
    print(f"{len(vocabulary)} pieces, {stage.steps} steps, from {step}", flush=True)
    started, mean = time.time(), None
    while step < stage.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, stage.steps, group["peak"])
        model.train()
        if hasattr(model, "stem"):
            # Batch norms keep their ImageNet statistics.
            model.stem.eval()
        with torch.autocast("cpu", torch.bfloat16):
            loss = stage.loss(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 20 == 0:
            print(f"step {step}/{stage.steps} loss {mean:.3f} {time.time() - started:.0f}s", flush=True)
        if step % stage.per_epoch == 0 or step == stage.steps:
            save_model(stage.out, model, vocabulary)
            save_progress(stage.out, optimizer=optimizer.state_dict(), step=step)
            model.eval()
            said = stage.captions()
            lines = [json.dumps({"media": image, "text": text}) for image, text in said]
            (stage.out / f"val-{step}.jsonl").write_text("\n".join(lines) + "\n")
            print(f"step {step}: {[text for _, text in said[:3]]} {time.time() - started:.0f}s", flush=True)
