"""Functions unlike those of training: their rescaling, and policies asked within them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.acquisition.baselines.gp_regression import unit_kernel
from aline_tf.acquisition.policies import Policy, RescaledPolicy
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.units.rescaling import (
    ProcessGrids,
    TrainingRange,
    estimate_rescaling,
    estimate_scales,
)


def points(count, dims, seed=0):
    return np.random.default_rng(seed).uniform(-5, 5, (count, dims))


def batch_of(function, seen=8, rows=3, dims=2):
    batch = empty_batch({"B": rows, "C": seen + 2, "D": dims, "F": 1, "P": 2, "M": 4, "N": 5})
    for name in ("context_design", "candidate_design", "target_design"):
        batch[name][:] = points(rows * batch[name].shape[1], dims).reshape(batch[name].shape)
    batch["context_outcome"][..., 0] = function(batch["context_design"])
    batch["context_status"][:] = OBSERVED
    batch["context_mask"][:, :seen] = True
    batch["candidate_mask"][:] = True
    return batch


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize(("factor", "shift"), [(1e5, -3e5), (1e-4, 7.0), (-2.0, 0.0)])
def test_units_of_the_outcome_do_not_matter(dims, factor, shift):
    design = points(12, dims)
    outcome = np.sin(design).sum(1)
    offset, scale, shrink = estimate_rescaling(design, outcome)
    moved = estimate_rescaling(design, factor * outcome + shift)
    assert moved[0] == pytest.approx(factor * offset + shift, rel=1e-6)
    assert moved[1] == pytest.approx(abs(factor) * scale, rel=1e-6)
    np.testing.assert_allclose(moved[2], shrink, rtol=1e-6)


def test_a_function_of_the_prior_is_left_nearly_as_it_is():
    offsets, scales, shrinks = [], [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        design = points(30, 2, seed)
        square = np.square(design[:, None] - design).sum(-1)
        covariance = 0.55 * np.exp(-0.5 * square / 1.2**2)
        factor = np.linalg.cholesky(covariance + 1e-4 * np.eye(30))
        offset, scale, shrink = estimate_rescaling(design, factor @ rng.standard_normal(30))
        offsets.append(offset)
        scales.append(scale)
        shrinks.append(shrink[0])
    assert np.abs(np.mean(offsets)) < 0.15
    assert np.median(scales) == pytest.approx(1.0, abs=0.25)
    assert np.mean(shrinks) > 0.9


def test_the_outcomes_of_one_dimension_fill_the_range():
    design = points(30, 1)
    outcome = 40.0 + np.square(design[:, 0]) + np.sin(9.0 * design[:, 0])
    offset, scale, _ = estimate_rescaling(design, outcome)
    assert np.abs((outcome - offset) / scale).max() == pytest.approx(2.5)


def test_a_direction_in_which_nothing_happens_is_shrunk():
    design = points(30, 2)
    _, _, shrink = estimate_rescaling(design, np.sin(2.0 * design[:, 0]))
    assert shrink[0] > 0.7
    assert shrink[1] < 0.4


def test_designs_of_many_dimensions_are_scaled_too():
    design = points(30, 12)
    outcome = 500.0 + 20.0 * np.sin(design[:, 0])
    offset, scale, shrink = estimate_rescaling(design, outcome)
    assert 480 < offset < 520 and 5 < scale < 40
    assert shrink.shape == (12,) and ((shrink > 0) & (shrink <= 1)).all()


def test_one_spike_stays_within_the_range():
    design = points(30, 2)
    outcome = np.exp(-np.square(design - design[0]).sum(1)) * 1e4
    offset, scale, _ = estimate_rescaling(design, outcome)
    scaled = (outcome - offset) / scale
    assert np.abs(scaled).max() <= 2.5 + 1e-9
    assert np.ptp(scaled) > 1.0


def test_many_observations_of_one_place_count_as_few():
    designs = points(6, 1, seed=4)
    outcome = np.array([1.0, -1.0, 0.5, -0.4, 0.2, -0.3])
    alone = estimate_rescaling(designs, outcome)
    crowd = designs[0] + 1e-3 * np.arange(30)[:, None]
    crowded = estimate_rescaling(np.vstack([designs, crowd]), np.append(outcome, np.full(30, 1.0)))
    # The mean of all 36 outcomes is above .8.
    assert crowded[0] < 0.45
    assert alone[0] < 0.3


@pytest.mark.parametrize("outcome", [[], [0.0], [-7.0], [3.0, 3.0, 3.0]])
def test_little_or_nothing_seen_gives_a_usable_rescaling(outcome):
    design = points(len(outcome), 2)
    offset, scale, shrink = estimate_rescaling(design, np.array(outcome))
    assert np.isfinite([offset, scale]).all() and scale > 0
    np.testing.assert_array_equal(shrink, [1.0, 1.0])
    if outcome:
        assert offset == outcome[0]


def test_outcomes_go_to_the_model_and_back():
    rescaling = TrainingRange().rescaling(batch_of(lambda x: 300 + 50 * np.sin(x).sum(-1)))
    outcome = np.linspace(200, 400, 12).reshape(3, 4)
    there = rescaling.outcome_to_model(outcome)
    np.testing.assert_allclose(rescaling.outcome_from_model(there), outcome, rtol=1e-5)
    # A density in natural units: its integral over outcomes is that of the scaled one.
    grid = np.linspace(-2000, 2000, 20_001)
    scaled = rescaling.outcome_to_model(np.tile(grid, (3, 1)))
    log_density = rescaling.log_density_from_model(-0.5 * scaled**2 - 0.5 * np.log(2 * np.pi))
    np.testing.assert_allclose(np.exp(log_density).sum(1) * (grid[1] - grid[0]), 1.0, rtol=1e-3)


def test_only_the_observed_context_is_looked_at():
    batch = batch_of(lambda x: np.cos(x).sum(-1))
    found = TrainingRange().rescaling(batch)
    batch["context_outcome"][:, 8:] = 1e6
    batch["target_design"][:] = 0.0
    again = TrainingRange().rescaling(batch)
    np.testing.assert_array_equal(again.scale, found.scale)
    np.testing.assert_array_equal(again.shrink, found.shrink)


def test_a_rescaled_policy_is_queried_in_the_models_range():
    class Recorder(Policy):
        def _choose(self, batch, mask):
            self.observed = batch
            return np.full(len(mask), 3)

    recorder, training_range = Recorder(), TrainingRange()
    batch = batch_of(lambda x: 1e4 * x[..., 0] ** 2)
    policy = RescaledPolicy(recorder, training_range)
    np.testing.assert_array_equal(policy.choose(batch), [3, 3, 3])
    seen = batch["context_mask"]
    assert np.abs(recorder.observed["context_outcome"][seen]).max() <= 2.5 + 1e-6
    shrink = training_range.rescaling(batch).shrink
    np.testing.assert_allclose(
        recorder.observed["candidate_design"],
        batch["candidate_design"] * shrink[:, None],
        rtol=1e-6,
    )
    for name in ("context_design", "candidate_design", "target_design", "context_outcome"):
        assert recorder.observed[name].dtype == np.float32


def prior_function(seed, count=15, variance=0.5, lengthscale=1.2):
    rng = np.random.default_rng(seed)
    design = rng.uniform(-5, 5, (count, 1))
    covariance = variance * unit_kernel("rbf", np.array([lengthscale]))(design)
    factor = np.linalg.cholesky(covariance + 1e-4 * np.eye(count))
    return design, factor @ rng.standard_normal(count)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**16), st.integers(2, 30), st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
def test_likely_scales_follow_any_affine_map(seed, count, factor, shift):
    design, outcome = prior_function(seed, count)
    offset, scales = estimate_scales(design, outcome)
    moved_offset, moved_scales = estimate_scales(design, factor * outcome + shift)
    # 16 digits, of which a shift takes some.
    room = 1e-6 + 1e-9 * abs(shift) / factor
    assert (moved_offset - shift) / factor == pytest.approx(offset, rel=room, abs=room)
    np.testing.assert_allclose(moved_scales / factor, scales, rtol=room)


def test_the_true_scale_is_one_of_the_likely_ones_as_often_as_it_should():
    inside = []
    for seed in range(150):
        variance = np.random.default_rng(seed).uniform(0.1, 1.0)
        _, scales = estimate_scales(*prior_function(seed, 12, variance))
        assert (np.diff(scales) >= 0.0).all() and scales[0] > 0.0
        inside.append((scales < 1.0).mean())
    # Shares of the scales below the true one are spread evenly if each is as likely.
    shares = np.array(inside)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.15)
    assert 0.05 < np.mean(shares == 0.0) < 0.3 and 0.02 < np.mean(shares == 1.0) < 0.3


@pytest.mark.parametrize("outcome", [[], [0.0], [-7.0], [3.0, 3.0, 3.0]])
def test_of_one_outcome_the_scale_is_at_least_that_of_training(outcome):
    offset, scales = estimate_scales(points(len(outcome), 1), np.array(outcome))
    assert offset == (outcome[0] if outcome else 0.0)
    np.testing.assert_array_equal(scales, max([1.0, *np.abs(outcome)]))


def test_no_likely_scale_makes_an_outcome_that_training_never_has():
    design = points(30, 1)
    outcome = np.exp(-np.square(design[:, 0] - design[0, 0]) * 9.0) * 1e4
    offset, scales = estimate_scales(design, outcome)
    assert np.abs((outcome - offset) / scales[0]).max() <= 3.5 + 1e-9


@pytest.mark.parametrize("dims", [1, 2])
def test_grids_that_have_seen_other_histories_find_the_same(dims):
    rng, grids = np.random.default_rng(dims), ProcessGrids(dims)
    design = points(20, dims)
    for count in (1, 2, 3, 9, 5, 20, 20, 4):
        outcome = rng.standard_normal(count)
        for estimate in (estimate_rescaling, estimate_scales):
            fresh = estimate(design[:count], outcome)
            for one, other in zip(
                estimate(design[:count], outcome, grids=grids), fresh, strict=True
            ):
                np.testing.assert_allclose(one, other, rtol=1e-9)
