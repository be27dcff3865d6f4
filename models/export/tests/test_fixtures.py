"""The models that are committed for tests elsewhere are what the exporter writes of their checkpoints today.

Every file is compared byte by byte but for one thing: the fingerprints in goldens.json. They are PyTorch's sums, whose order
its kernels choose by the processor, so that the last decimals differ between machines; they are compared within VALUES. The
manifest's proof of goldens.json follows from them.
"""

from __future__ import annotations

import hashlib
import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from export.__main__ import main
from export.manifest import compact

FIXTURES = Path(__file__).parents[3] / "packages" / "testing" / "goldens"
VALUES = 1e-4
"""What `npm run parity` allows a float32 tensor on WASM, another summation order too. Two machines differed by 1e-5."""
RANDOM = "916b7ac7"
"""Of the numbers that seed 5 gives where odd/ was made."""
CARD = "README.md"
Files = dict[str, bytes]


def files(folder: Path) -> Files:
    """All but the card, which no export writes."""
    found = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in found.items() if name != CARD}


def values_of(marks: object) -> list[float]:
    """Takes the decimals out of fingerprints, in order; what stays has to be equal."""
    if isinstance(marks, list):
        return [value for mark in marks for value in values_of(mark)]
    if not isinstance(marks, dict):
        return []
    own = [*marks.pop("values"), marks.pop("max")] if "values" in marks else []
    return own + [value for mark in marks.values() for value in values_of(mark)]


def compare(found: Files, wanted: Files) -> None:
    """Raises AssertionError where a model differs from a committed one."""
    assert found.keys() == wanted.keys()
    goldens, manifests = ([json.loads(each[name]) for each in (found, wanted)] for name in ("goldens.json", "manifest.json"))
    for manifest, each in zip(manifests, (found, wanted)):
        proof = manifest.pop("goldens")
        data = each["goldens.json"]
        assert proof == {"path": "goldens.json", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    # As text: the order of keys counts.
    assert compact(manifests[0]) == compact(manifests[1])
    values = [torch.tensor(values_of(each["outputs"]), dtype=torch.float64) for each in goldens]
    assert goldens[0] == goldens[1] and len(values[0]) == len(values[1])
    assert float((values[0] - values[1]).abs().max()) <= VALUES
    apart = {"goldens.json", "manifest.json"}
    assert [name for name, data in wanted.items() if name not in apart and found[name] != data] == []


def test_a_checkpoint_in_the_authors_form_becomes_the_committed_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture, out = FIXTURES / "mplug2-equal", tmp_path / "mplug2-equal"
    identity = ["--name", "Tiny mPLUG-2 of random weights", "--licence", "Apache-2.0"]
    what = ["--family", "mplug2", "--checkpoint", str(fixture), "--out", str(out), "--variants", "float32", "--taps"]
    monkeypatch.setattr(sys, "argv", ["export", *what, *identity])
    main()
    compare(files(out), files(fixture / "model"))


def test_the_model_of_odd_sizes_becomes_the_committed_one(tmp_path: Path) -> None:
    torch.manual_seed(5)
    if hashlib.sha256(torch.randn(4096).numpy().tobytes()).hexdigest()[:8] != RANDOM:
        pytest.skip("this processor's random numbers are not those of the one on which odd/ was made")
    made = SimpleNamespace(**runpy.run_path(str(FIXTURES / "make_odd.py")))
    made.write_odd(made.random_model(), tmp_path / "odd")
    compare(files(tmp_path / "odd"), files(FIXTURES / "odd" / "model"))


def test_only_the_last_decimals_may_differ() -> None:
    wanted = files(FIXTURES / "odd" / "model")

    def changed(graph: str, name: str, value: float) -> Files:
        goldens, manifest = json.loads(wanted["goldens.json"]), json.loads(wanted["manifest.json"])
        mark = goldens["outputs"][graph][name]
        mark["values"][0] += value
        data = compact(goldens)
        manifest["goldens"] |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        return {**wanted, "goldens.json": data, "manifest.json": compact(manifest) + b"\n"}

    compare(changed("universal", "memory", 5e-5), wanted)
    graph = next(name for name in wanted if name.endswith(".onnx"))
    for found in (
        changed("universal", "memory", 2e-4),
        {**wanted, graph: wanted[graph] + b"\0"},
        {**wanted, "manifest.json": wanted["manifest.json"].replace(b'"maxWords":50', b'"maxWords":51')},
        {name: data for name, data in wanted.items() if name != graph},
    ):
        with pytest.raises(AssertionError):
            compare(found, wanted)
