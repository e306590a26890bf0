"""Bars of the misfit promise: false alarms, and power beside the exact test's."""

from types import SimpleNamespace

import numpy as np
import pytest

from aline_tf.evaluation import misfit
from aline_tf.evaluation.misfit import WELL_SPECIFIED, Detection
from aline_tf.evaluation.promises.misfit import figures
from aline_tf.tasks import Psychometric


def examined_with(strangers):
    return SimpleNamespace(
        task=Psychometric(),
        aline=None,
        policy=None,
        misfits=(strangers, lambda design, outcome: None),
        misfit_runs=100,
        runs=SimpleNamespace(theta=np.zeros((400, 4)), seed=3),
    )


@pytest.mark.parametrize("alarms, power, holds", [(0.01, 0.7, True), (0.05, 0.6, False)])
def test_bars_are_those_of_the_exact_test(monkeypatch, alarms, power, holds):
    asked = {}

    def rates(model, task, kinds, runs, **settings):
        asked.update(kinds=list(kinds), runs=runs, seed=settings["seed"])
        return [
            Detection(WELL_SPECIFIED, "session", alarms, runs),
            Detection("coin", "session", power, runs),
            Detection("coin", "exact", 0.8, runs),
        ]

    monkeypatch.setattr(misfit, "detections", rates)
    rows = list(figures(examined_with({"coin": None})))
    assert asked == {"kinds": [WELL_SPECIFIED, "coin"], "runs": 100, "seed": 3}
    assert [row.holds for row in rows] == [holds, holds, None]
    assert rows[1].low == pytest.approx(0.64)


def test_a_task_without_strangers_has_no_figures():
    assert not list(figures(examined_with({})))
