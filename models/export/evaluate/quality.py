"""Writes a model's `quality.json`, which the exporter puts into the manifest, from reports of `evaluate.everything`.

python -m evaluate.quality --reports report.json … --notes NOTES.json --out DIR/quality.json

NOTES.json has `data` (what the model was trained on), `pipeline` (how) and `limits` (what it is known not to do, and biases
seen), lists of sentences. Of a figure that several reports have, that of the first counts; each says what computed it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, nargs="+", required=True)
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    reports = [json.loads(path.read_text()) for path in args.reports]
    found = quality(reports, json.loads(args.notes.read_text()))
    args.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
