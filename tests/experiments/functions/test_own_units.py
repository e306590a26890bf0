"""Functions told in other units: measured by sessions, and the same in all of them."""

import numpy as np
import pytest

from aline_tf.acquisition import Session
from aline_tf.experiments.functions.own_units import _predicted, units_results
from aline_tf.models.aline import ALINE
from aline_tf.tasks.gp import GP1D


@pytest.fixture(scope="module")
def model():
    return ALINE.from_preset("gp1d")


def test_units_do_not_matter(model):
    changes = ((1.0, 0.0), (1e-3, 1000.0), (1e6, -1000.0))
    found = units_results(model, GP1D(), runs=6, steps=8, candidates=40, changes=changes)
    assert [(each.factor, each.shift) for each in found] == list(changes)
    assert found[0].ratio == 1.0
    for each in found:
        assert each.ratio == pytest.approx(1.0, abs=0.02)
        assert each.coverage == pytest.approx(found[0].coverage, abs=0.02)
        assert 0.75 < each.coverage < 1.0


def test_predictions_side_by_side_are_those_of_each_session(model):
    rng = np.random.default_rng(0)
    sessions = []
    for _ in range(2):
        designs = rng.uniform(-5, 5, (3, 1))
        session = Session(model, [[0.0]], target="", target_designs=designs)
        for place in range(-4, 5, 2):
            session.tell([place], 100.0 * np.sin(place))
        sessions.append(session)
    mean, sd, quantiles = _predicted(model, sessions)
    for row, session in enumerate(sessions):
        alone = session.predict(session.target_designs)
        np.testing.assert_allclose(mean[row], [each.mean for each in alone], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(sd[row], [each.sd for each in alone], rtol=1e-3)
        np.testing.assert_allclose(
            quantiles[row], [each.quantiles for each in alone], rtol=1e-3, atol=0.05
        )
