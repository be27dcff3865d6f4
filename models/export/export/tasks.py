"""The tasks of an mPLUG-2-shaped model as data: paths of steps over its graphs, wired by the names of values."""

from __future__ import annotations

from mplug2.config import Mplug2Config

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


def graphs_named(tasks: dict) -> set[str]:
    """The graphs that tasks run."""
    return {step["graph"] for task in tasks.values() for step in task["steps"] if "graph" in step}


def tasks_of(config: Mplug2Config, labels: dict | None) -> dict:
    """Every task that a model of this configuration has; `labels` is the file of class names, with its proof."""
    start, end = config.ids.start, config.ids.end
    frames = {"kind": "frames", "graph": "vision.frame"}
    seen = [frames, run("vision.blocks"), run("universal")]

    # There are embeddings for so many positions.
    most = {"maxTokens": config.text.positions}

    def read(text: str, clean: str) -> list[dict]:
        tokenize = {"kind": "tokenize", "text": text, "clean": clean, "maxWords": MAX_WORDS, **most, "start": start}
        return [{**tokenize, "output": "ids"}, run("text")]

    def generate(lengths: tuple[int, int]) -> dict:
        prompt = {"kind": "generate", "graph": "decoder.step", "prompt": [start], "end": end}
        return {**prompt, "minLength": lengths[0], "maxLength": lengths[1], "lengthPenalty": LENGTH_PENALTY}

    asked = [*seen, *read("question", "question"), run("fusion"), run("decoder.memory", memory="answer_memory")]
    rank = {"kind": "rank", "graph": "decoder.step", "start": start, "end": end, "shortlist": SHORTLIST, **most}
    tasks = {
        "caption": {"media": MEDIA, "steps": [*seen, run("decoder.memory"), generate(CAPTION_LENGTHS)]},
        "answer": {"media": MEDIA, "steps": [*asked, generate(ANSWER_LENGTHS)]},
        "rank": {"media": MEDIA, "steps": [*asked, rank]},
    }
    if not config.heads:
        return {name: task for name, task in tasks.items() if config.tasks is None or name in config.tasks}
    match = [*seen, *read("text", "caption"), run("fusion"), run("match"), {"kind": "match", "logits": "match_logits"}]
    embed = {"kind": "embed", "embedding": "embedding"}
    classify = {"kind": "classify", "logits": "class_logits", "labels": labels}
    return {
        **tasks,
        "match": {"media": MEDIA, "steps": match},
        "embed": {"media": MEDIA, "steps": [*seen, run("embed.visual"), embed]},
        "embed-text": {"media": [], "steps": [*read("text", "caption"), run("embed.text"), embed]},
        "classify": {"media": MEDIA, "steps": [frames, run("classify"), classify]},
    }
