"""Benchmark functions: values, minima and places known from the literature."""

import numpy as np
import pytest

from aline_tf.experiments.functions.benchmark_functions import BENCHMARKS, benchmarks_of

#: name, point of the function's own domain, value there.
KNOWN = [
    ("higdon", [2.5], 1.0),
    ("gramacy_1d", [0.55], np.sin(5.5 * np.pi) / 1.1 + 0.45**4),
    ("gramacy_1d", [2.5], 1.5**4),
    ("gramacy_2d", [-(2**-0.5), 0.0], -0.42888),
    ("goldstein_price", [0.0, -1.0], 3.0),
    ("goldstein_price", [-0.6, -0.4], 30.0),
    ("goldstein_price", [1.8, 0.2], 84.0),
    ("log_goldstein_price", [0.0, -1.0], (np.log(3.0) - 8.693) / 2.427),
    ("ackley", [0.0, 0.0], 0.0),
    ("branin", [-np.pi, 12.275], 0.397887),
    ("branin", [np.pi, 2.275], 0.397887),
    ("branin", [9.42478, 2.475], 0.397887),
    ("three_hump_camel", [0.0, 0.0], 0.0),
    ("three_hump_camel", [1.0, 0.0], 2.0 - 1.05 + 1.0 / 6.0),
]


def to_design(function, point):
    low, high = np.array(function.low), np.array(function.high)
    return 10.0 * (np.array(point) - low) / (high - low) - 5.0


@pytest.mark.parametrize(("name", "point", "value"), KNOWN)
def test_known_values_stand_at_their_places(name, point, value):
    function = BENCHMARKS[name]
    assert function.at(to_design(function, point)) == pytest.approx(value, abs=2e-5)


@pytest.mark.parametrize(
    ("name", "minimum"),
    [
        ("goldstein_price", 3.0),
        ("ackley", 0.0),
        ("branin", 0.397887),
        ("three_hump_camel", 0.0),
        ("gramacy_2d", -0.42889),
    ],
)
def test_nothing_is_below_the_known_minimum(name, minimum):
    line = np.linspace(-5, 5, 301)
    values = BENCHMARKS[name].at(np.stack(np.meshgrid(line, line), -1))
    assert values.min() >= minimum - 1e-5
    assert values.min() - minimum < 0.02 * values.std()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_any_leading_shape_is_evaluated_and_the_domain_is_filled(name):
    function = BENCHMARKS[name]
    design = np.random.default_rng(0).uniform(-5, 5, (2, 3, 4, function.dims))
    values = function.at(design)
    assert values.shape == (2, 3, 4)
    assert np.isfinite(values).all()
    assert values[1, 2, 3] == pytest.approx(function.at(design[1, 2, 3]))
    for corner, bound in ((-5.0, function.low), (5.0, function.high)):
        there = function.formula(np.array(bound, float))
        assert function.at(np.full(function.dims, corner)) == pytest.approx(there)


def test_the_spread_is_the_standard_deviation_over_the_domain():
    # Two sines over whole periods: variances 1/2 and .2^2 / 2.
    assert BENCHMARKS["higdon"].spread() == pytest.approx(np.sqrt(0.5 + 0.02), rel=1e-4)
    assert BENCHMARKS["log_goldstein_price"].spread() == pytest.approx(1.0, abs=0.01)


def test_every_function_belongs_to_a_task():
    assert set(benchmarks_of(1)) | set(benchmarks_of(2)) == set(BENCHMARKS)
    assert benchmarks_of(1) == ("higdon", "gramacy_1d")
