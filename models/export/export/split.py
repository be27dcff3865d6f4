"""Where the work of a module is cut into several graphs or runs, told by the configuration alone.

A running graph can't be stopped: an abort, or another call's turn, waits for its end. So no run should be estimated at
more than RUN_WORK, counted for a video of as many frames as the manifest asks for. Work is counted in multiply-adds of an
int8 matrix product; those of float32, as attention's scores are, take twice as long (onnxruntime-web, WASM).
"""

from __future__ import annotations

from dataclasses import dataclass

from mplug2.config import Mplug2Config

from .frames import frames_of

RUN_WORK = 22e9
"""Some 0.8 s on one thread of WASM, at the 27e9 a second that were measured."""
SCORES_BYTES = 128 * 1024 * 1024
"""Most that one copy of an attention's float32 scores may take in a run."""
FLOAT32 = 2
QUESTION_TOKENS = 64


@dataclass(frozen=True)
class Group:
    """The parts `first` … `stop` − 1 of a module, as the graph `name`; `last`: no group follows."""

    name: str
    first: int
    stop: int
    last: bool


def grouped(name: str, work: list[float]) -> list[Group]:
    """Parts in order, of so much work each, in as few graphs as RUN_WORK allows; a part of more is a graph by itself.
    One graph has the name itself, several are numbered behind it."""
    starts, filled = [0], 0.0
    for i, part in enumerate(work):
        if i > starts[-1] and filled + part > RUN_WORK:
            starts.append(i)
            filled = 0.0
        filled += part
    stops = [*starts[1:], len(work)]
    names = [name] if len(starts) == 1 else [f"{name}.{k}" for k in range(len(starts))]
    return [Group(n, first, stop, stop == len(work)) for n, first, stop in zip(names, starts, stops)]


def handed_on(name: str, part: int) -> str:
    """What the value `name` is called where it enters part `part` of a module."""
    return f"{name}_{part}" if part else name


def visual_tokens(config: Mplug2Config) -> int:
    """1 + T·HW of a whole video."""
    return 1 + frames_of(config)["count"] * config.grid**2


def vision_groups(config: Mplug2Config) -> list[Group]:
    """Half blocks: part 2i is block i up to its attention, part 2i + 1 the rest of it."""
    vision, cells = config.vision, config.grid**2
    tokens, square = 1 + cells, vision.width**2
    mixing = cells * square
    attention = mixing + 4 * tokens * square + FLOAT32 * 2 * tokens**2 * vision.width
    feed_forward = mixing + 2 * tokens * vision.width * vision.mlp_width
    frames = frames_of(config)["count"]
    return grouped("vision.blocks", [frames * attention, frames * feed_forward] * vision.layers)


def memory_groups(config: Mplug2Config) -> list[Group]:
    """The decoder's layers, whose cross-attention keys and values are projected from the visual tokens."""
    layer = 2 * visual_tokens(config) * config.text.width**2
    return grouped("decoder.memory", [layer] * config.decoder.layers)


def fusion_groups(config: Mplug2Config) -> list[Group]:
    """The layers of fusion that run."""
    text, tokens = config.text, visual_tokens(config)
    own = QUESTION_TOKENS * text.width * (6 * text.width + 2 * text.ffn_width + FLOAT32 * 2 * tokens)
    return grouped("fusion", [own + 2 * tokens * text.width**2] * config.fusion.layers)


def rows_a_run(config: Mplug2Config) -> int | None:
    """How many visual tokens of the last universal layer are computed in a run; None: all, and the module is one graph."""
    text, tokens = config.text, visual_tokens(config)
    row_scores = text.heads * tokens * 4
    row_work = text.width * (FLOAT32 * 2 * tokens + 3 * text.width + 2 * text.ffn_width)
    gathering = tokens * text.width**2 * (3 + 2 * (text.universal_layers - 1))
    if tokens * row_scores <= SCORES_BYTES and gathering + tokens * row_work <= RUN_WORK:
        return None
    return max(1, int(min(SCORES_BYTES // row_scores, RUN_WORK // row_work)))
