"""What the training stages share: schedule, optimizer, resuming, and saying what the model says."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import torch

from mplug2.config import HeadsConfig
from mplug2.model import Mplug2

from .checkpoint import load_model, save_model, save_progress

Made = TypeVar("Made")

DECAY = 0.995
SAVE_SECONDS = 300
WATCHED = 300
"""Held-out photos that later stages are watched by."""


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


def begin(args: argparse.Namespace, heads: HeadsConfig | None = None) -> tuple[Mplug2, list[str]]:
    """The model to go on with, of the output folder where the stage has begun, else of `--init`, and its vocabulary."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    resumed = (args.out / "progress.pt").exists()
    return load_model(args.out if resumed else args.init, args.dropout, heads)


class Ahead(Generic[Made]):
    """What a step is about, made beside the step before it."""

    def __init__(self, make: Callable[[int], Made]) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(1)
        self._made: dict[int, Future[Made]] = {}

    def __call__(self, step: int) -> Made:
        """That of the step."""
        made = self._made.pop(step, None) or self._pool.submit(self._make, step)
        self._made[step + 1] = self._pool.submit(self._make, step + 1)
        return made.result()


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
    losses: Callable[[int], dict[str, torch.Tensor]]
    """Step number → losses by name; whatever is random in it follows from the step number alone."""
    captions: Callable[[], list[tuple[str, str]]]
    """(photo, caption) of the photos to watch, said by the model as it is."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """How much each loss counts; 1 where nothing is said."""


class Average:
    """A running mean of the trained parameters: what a stage hands on (Polyak averaging)."""

    def __init__(self, model: Mplug2) -> None:
        self.parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.restore(0)

    def restore(self, updates: int) -> None:
        """The parameters as they are now are the mean after that many updates."""
        self._values = {name: p.detach().clone() for name, p in self.parameters.items()}
        self._updates = updates

    @torch.no_grad()
    def update(self) -> None:
        """Takes the parameters in; early on they count for more."""
        self._updates += 1
        weight = max(1 - DECAY, 9 / (self._updates + 9))
        torch._foreach_lerp_(list(self._values.values()), [p.detach() for p in self.parameters.values()], weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model computes with the mean meanwhile."""
        kept = {name: p.data for name, p in self.parameters.items()}
        for name, p in self.parameters.items():
            p.data = self._values[name]
        try:
            yield
        finally:
            for name, p in self.parameters.items():
                p.data = kept[name]


def run(stage: Stage, model: Mplug2, vocabulary: list[str], groups: list[dict], average: Average) -> None:
    """Trains from the last checkpoint in `stage.out`, if there is one, to the end; writes `curve.jsonl` as it goes.

    The weights written are the running mean; those being trained lie in `progress.pt`.
    """
    named, step = average.parameters, 0
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    if (stage.out / "progress.pt").exists():
        progress = torch.load(stage.out / "progress.pt")
        optimizer.load_state_dict(progress["optimizer"])
        average.restore(progress["step"])
        step = progress["step"]
        for name, p in named.items():
            p.data.copy_(progress["trained"][name])
    stage.out.mkdir(parents=True, exist_ok=True)
    print(f"{len(vocabulary)} pieces, {stage.steps} steps, from {step}", flush=True)
    started = saved = time.time()
    means: dict[str, float] = {}
    while step < stage.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, stage.steps, group["peak"])
        model.train()
        if hasattr(model, "stem"):
            # Batch norms keep their ImageNet statistics.
            model.stem.eval()
        with torch.autocast("cpu", torch.bfloat16):
            losses = stage.losses(step)
        optimizer.zero_grad(set_to_none=True)
        sum(value * stage.weights.get(name, 1.0) for name, value in losses.items()).backward()
        torch.nn.utils.clip_grad_norm_(list(named.values()), 1.0)
        optimizer.step()
        average.update()
        step += 1
        for name, value in losses.items():
            means[name] = value.item() if name not in means else 0.95 * means[name] + 0.05 * value.item()
        if step % 20 == 0:
            shown = {name: round(value, 3) for name, value in means.items()}
            print(f"step {step}/{stage.steps} {shown} {time.time() - started:.0f}s", flush=True)
            with (stage.out / "curve.jsonl").open("a") as curve:
                curve.write(json.dumps({"step": step, **shown}) + "\n")
        if step == stage.steps or time.time() - saved > SAVE_SECONDS:
            saved = time.time()
            with average.in_place():
                save_model(stage.out, model, vocabulary)
            trained = {name: p.detach() for name, p in named.items()}
            save_progress(stage.out, optimizer=optimizer.state_dict(), step=step, trained=trained)
        if step % stage.per_epoch == 0 or step == stage.steps:
            model.eval()
            with average.in_place():
                said = stage.captions()
            lines = [json.dumps({"media": image, "text": text}) for image, text in said]
            (stage.out / f"val-{step}.jsonl").write_text("\n".join(lines) + "\n")
            print(f"step {step}: {[text for _, text in said[:3]]} {time.time() - started:.0f}s", flush=True)
