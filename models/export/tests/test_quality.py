"""What a manifest keeps of reports."""

from __future__ import annotations

from evaluate.bootstrap import Estimate
from evaluate.metric import Metric
from evaluate.quality import quality


def test_the_first_report_counts_and_details_are_left_out() -> None:
    first = Metric.of("recall", "val", Estimate(0.5, 0.4, 0.6), 10, 0.01, {"MiniLM": 0.7}).plain()
    again, other = {**first, "value": 0.9}, Metric.of("CIDEr-D", "val", Estimate(0.6, 0.5, 0.7), 10).plain()
    notes = {"data": ["photos"], "limits": ["no text"]}
    found = quality([{"metrics": [first]}, {"metrics": [again, other]}], notes)
    assert found == {
        "metrics": [
            {"name": "recall", "split": "val", "value": 0.5, "low": 0.4, "high": 0.6, "blind": 0.01},
            {"name": "CIDEr-D", "split": "val", "value": 0.6, "low": 0.5, "high": 0.7},
        ],
        **notes,
    }
