"""Bounds of the total information gain against cases whose gain is known exactly."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from aline_tf import draws
from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.errors import InputError
from aline_tf.evaluation import eig
from aline_tf.evaluation.simulated_runs import SimulatedRuns
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.ces import CES
from aline_tf.tasks.location_finding import LocationFinding
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.tasks.task import Task

NOISE = 0.5
STEPS = (1, 4)


class NormalMean(Task):
    """theta ~ N(0, 1), y ~ N(theta, NOISE^2): t outcomes bring log(1 + t / NOISE^2) / 2 nats."""

    spec = TaskSpec(
        name="normal_mean",
        design_names=("unused",),
        design_low=(0.0,),
        design_high=(1.0,),
        fields=(Channel("y"),),
        outcomes=(Channel("y"),),
        parameters=(Parameter("theta", "real"),),
        horizon=4,
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 1])

    def log_likelihood(self, theta, design, outcome):
        z = (outcome[..., 0] - theta[..., 0]) / NOISE
        return -0.5 * tf.square(z) - math.log(NOISE * math.sqrt(2 * math.pi))

    @staticmethod
    def gain(t):
        return 0.5 * math.log(1.0 + t / NOISE**2)


def numpy_likelihood(theta, design, outcome):
    return stats.norm.logpdf(outcome[..., 0], theta[..., 0], NOISE)


def histories(runs, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(runs, 1))
    outcome = theta[:, None] + NOISE * rng.normal(size=(runs, 4, 1))
    return theta, np.zeros((runs, 4, 1)), outcome


@pytest.fixture(scope="module")
def bounds():
    return eig.prior_bounds(NormalMean(), *histories(3000), STEPS, contrastive=300)


def test_the_bounds_hold_the_true_gain_between_them(bounds):
    for k, t in enumerate(STEPS):
        lower, upper = bounds.spce[:, k], bounds.snmc[:, k]
        tolerance = 3 * lower.std() / math.sqrt(len(lower))
        assert lower.mean() - tolerance < NormalMean.gain(t) < upper.mean() + tolerance
        # Both are tight here: 300 contrastive parameters for one and a half nats.
        assert upper.mean() - lower.mean() < 0.1
        assert abs(lower.mean() - NormalMean.gain(t)) < 0.1


def test_the_bounds_are_in_order(bounds):
    assert (bounds.spce.mean(0) < bounds.snmc.mean(0)).all()
    # Run by run, the true parameters pull the mean likelihood towards their own.
    assert (np.sign(bounds.spce) == np.sign(bounds.snmc)).all()
    assert (np.abs(bounds.spce) <= np.abs(bounds.snmc)).all()


def test_the_lower_bound_never_exceeds_its_cap():
    # A nearly noiseless history: the true gain is far above what two parameters can show.
    theta, design, _ = histories(200)
    found = eig.bounds_by_chunks(
        lambda theta, design, outcome: stats.norm.logpdf(outcome[..., 0], theta[..., 0], 1e-3),
        theta,
        design,
        np.repeat(theta[:, None], 4, axis=1),
        [np.random.default_rng(1).normal(size=(200, 2, 1))],
        STEPS,
    )
    assert (found.spce <= math.log(3) + 1e-12).all()
    assert found.spce.mean() == pytest.approx(math.log(3), abs=0.02)
    assert found.snmc.mean() > 10.0


def test_an_enumerated_parameter_gives_the_exact_evidence():
    # theta is one of three values, all of them contrastive once: sNMC is the exact log ratio.
    values = np.array([-1.0, 0.2, 1.4])
    rng = np.random.default_rng(2)
    theta = rng.choice(values, size=(50, 1))
    outcome = theta[:, None] + NOISE * rng.normal(size=(50, 4, 1))
    design = np.zeros((50, 4, 1))
    found = eig.bounds_by_chunks(
        numpy_likelihood, theta, design, outcome, [values[None, :, None]], STEPS
    )
    density = stats.norm.pdf(outcome, values, NOISE)
    evidence = density[:, :4].prod(1).mean(-1)
    own = stats.norm.pdf(outcome[..., 0], theta, NOISE).prod(1)
    np.testing.assert_allclose(found.snmc[:, 1], np.log(own / evidence), rtol=1e-9)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_the_size_of_a_chunk_changes_nothing(size):
    theta, design, outcome = histories(20)
    contrastive = np.random.default_rng(3).normal(size=(20, 100, 1))

    def found(chunks):
        return eig.bounds_by_chunks(numpy_likelihood, theta, design, outcome, chunks, STEPS)

    whole = found([contrastive])
    cut = found(contrastive[:, i : i + size] for i in range(0, 100, size))
    np.testing.assert_allclose(cut.spce, whole.spce, rtol=1e-10)
    np.testing.assert_allclose(cut.snmc, whole.snmc, rtol=1e-10)


def test_small_compiled_chunks_estimate_the_same_gain(bounds):
    small = eig.prior_bounds(NormalMean(), *histories(3000), STEPS, contrastive=300, chunk=77)
    np.testing.assert_allclose(small.spce.mean(0), bounds.spce.mean(0), atol=0.02)
    assert np.abs(small.spce - bounds.spce).max() > 0


def test_compiled_bounds_are_those_of_the_same_parameters_in_numpy():
    theta, design, outcome = histories(5)
    found = eig.prior_bounds(NormalMean(), theta, design, outcome, STEPS, contrastive=40, seed=6)
    seed = draws.fold_in(draws.as_seed(6), eig._CONTRASTIVE_STREAM)
    seed = draws.fold_in(draws.fold_in(seed, 0), 0)
    contrastive = NormalMean().sample_theta(seed, 40).numpy()[None]
    expected = eig.bounds_by_chunks(numpy_likelihood, theta, design, outcome, [contrastive], STEPS)
    np.testing.assert_allclose(found.spce, expected.spce, atol=1e-4)
    np.testing.assert_allclose(found.snmc, expected.snmc, atol=1e-4)


def test_a_few_runs_share_their_contrastive_parameters_and_the_others_have_their_own():
    theta, design, outcome = histories(300)
    found = eig.prior_bounds(NormalMean(), theta, design, outcome, STEPS, contrastive=20)
    assert found.spce.shape == (300, 2)
    same = [np.concatenate([a[:1]] * 300) for a in (theta, design, outcome)]
    repeated = eig.prior_bounds(NormalMean(), *same, STEPS, contrastive=20)
    assert len(np.unique(repeated.spce[:, 0])) == math.ceil(300 / eig._RUNS_TOGETHER)


def test_every_step_may_be_reported():
    every = eig.prior_bounds(NormalMean(), *histories(20), (1, 2, 3, 4), contrastive=50)
    some = eig.prior_bounds(NormalMean(), *histories(20), STEPS, contrastive=50)
    np.testing.assert_allclose(every.spce[:, [0, 3]], some.spce, atol=1e-5)
    np.testing.assert_allclose(every.snmc[:, [0, 3]], some.snmc, atol=1e-5)


@pytest.mark.parametrize("task", [LocationFinding(), CES()], ids=lambda task: task.spec.name)
def test_the_quick_form_gives_the_bounds_of_the_likelihood_as_it_is_written(task):
    runs = SimulatedRuns(task, runs=6, candidates=12, seed=4, horizon=8)
    found = runs.play(RandomPolicy(1))
    history = found.theta, found.design, found.outcome
    quick = eig.prior_bounds(task, *history, (3, 8), contrastive=700, seed=2, chunk=300)
    seed = draws.fold_in(draws.fold_in(draws.as_seed(2), eig._CONTRASTIVE_STREAM), 0)
    chunks = [task.sample_theta(draws.fold_in(seed, number), 300)[None] for number in range(3)]
    chunks[-1] = chunks[-1][:, :100]
    plain = eig.bounds_by_chunks(
        lambda *given: task.log_likelihood(*map(tf.cast, given, [tf.float32] * 3)),
        *history,
        chunks,
        (3, 8),
    )
    np.testing.assert_allclose(quick.spce, plain.spce, atol=2e-3)
    np.testing.assert_allclose(quick.snmc, plain.snmc, rtol=1e-4, atol=2e-3)


def test_running_log_sum_survives_what_would_overflow():
    total = eig.RunningLogSum((1,))
    for value in (-1e6, 1e6, 1e6, -np.inf):
        total.add([value])
    np.testing.assert_allclose(total.value, 1e6 + math.log(2))


@pytest.mark.parametrize(
    ("steps", "complaint"), [((), "ascending"), ((2, 1), "ascending"), ((5,), "up to 4")]
)
def test_steps_outside_the_history_are_refused(steps, complaint):
    with pytest.raises(InputError, match=complaint):
        eig.prior_bounds(NormalMean(), *histories(2), steps, contrastive=2)


def test_bounds_need_a_likelihood_and_a_contrast():
    class Implicit(Psychometric):
        log_likelihood = None

    with pytest.raises(InputError, match="with a likelihood"):
        eig.prior_bounds(Implicit(), *histories(2), STEPS, contrastive=2)
    with pytest.raises(InputError, match="received 0"):
        eig.prior_bounds(NormalMean(), *histories(2), STEPS, contrastive=0)
