"""The tasks of an mPLUG-2-shaped model as data: paths of steps over its graphs, wired by the names of values."""

from __future__ import annotations

from mplug2.config import Mplug2Config

from .split import Group, fusion_groups, memory_groups, rows_a_run, vision_groups

MEDIA = ["image", "video"]
# The released settings (arXiv 2302.00402 and the authors' configurations): captions and answers.
CAPTION_LENGTHS = (4, 20)
ANSWER_LENGTHS = (1, 10)
LENGTH_PENALTY = 0.6
SHORTLIST = 128
MAX_WORDS = 50


def run(graph: str, **renamed: str) -> dict:
    """A step that runs a graph; `renamed` feeds its inputs from values of other names."""
    return {"kind": "run", "graph": graph, **({"inputs": renamed} if renamed else {})}


def run_all(groups: list[Group], **renamed: str) -> list[dict]:
    """Steps that run a module's groups in turn."""
    return [run(group.name, **renamed) for group in groups]


def universal_steps(config: Mplug2Config) -> list[dict]:
    """The universal module in vision mode, whole or some rows at a time."""
    rows = rows_a_run(config)
    if rows is None:
        return [run("universal")]
    return [run("universal.gather"), {**run("universal.read"), "parts": {"axis": "rows", "most": rows}}]


def graphs_named(tasks: dict) -> set[str]:
    """The graphs that tasks run."""
    return {step["graph"] for task in tasks.values() for step in task["steps"] if "graph" in step}


def tasks_of(config: Mplug2Config, labels: dict | None) -> dict:
    """Every task that a model of this configuration has; `labels` is the file of class names, with its proof."""
    start, end = config.ids.start, config.ids.end
    frames = {"kind": "frames", "graph": "vision.frame"}
    seen = [frames, *run_all(vision_groups(config)), *universal_steps(config)]

    # There are embeddings for so many positions.
    most = {"maxTokens": config.text.positions}

    def read(text: str, clean: str) -> list[dict]:
        tokenize = {"kind": "tokenize", "text": text, "clean": clean, "maxWords": MAX_WORDS, **most, "start": start}
        return [{**tokenize, "output": "ids"}, run("text")]

    def generate(lengths: tuple[int, int]) -> dict:
        prompt = {"kind": "generate", "graph": "decoder.step", "prompt": [start], "end": end}
        return {**prompt, "minLength": lengths[0], "maxLength": lengths[1], "lengthPenalty": LENGTH_PENALTY}

    fuse, memories = run_all(fusion_groups(config)), memory_groups(config)
    asked = [*seen, *read("question", "question"), *fuse, *run_all(memories, memory="answer_memory")]
    rank = {"kind": "rank", "graph": "decoder.step", "start": start, "end": end, "shortlist": SHORTLIST, **most}
    tasks = {
        "caption": {"media": MEDIA, "steps": [*seen, *run_all(memories), generate(CAPTION_LENGTHS)]},
        "answer": {"media": MEDIA, "steps": [*asked, generate(ANSWER_LENGTHS)]},
        "rank": {"media": MEDIA, "steps": [*asked, rank]},
    }
    if not config.heads:
        return {name: task for name, task in tasks.items() if config.tasks is None or name in config.tasks}
    match = [*seen, *read("text", "caption"), *fuse, run("match"), {"kind": "match", "logits": "match_logits"}]
    embed = {"kind": "embed", "embedding": "embedding"}
    classify = {"kind": "classify", "logits": "class_logits", "labels": labels}
    return {
        **tasks,
        "match": {"media": MEDIA, "steps": match},
        "embed": {"media": MEDIA, "steps": [*seen, run("embed.visual"), embed]},
        "embed-text": {"media": [], "steps": [*read("text", "caption"), run("embed.text"), embed]},
        "classify": {"media": MEDIA, "steps": [frames, run("classify"), classify]},
    }
