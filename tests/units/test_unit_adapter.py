"""A user's units: there and back, composed, bounded, and with the right densities."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.batch import empty_batch
from aline_tf.errors import InputError
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.units import UnitAdapter

SPEC = TaskSpec(
    name="surface",
    design_names=("x", "z"),
    design_low=(-5.0, 0.0),
    design_high=(5.0, 2.0),
    fields=(Channel("y", loc=1.0, scale=2.0),),
    outcomes=(Channel("y", loc=1.0, scale=2.0),),
    parameters=(
        Parameter("place", low=-3.0, high=3.0, axis=1),
        Parameter("width", low=0.1, high=2.0, scales_with=(("x", 1),)),
        Parameter("slope", "real", loc=1.0, scale=3.0, scales_with=(("y", 1), ("z", -1))),
        Parameter("effect", "spike_slab", scale=2.0, scales_with=(("y", 1),)),
        Parameter("share", low=0.0, high=1.0),
        Parameter("there", "binary"),
    ),
    horizon=5,
)
CODED = TaskSpec(
    name="coded",
    design_names=("dose", "first", "second"),
    design_low=(0.0, 0.0, 0.0),
    design_high=(4.0, 1.0, 1.0),
    fields=(Channel("y", "binary"),),
    outcomes=(Channel("y", "binary"),),
    parameters=(),
    horizon=5,
    one_of=(("first", "second"),),
)
locs = st.floats(-1e6, 1e6)
scales = st.floats(1e-3, 1e6)
adapters = st.builds(
    lambda loc, scale, a, b: UnitAdapter(tuple(loc), tuple(scale), a, b),
    st.lists(locs, min_size=2, max_size=2),
    st.lists(scales, min_size=2, max_size=2),
    locs,
    scales,
)
everywhere = settings(max_examples=60, deadline=None, derandomize=True)


def close(first, second, size):
    """Equal but for the rounding of numbers of a certain size."""
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12 * np.max(size) + 1e-12)


@everywhere
@given(adapters, st.integers(0, 2**16))
def test_there_and_back_is_where_one_was(units, seed):
    rng = np.random.default_rng(seed)
    design, outcome = rng.normal(size=(4, 2)), rng.normal(size=7)
    size = np.abs(units.design_loc) / units.design_scale
    close(units.design_to_model(units.design_from_model(design)), design, size)
    size = abs(units.outcome_loc) / units.outcome_scale
    close(units.outcome_to_model(units.outcome_from_model(outcome)), outcome, size)
    theta = rng.normal(size=(3, 6))
    loc, scale = units.parameter_maps(SPEC)
    there = units.theta_from_model(SPEC, theta)
    close(units.theta_to_model(SPEC, there), theta, np.abs(loc) / scale)


@everywhere
@given(adapters, adapters, st.integers(0, 2**16))
def test_two_after_another_are_one(outer, inner, seed):
    rng = np.random.default_rng(seed)
    design, outcome = rng.normal(size=(4, 2)), rng.normal(size=7)
    both = outer.then(inner)
    expected = outer.design_from_model(inner.design_from_model(design))
    np.testing.assert_allclose(both.design_from_model(design), expected, rtol=1e-9, atol=1e-6)
    expected = outer.outcome_from_model(inner.outcome_from_model(outcome))
    np.testing.assert_allclose(both.outcome_from_model(outcome), expected, rtol=1e-9, atol=1e-6)


@everywhere
@given(adapters)
def test_it_travels_as_json(units):
    assert UnitAdapter.from_dict(json.loads(json.dumps(units.to_dict()))) == units


@everywhere
@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5))
def test_bounds_become_the_trained_ones(low, width):
    units = UnitAdapter.from_bounds(SPEC, (low, low + width))
    edges = units.design_to_model([[low, low], [low + width, low + width]])
    np.testing.assert_allclose(edges, [SPEC.design_low, SPEC.design_high], atol=1e-6)
    if np.float32(low) == np.float32(low + width):
        with pytest.raises(ValueError, match="differ in float32"):
            units.spec(SPEC)
        return
    moved = units.spec(SPEC)
    np.testing.assert_allclose(moved.design_low, low, atol=1e-9 * (1 + abs(low)))
    assert units.outcome_scale == 1.0 and moved.fields == SPEC.fields


def test_bounds_by_name_leave_the_others():
    units = UnitAdapter.from_bounds(SPEC, {"z": (0, 200)})
    assert units == UnitAdapter((0.0, 0.0), (1.0, 100.0))
    each = UnitAdapter.from_bounds(SPEC, ([-50, 0], [50, 2]))
    assert each == UnitAdapter((0.0, 0.0), (10.0, 1.0))
    assert UnitAdapter.from_bounds(CODED, {"dose": (0, 8)}).design_scale == (2.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((1.0, 1.0), "low < high"),
        ((0.0, float("inf")), "low < high"),
        ((0.0, 1.0, 2.0), "as .low, high."),
        ("ab", "as .low, high."),
        (3.0, "as .low, high."),
        ({"q": (0, 1)}, "of x, z; received 'q'"),
        ({"x": 3}, "as .low, high. of x"),
        ({"x": ("a", "b")}, "finite numbers as x"),
        (([0, 0, 0], [1, 1, 1]), "2 each"),
        (("a", "b"), "2 each"),
    ],
)
def test_bounds_that_cannot_be_are_refused(bounds, message):
    with pytest.raises(InputError, match=f"expected .*{message}"):
        UnitAdapter.from_bounds(SPEC, bounds)


def test_a_code_has_no_units():
    with pytest.raises(InputError, match="bounds 0 and 1 of first, which is a code"):
        UnitAdapter.from_bounds(CODED, (0, 10))
    with pytest.raises(InputError, match="no units of second, which is a code"):
        UnitAdapter((0.0, 0.0, 0.0), (1.0, 1.0, 2.0)).check(CODED)


@pytest.mark.parametrize(
    "numbers",
    [
        ((0.0,), (0.0,), 0.0, 1.0),
        ((0.0,), (1.0, 1.0), 0.0, 1.0),
        ((float("nan"),), (1.0,), 0.0, 1.0),
        ((0.0,), (1.0,), 0.0, -1.0),
        (("a",), (1.0,), 0.0, 1.0),
    ],
)
def test_numbers_that_are_no_units_are_refused(numbers):
    with pytest.raises(InputError, match=r"expected .*; received"):
        UnitAdapter(*numbers)


def test_units_of_another_task_are_refused():
    with pytest.raises(InputError, match="the 2 designs x, z; received 1"):
        UnitAdapter((0.0,), (1.0,)).check(SPEC)
    with pytest.raises(InputError, match="outcome is not one continuous number"):
        UnitAdapter((0.0,) * 3, (1.0,) * 3, 5.0).check(CODED)
    with pytest.raises(InputError, match="expected units with design_loc"):
        UnitAdapter.from_dict({"design_loc": [0.0]})


def test_parameters_follow_their_units():
    units = UnitAdapter((50.0, -7.0), (10.0, 3.0), 1000.0, 100.0)
    moved = {parameter.name: parameter for parameter in units.spec(SPEC).parameters}
    assert (moved["place"].low, moved["place"].high) == (-16.0, 2.0)
    assert (moved["width"].low, moved["width"].high) == pytest.approx((1.0, 20.0))
    assert (moved["slope"].loc, moved["slope"].scale) == pytest.approx((100 / 3, 100.0))
    assert (moved["effect"].loc, moved["effect"].scale) == (0.0, 200.0)
    assert moved["share"] == SPEC.parameters[4] and moved["there"] == SPEC.parameters[5]
    channel = units.spec(SPEC).fields[0]
    assert (channel.loc, channel.scale) == (1100.0, 200.0)


def test_a_batch_goes_to_the_model_and_its_padding_is_nought():
    units = UnitAdapter((50.0, 0.0), (10.0, 1.0), 1000.0, 100.0)
    batch = empty_batch(SPEC.sizes | {"C": 2, "N": 2, "M": 1})
    batch = {k: v.astype(float) if v.dtype.kind == "f" else v for k, v in batch.items()}
    batch["context_design"][0, 0], batch["context_outcome"][0, 0] = [100.0, 1.0], [1100.0]
    batch["context_mask"][0, 0] = batch["candidate_mask"][0, 1] = batch["known_mask"][0, 0] = True
    batch["candidate_design"][0, 1], batch["known_theta"][0, 0] = [0.0, 2.0], 1.5
    found = units.to_model(SPEC, batch)
    np.testing.assert_array_equal(found["context_design"][0], [[5.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(found["context_outcome"][0], [[1.0], [0.0]])
    np.testing.assert_array_equal(found["candidate_design"][0], [[-5.0, 0.0], [-5.0, 2.0]])
    np.testing.assert_array_equal(found["known_theta"][0], [1.5, 0, 0, 0, 0, 0])
    assert {k: v.dtype for k, v in found.items()} == {
        k: v.dtype for k, v in empty_batch(SPEC.sizes).items()
    }


def test_large_numbers_keep_their_small_differences():
    units = UnitAdapter((1.6e9, 0.0), (100.0, 1.0), 1000.0, 1e-3)
    batch = {"candidate_design": [[[1.6e9 + 1.0, 0.0]]], "context_outcome": [[[1000.0005]]]}
    found = units.to_model(SPEC, batch)
    assert found["candidate_design"][0, 0, 0] == pytest.approx(0.01, abs=1e-6)
    assert found["context_outcome"][0, 0, 0] == pytest.approx(0.5, abs=1e-6)
