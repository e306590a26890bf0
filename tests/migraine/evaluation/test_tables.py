"""Tables of the evaluation: a row for each target, a column for each policy or metric."""

import dataclasses

from aline_tf.evaluation.results import Result
from aline_tf.migraine.evaluation.tables import beside_the_tables, by_metric, side_by_side, tables

ROWS = [
    Result("aline", "attack_24h", 0, "auc", 0.7, 0.01, 40),
    Result("base rate", "attack_24h", 0, "auc", 0.5, float("nan"), 40),
    Result("aline", "attack_24h | diary: none", 0, "auc", 0.6, 0.02, 9),
]


def test_policies_stand_side_by_side_and_a_missing_cell_is_a_dash():
    head, _, line = side_by_side(ROWS[:2]).split("\n")
    assert head.split() == ["target", "metric", "aline", "base", "rate"]
    assert line.split() == ["attack_24h", "auc", "0.700", "+-", "0.010", "0.500"]
    other = dataclasses.replace(ROWS[2], policy="other")
    first, second = side_by_side([ROWS[0], other]).split("\n")[2:]
    assert first.split()[-1] == "-" and second.split()[-4:] == ["-", "0.600", "+-", "0.020"]


def test_groups_are_shown_with_their_number_of_people():
    assert by_metric(ROWS[2:]).split("\n")[-1].split()[-4:] == ["9", "0.600", "+-", "0.020"]


def test_parts_that_were_not_measured_have_no_table():
    text = tables(ROWS)
    assert "Forecasts at 20:00" in text and "Burden" not in text and "Prompting" not in text
    assert "told filter: the known-parameter filter" in beside_the_tables()
