"""What a manifest keeps of reports."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from evaluate.bootstrap import Estimate
from evaluate.calibration import calibrate
from evaluate.metric import Metric
from evaluate.quality import beside, quality

SHIPPED = {"weights": "as shipped", "arithmetic": "in the browser", "search": "beam 3"}
IN_PYTORCH = {"weights": "int8", "arithmetic": "float32", "search": "beam 3", "photos at most": 700}


def test_the_first_report_counts_and_each_figure_says_what_computed_it() -> None:
    first = Metric.of("recall", "val", Estimate(0.5, 0.4, 0.6), 10, 0.01, {"MiniLM": 0.7}).plain()
    again, other = {**first, "value": 0.9}, Metric.of("CIDEr-D", "val", Estimate(0.6, 0.5, 0.7), 10).plain()
    calibration = asdict(calibrate("match", np.array([0.9, 0.9, 0.2, 0.2]), np.array([1, 0, 0, 0]), ["a", "a", "b", "b"]))
    notes = {"data": ["photos"], "pipeline": ["trained"], "limits": ["no text"]}
    reports = [
        {"about": SHIPPED, "metrics": [first], "calibration": []},
        {"about": IN_PYTORCH, "metrics": [again, other], "calibration": [calibration]},
    ]
    found = quality(reports, {**notes, "more": ["is left out"]})
    shipped, pytorch = "as shipped, in the browser, beam 3", "int8, float32, beam 3, the first 700 photos of each set"
    assert found["metrics"] == [
        {"name": "recall", "split": "val", "value": 0.5, "low": 0.4, "high": 0.6, "count": 10, "blind": 0.01, "beside": [{"name": "MiniLM", "value": 0.7}], "by": shipped},
        {"name": "CIDEr-D", "split": "val", "value": 0.6, "low": 0.5, "high": 0.7, "count": 10, "by": pytorch},
    ]
    assert {name: found[name] for name in notes} == notes
    [kept] = found["calibration"]
    assert (kept["split"], kept["count"], kept["by"], kept["value"]) == ("match", 4, pytorch, 0.3)
    assert set(kept) == {"split", "value", "low", "high", "count", "temperature", "valueWithTemperature", "by"}


def test_an_amended_models_manifest_keeps_figures_that_no_report_has() -> None:
    def figure(name: str, value: float) -> dict:
        return {"name": name, "split": "val", "value": value}

    before = {
        "metrics": [figure("CIDEr-D", 0.5), figure("recall", 0.6)],
        "calibration": [{"split": "answers", "value": 0.1}, {"split": "match", "value": 0.2}],
        "limits": ["no text"],
    }
    found = {"metrics": [figure("CIDEr-D", 0.7)], "calibration": [{"split": "answers", "value": 0.3}], "limits": ["none"]}
    assert beside(found, before) == {
        "metrics": [figure("CIDEr-D", 0.7), figure("recall", 0.6)],
        "calibration": [{"split": "answers", "value": 0.3}, {"split": "match", "value": 0.2}],
        "limits": ["none"],
    }
    assert beside(found, {}) == found
