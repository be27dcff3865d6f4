"""Writes `mplug2-equal/`: golden vectors of the authors' code and the model exported from their checkpoint, tapped
graphs included.

    cd models/export; PYTHONPATH=. python ../../packages/testing/goldens/copy_goldens.py FOLDER VOCABULARY

FOLDER holds config.json, weights.safetensors, io.json and io.safetensors, as `npm run parity` takes it; so does what is
written, with the vocabulary as vocab.txt.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch

from export.checkpoint import read_checkpoint
from export.manifest import write_model
from export.stored_forms import Forms

HERE = Path(__file__).parent
KEPT_JSON = ("family", "case", "texts", "prompt", "generation", "rank")
COPIED = ("config.json", "weights.safetensors", "io.safetensors")


def main(source: Path, vocabulary: Path) -> None:
    # As an export has it.
    torch.set_num_threads(1)
    out = HERE / "mplug2-equal"
    out.mkdir(exist_ok=True)
    for name in COPIED:
        shutil.copyfile(source / name, out / name)
    shutil.copyfile(vocabulary, out / "vocab.txt")
    cases = json.loads((source / "io.json").read_text())
    (out / "io.json").write_text(json.dumps({key: cases[key] for key in KEPT_JSON}, indent=1) + "\n")
    identity = {"id": out.name, "name": "Tiny mPLUG-2 of random weights", "licence": "Apache-2.0"}
    write_model(*read_checkpoint(out), out / "model", identity, Forms(("float32",)), taps=True)
    (out / "model" / "README.md").write_text("# {}\n\nFor tests; see ../README.md.\n".format(identity["name"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
