"""Writes `mplug2-equal/`: golden vectors of the authors' code, trimmed to what a test compares, and the exported model.

    cd models/export; PYTHONPATH=. python ../../packages/testing/goldens/copy_goldens.py FOLDER VOCABULARY

FOLDER holds config.json, weights.safetensors, io.json and io.safetensors, as `npm run parity` takes it.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from safetensors.numpy import load_file, save_file

from export.checkpoint import read_checkpoint
from export.manifest import write_model

HERE = Path(__file__).parent
# What no exported graph hands on: it is inside one.
INSIDE = r"\w+\.(block\d+|latents|universal|memory_mask)|question\.embed|.*\.layer\d+"
KEPT_JSON = ("family", "case", "texts", "prompt", "generation", "rank")


def last_layers(names: list[str]) -> set[str]:
    """Of each stack of layers, the name of the deepest."""
    deepest: dict[str, int] = {}
    for name in names:
        if found := re.fullmatch(r"(.*\.layer)(\d+)", name):
            deepest[found[1]] = max(int(found[2]), deepest.get(found[1], 0))
    return {f"{stack}{depth}" for stack, depth in deepest.items()}


def main(source: Path, vocabulary: Path) -> None:
    out = HERE / "mplug2-equal"
    out.mkdir(exist_ok=True)
    shutil.copyfile(source / "config.json", out / "config.json")
    cases = json.loads((source / "io.json").read_text())
    (out / "io.json").write_text(json.dumps({key: cases[key] for key in KEPT_JSON}, indent=1) + "\n")
    tensors = load_file(source / "io.safetensors")
    handed_on = last_layers(list(tensors))
    save_file(
        {name: value for name, value in tensors.items() if name in handed_on or not re.fullmatch(INSIDE, name)},
        out / "io.safetensors",
    )
    identity = {"id": out.name, "name": "Tiny mPLUG-2 of random weights", "licence": "Apache-2.0"}
    write_model(*read_checkpoint(source, vocabulary), out / "model", identity, ("float32",))
    (out / "model" / "README.md").write_text("# {}\n\nFor tests; see ../README.md.\n".format(identity["name"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
