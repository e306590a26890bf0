"""The oracle of the promises against sums over an even grid that share no code with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.batch import NO_ANSWER
from aline_tf.batch_ops import condition_on, from_history
from aline_tf.experiments.psychometric.exact_inference import PsychometricInference
from aline_tf.tasks.psychometric import SPEC

LOW, HIGH = np.array([-3.0, 0.1, 0.1, 0.0]), np.array([3.0, 2.0, 0.9, 0.5])
SIZES = (48, 28, 9, 9)


class EvenGrid:
    """Middles of equal cells, every node visited for every answer."""

    def __init__(self, known=()):
        self.axes = [
            np.array([known[p]])
            if p in known
            else LOW[p] + (HIGH[p] - LOW[p]) * (np.arange(n) + 0.5) / n
            for p, n in enumerate(SIZES)
        ]
        self.nodes = np.stack(np.meshgrid(*self.axes, indexing="ij"), -1).reshape(-1, 4)

    def yes(self, stimulus):
        threshold, slope, guess, lapse = self.nodes.T
        rise = 1 - np.exp(-(10.0 ** np.minimum((stimulus - threshold) / slope, 4.0)))
        return guess * lapse + (1 - lapse) * rise

    def weights(self, design, outcome):
        found = np.ones(len(self.nodes))
        for x, y in zip(design, outcome, strict=True):
            found *= self.yes(x) if y > 0.5 else 1 - self.yes(x)
        self.evidence = found.mean()
        return found / found.sum()


def entropy(p):
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -p * np.log(p) - (1 - p) * np.log(1 - p)


TRIAL = st.tuples(st.floats(-5, 5, width=32), st.booleans(), st.booleans())


def batch_of(trials):
    """A Batch of one row, and the trials that were answered."""
    design = np.array([x for x, _, _ in trials]).reshape(1, -1, 1)
    outcome = np.array([float(y) for _, y, _ in trials]).reshape(1, -1, 1)
    batch = from_history(SPEC.sizes, design, outcome)
    answered = np.array([there for _, _, there in trials], bool)
    batch["context_status"][0, ~answered] = NO_ANSWER
    return batch, design[0, answered, 0], outcome[0, answered, 0]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    trials=st.lists(TRIAL, max_size=12),
    which=st.sampled_from([(), (0,), (1,), (3,), (1, 2)]),
    place=st.tuples(*[st.floats(0.1, 0.9)] * 4),
)
def test_moments_and_densities_are_those_of_sums_over_a_grid(trials, which, place):
    batch, design, outcome = batch_of(trials)
    theta = LOW + np.array(place) * (HIGH - LOW)
    known = {p: float(np.float32(theta[p])) for p in which}
    batch = condition_on(batch, theta[None], np.isin(np.arange(4), which))
    grid = EvenGrid(known)
    weights = grid.weights(design, outcome)
    mean = weights @ grid.nodes
    sd = np.sqrt(weights @ np.square(grid.nodes - mean))
    found = PsychometricInference().summary(batch, theta[None])
    free = ~np.isin(np.arange(4), which)
    scale = np.where(free, np.maximum(sd, 0.02), 1.0)
    assert np.abs((found.mean[0] - mean) / scale).max() < 0.03
    assert np.abs((found.sd[0] - sd) / scale).max() < 0.03
    for p in np.flatnonzero(free):
        # The marginal density at the very value: one more parameter held.
        held = EvenGrid(known | {int(p): theta[p]})
        held.weights(design, outcome)
        density = np.log(held.evidence / grid.evidence / (HIGH[p] - LOW[p]))
        assert found.log_density[0, p] == pytest.approx(density, abs=0.03)
        # The mass of a cell is spread evenly over it.
        edges = np.linspace(LOW[p], HIGH[p], SIZES[p] + 1)
        rest = tuple(q for q in range(4) if q != p)
        shape = [len(axis) for axis in grid.axes]
        cdf = np.append(0.0, np.cumsum(weights.reshape(shape).sum(rest)))
        for value, share in ((found.low, 0.05), (found.high, 0.95)):
            assert np.interp(value[0, p], edges, cdf) == pytest.approx(share, abs=0.01)
        assert found.below[0, p] == pytest.approx(np.interp(theta[p], edges, cdf), abs=0.01)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(trials=st.lists(TRIAL, max_size=10), place=st.tuples(*[st.floats(0.05, 0.95)] * 4))
def test_joint_density_and_correlations(trials, place):
    batch, design, outcome = batch_of(trials)
    theta = LOW + np.array(place) * (HIGH - LOW)
    grid, exact = EvenGrid(), PsychometricInference()
    weights = grid.weights(design, outcome)
    held = EvenGrid(dict(enumerate(theta)))
    held.weights(design, outcome)
    density = np.log(held.evidence / grid.evidence / np.prod(HIGH - LOW))
    assert exact.joint_log_prob(batch, theta[None])[0] == pytest.approx(density, abs=0.03)
    assert exact.joint_log_prob(batch, theta[None] + 9.0)[0] == -np.inf
    apart = np.ones(SIZES)
    for p in range(4):
        rest = tuple(q for q in range(4) if q != p)
        apart = apart * weights.reshape(SIZES).sum(rest, keepdims=True)
    known = np.log(np.maximum(weights, 1e-300) / np.maximum(apart.ravel(), 1e-300))
    drawn = exact.joint_draws(batch, 3)
    assert drawn.expected_gain[0] == pytest.approx((weights * known).sum(), abs=0.02)
    for k in range(3):
        point = drawn.theta[:, k]
        assert exact.joint_log_prob(batch, point) == pytest.approx(drawn.log_prob[:, k], abs=1e-4)
        marginal = exact.summary(batch, point).log_density.sum()
        assert drawn.log_prob[0, k] - drawn.gain[0, k] == pytest.approx(marginal, abs=0.05)
    away = grid.nodes - weights @ grid.nodes
    covariance = (away * weights[:, None]).T @ away
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(
        exact.correlation(batch)[0], covariance / np.outer(sd, sd), atol=0.03
    )


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    trials=st.lists(TRIAL, max_size=8),
    selected=st.sampled_from([(0, 1), (2, 3), (0,), (3,), (1, 2), (0, 1, 3), (0, 1, 2, 3)]),
    target=st.floats(-4, 4, width=32),
)
def test_expected_gains_are_those_of_sums_over_a_grid(trials, selected, target):
    batch, design, outcome = batch_of(trials)
    pool = np.array([-4.5, -1.0, 0.3, 2.0, 4.9])
    batch |= {
        "candidate_design": pool.reshape(1, -1, 1).astype(np.float32),
        "candidate_mask": np.ones((1, 5), bool),
    }
    grid, exact = EvenGrid(), PsychometricInference()
    weights = grid.weights(design, outcome)
    yes = np.stack([grid.yes(x) for x in pool])
    # About parameters: what is left of the entropy when those selected are known.
    rest = tuple(p for p in range(4) if p not in selected)
    mass = weights.reshape(SIZES).sum(rest)
    left = []
    for chance in yes:
        given_selected = (weights * chance).reshape(SIZES).sum(rest) / mass
        left.append((mass * entropy(given_selected)).sum())
    gain = entropy(yes @ weights) - np.array(left)
    batch["theta_mask"][0] = np.isin(np.arange(4), selected)
    np.testing.assert_allclose(exact.gain(batch)[0], gain, atol=0.005)
    # About a prediction: all four pairs of answers.
    there = grid.yes(target)
    cells = np.stack([(a * b) @ weights for a in (yes, 1 - yes) for b in (there, 1 - there)])
    joint = -(cells * np.log(np.maximum(cells, 1e-300))).sum(0)
    gain = entropy(yes @ weights) + entropy(there @ weights) - joint
    batch |= {
        "theta_mask": np.zeros((1, 4), bool),
        "target_design": np.float32([[[target]]]),
        "target_mask": np.ones((1, 1), bool),
    }
    np.testing.assert_allclose(exact.gain(batch)[0], gain, atol=0.003)


def test_hundreds_of_trials_stay_as_sharp_as_more_nodes_say():
    rng = np.random.default_rng(0)
    theta = np.array([[0.5, 0.15, 0.4, 0.1]])
    design = rng.uniform(-5, 5, (1, 400))
    chance = 0.04 + 0.9 * (1 - np.exp(-(10.0 ** np.minimum((design - 0.5) / 0.15, 4.0))))
    outcome = (rng.random((1, 400)) < chance).astype(float)
    batch = from_history(SPEC.sizes, design[..., None], outcome[..., None])
    usual = PsychometricInference().summary(batch, theta)
    finer = PsychometricInference((64, 32, 12, 12), (64, 40, 20, 20)).summary(batch, theta)
    assert np.abs((usual.mean - finer.mean) / finer.sd).max() < 0.03
    np.testing.assert_allclose(usual.sd, finer.sd, rtol=0.03)
    assert (usual.sd[0, 0] < 0.2).all()


def test_answers_that_nothing_explains_do_not_break_it():
    # Lapses have a chance of at most one half: fifty no's at the top are next to impossible.
    batch = from_history(SPEC.sizes, np.full((1, 300, 1), 5.0), np.zeros((1, 300, 1)))
    found = PsychometricInference().summary(batch, np.full((1, 4), 0.3))
    assert np.isfinite(found.mean).all()
    assert found.mean[0, 3] > 0.45
