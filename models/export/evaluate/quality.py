"""Writes a model's `quality.json`, which the exporter puts into the manifest, from reports of `evaluate.everything`.

python -m evaluate.quality --reports report.json … --notes NOTES.json --out DIR/quality.json
python -m evaluate.quality --reports report.json … --notes NOTES.json --model DIR

The second puts it into the manifest of an exported model that was measured; figures that no report has stay there, as is
right after an amendment that they don't depend on (`export.amend`).

NOTES.json has `data` (what the model was trained on), `pipeline` (how) and `limits` (what it is known not to do, and biases
seen), lists of sentences. Of a figure that several reports have, that of the first counts; each says what computed it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from export.amend import write_manifest
from export.exported import read_manifest

FIELDS = ("name", "split", "value", "low", "high", "count", "blind")
"""What a manifest keeps of a metric as it is."""


def computed_by(about: dict) -> str:
    """What computed a report's figures: the shipped model in a browser, or PyTorch with some form of the weights."""
    by = [about["weights"], about["arithmetic"], about["search"]]
    if "photos at most" in about:
        by.append(f"the first {about['photos at most']} photos of each set")
    return ", ".join(by)


def calibrated(found: dict) -> dict:
    """What a manifest keeps of a calibration."""
    error = {name: round(found["error"][name], 5) for name in ("value", "low", "high")}
    mended = {"temperature": round(found["temperature"], 3), "valueWithTemperature": round(found["error_with_temperature"], 5)}
    return {"split": found["split"], **error, "count": found["count"], **mended}


def quality(reports: list[dict], notes: dict) -> dict[str, list]:
    """The manifest's `quality`."""
    metrics: dict[tuple[str, str], dict] = {}
    calibrations: dict[str, dict] = {}
    for report in reports:
        by = {"by": computed_by(report["about"])}
        for metric in report["metrics"]:
            kept = {field: metric[field] for field in FIELDS if field in metric}
            if "beside" in metric:
                kept["beside"] = [{"name": name, "value": value} for name, value in metric["beside"].items()]
            metrics.setdefault((metric["name"], metric["split"]), kept | by)
        for found in report["calibration"]:
            calibrations.setdefault(found["split"], calibrated(found) | by)
    said = {name: notes[name] for name in ("data", "pipeline", "limits")}
    return {"metrics": list(metrics.values()), "calibration": list(calibrations.values()), **said}


def beside(found: dict[str, list], before: dict[str, list]) -> dict[str, list]:
    """The manifest's `quality` found anew, and the figures that only `before` has behind it."""
    told = {(m["name"], m["split"]) for m in found["metrics"]}
    splits = {c["split"] for c in found["calibration"]}
    metrics = [m for m in before.get("metrics", []) if (m["name"], m["split"]) not in told]
    calibration = [c for c in before.get("calibration", []) if c["split"] not in splits]
    return {**found, "metrics": found["metrics"] + metrics, "calibration": found["calibration"] + calibration}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, nargs="+", required=True)
    parser.add_argument("--notes", type=Path, required=True)
    into = parser.add_mutually_exclusive_group(required=True)
    into.add_argument("--out", type=Path)
    into.add_argument("--model", type=Path, help="exported model, whose manifest is changed")
    args = parser.parse_args()
    reports = [json.loads(path.read_text()) for path in args.reports]
    found = quality(reports, json.loads(args.notes.read_text()))
    if args.model:
        manifest = read_manifest(args.model)
        write_manifest(args.model, {**manifest, "quality": beside(found, manifest.get("quality", {}))})
        return
    args.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
