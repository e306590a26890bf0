"""Joint posteriors: the product of marginals has no share of the gain, the exact joint has all."""

import numpy as np
import pytest

from aline_tf.evaluation.promises import joint
from tests.evaluation.promises.conftest import NODES, ForgetsKnown


def by_name(figures):
    return {row.measured: row for row in figures}


def test_the_exact_joint_holds_every_bar(examined):
    rows = by_name(joint.figures(examined()))
    assert rows["gain over marginals / exact"].figure == pytest.approx(1.0, abs=0.12)
    assert rows["two orders of the chain differ, nats"].figure == 0.0
    assert rows["correlations of the worst pair: rms error"].figure == pytest.approx(0.0, abs=1e-9)
    assert all(row.holds for row in rows.values())


def test_the_product_of_marginals_gains_nothing(examined):
    rows = by_name(joint.figures(examined(ForgetsKnown(**NODES))))
    assert rows["gain over marginals / exact"].figure == pytest.approx(0.0, abs=1e-9)
    for what in ("mean", "rms"):
        assert not rows[f"correlations of the worst pair: {what} error"].holds


def test_the_scatter_of_draws_is_no_error(examined):
    """Correlations from few draws of the exact joint are no farther away than they must be."""

    class Draws(type(examined().exact)):
        def correlation(self, batch):
            rng, found = np.random.default_rng(0), []
            for matrix in super().correlation(batch):
                drawn = rng.multivariate_normal(np.zeros(4), matrix, 60, method="cholesky")
                found.append(np.corrcoef(drawn.T))
            return np.stack(found)

        def correlation_draws(self):
            return 60

    rows = by_name(joint.figures(examined(Draws(**NODES))))
    assert rows["correlations of the worst pair: rms error"].figure < 0.08
