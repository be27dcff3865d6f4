"""Writes a model's `quality.json`, which the exporter puts into the manifest, from reports of `evaluate.everything`.

python -m evaluate.quality --reports report.json … --notes NOTES.json --out DIR/quality.json

NOTES.json has `data` (what the model was trained on) and `limits` (what it is known not to do), lists of sentences. Of
a figure that several reports have, that of the first counts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

FIELDS = ("name", "split", "value", "low", "high", "blind")
"""What a manifest keeps of a metric."""


def quality(reports: list[dict], notes: dict) -> dict[str, list]:
    """The manifest's `quality`."""
    metrics: dict[tuple[str, str], dict] = {}
    for report in reports:
        for metric in report["metrics"]:
            kept = {field: metric[field] for field in FIELDS if field in metric}
            metrics.setdefault((metric["name"], metric["split"]), kept)
    return {"metrics": list(metrics.values()), "data": notes["data"], "limits": notes["limits"]}


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
