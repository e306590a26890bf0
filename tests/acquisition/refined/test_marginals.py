"""Weighted draws as distributions: moments, quantiles and entropies are those of the draws."""

import math

import numpy as np
import pytest

from aline_tf.acquisition.refined.marginals import (
    refined_distributions,
    refined_entropies,
    refined_marginals,
)
from aline_tf.acquisition.refined.refinement import WeightedDraws
from aline_tf.acquisition.session import Session
from aline_tf.models.aline import ALINE
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.psychometric import SPEC

EVERY = TaskSpec(
    "every", ("x",), (0.0,), (1.0,), (Channel("y"),), (Channel("y"),),
    (Parameter("share", low=0.0, high=1.0), Parameter("shift", "real", scale=2.0),
     Parameter("flag", "binary"), Parameter("effect", "spike_slab")), horizon=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def posterior():
    """Half of the draws at twice the weight of the others, so that weights matter."""
    rng, count = np.random.default_rng(0), 4000
    theta = np.stack(
        [
            rng.beta(5.0, 9.0, count),
            rng.normal(1.0, 0.5, count),
            (rng.random(count) < 0.3).astype(float),
            np.where(rng.random(count) < 0.25, rng.normal(2.0, 1.0, count), 0.0),
        ],
        axis=1,
    )
    weight = np.where(np.arange(count) % 2, 2.0, 1.0)
    return WeightedDraws(theta, weight / weight.sum())


def test_moments_and_quantiles_are_those_of_the_draws(posterior):
    made, figures = refined_distributions(EVERY, posterior), refined_marginals(EVERY, posterior)
    for name, marginal in figures.items():
        assert float(made[name].mean()[0]) == pytest.approx(marginal.mean, abs=0.01 * marginal.sd)
        assert float(made[name].stddev()[0]) == pytest.approx(marginal.sd, rel=0.02)
    for name in ("share", "shift"):
        for level, value in zip(
            figures[name].quantile_levels, figures[name].quantiles, strict=True
        ):
            found = float(made[name].quantile(np.float32(level))[0])
            assert found == pytest.approx(value, abs=0.05 * figures[name].sd)
    assert figures["flag"].probability == pytest.approx(0.3, abs=0.03)


def test_entropies_are_those_of_what_was_drawn_from(posterior):
    def binary(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    found = refined_entropies(EVERY, posterior)
    normal = 0.5 * math.log(2 * math.pi * math.e)
    assert found["shift"] == pytest.approx(normal + math.log(0.5), abs=0.04)
    assert found["flag"] == pytest.approx(binary(0.3), abs=0.02)
    assert found["effect"] == pytest.approx(binary(0.25) + 0.25 * normal, abs=0.05)


def test_a_parameter_of_one_value_has_next_to_no_width():
    single = WeightedDraws(np.array([[0.5, 1.0, 1.0, 0.0]]), np.ones(1))
    made = refined_distributions(EVERY, single)
    assert float(made["share"].mean()[0]) == pytest.approx(0.5, abs=1e-4)
    assert float(made["share"].stddev()[0]) < 1e-3 and float(made["effect"].mean()[0]) == 0.0
    assert refined_entropies(EVERY, single)["effect"] == pytest.approx(0.0, abs=1e-6)


def test_whatever_a_session_says_of_a_marginal_is_refined_together():
    model = ALINE(SPEC, hidden_dim=16, num_layers=1, num_heads=2, intermediate_dim=16, components=2)
    model.build()
    session = Session(model, np.linspace(-5, 5, 21)[:, None], known={"lapse": 0.1})
    for index in range(0, 20, 2):
        session.tell(index, float(index > 9))
    marginals, made = session.posterior(), session.distributions()
    for name in ("threshold", "slope", "guess"):
        assert float(made[name].mean()[0]) == pytest.approx(marginals[name].mean, abs=0.02)
        assert float(made[name].stddev()[0]) == pytest.approx(marginals[name].sd, rel=0.05)
        assert session.quantile(0.5)[name] == pytest.approx(marginals[name].quantiles[2])
    entropy = session.entropy()
    assert entropy["lapse"] == 0.0 and entropy["threshold"] < math.log(6.0)
    assert entropy["threshold"] == pytest.approx(float(made["threshold"].entropy()[0]), abs=1e-3)
