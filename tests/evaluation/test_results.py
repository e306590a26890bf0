"""The rows that every evaluation reports."""

import json

import numpy as np
import pytest

from aline_tf.evaluation.results import Result, format_table, machine, write_json


def test_a_row_averages_one_value_per_run():
    row = Result.of("random", "guess,lapse", 30, "rmse", np.array([1.0, 3.0]))
    assert (row.mean, row.n, row.step) == (2.0, 2, 30)
    assert row.ci95 == pytest.approx(1.96 * np.sqrt(2) / np.sqrt(2), rel=1e-3)


def test_json_holds_the_agreed_fields_and_null_for_what_does_not_exist(tmp_path):
    rows = [
        Result("p", "t", 5, "rmse", 0.5, 0.1, 7),
        Result("p", "t", 5, "ratio", np.nan, np.nan, 7),
    ]
    write_json(tmp_path / "rows.json", "psychometric", 3, rows)
    found = json.loads((tmp_path / "rows.json").read_text())
    assert set(found) == {"task", "machine", "seed", "rows"}
    assert (found["task"], found["seed"], found["machine"]) == ("psychometric", 3, machine())
    assert found["rows"][0] == {
        "policy": "p",
        "target": "t",
        "step": 5,
        "metric": "rmse",
        "mean": 0.5,
        "ci95": 0.1,
        "n": 7,
    }
    assert found["rows"][1]["mean"] is None


def test_table_has_a_line_per_policy_and_a_column_per_step():
    rows = [Result(p, "t", s, "rmse", s / 10, 0.01, 4) for p in ("b", "a") for s in (5, 30)]
    lines = format_table(rows).splitlines()
    assert lines[0].split("  ")[-1].strip() == "step 30"
    assert [line.split()[2] for line in lines[2:]] == ["b", "a"]
    assert "3.000 +- 0.010" in lines[2]
