"""The CES task against double precision, its clipped answers, and one step of training."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from aline_tf import draws
from aline_tf.acquisition import Session
from aline_tf.errors import InputError
from aline_tf.information.nested_monte_carlo import candidate_gain
from aline_tf.tasks import task_by_name
from aline_tf.tasks.ces import CES, CLIP, LOGIT_CLIP, TAU, basket_worth, log_normal_cdf
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer

TINY = Recipe(
    batch=4,
    warmup_batch=4,
    warmup_steps=1,
    joint_steps=1,
    group_size=2,
    horizon=3,
    pool=5,
    candidates_per_step=4,
    steps_per_episode=2,
    counterfactual=1.0,
    num_counterfactuals=2,
)


@pytest.fixture(scope="module")
def task():
    return CES()


def worth_by_hand(rho, alpha, basket):
    """In double precision, from the formula as it is printed."""
    return np.sum(alpha * basket ** rho[..., None], axis=-1) ** (1.0 / rho)


def likelihood_by_hand(theta, design, outcome):
    theta, design, outcome = (np.asarray(a, np.float64) for a in (theta, design, outcome))
    rho, first, second, _, log_u = np.moveaxis(theta, -1, 0)
    alpha = np.stack([first, second, 1.0 - first - second], axis=-1)
    one, other = design[..., :3], design[..., 3:]
    u = np.exp(log_u)
    mean = u * (worth_by_hand(rho, alpha, one) - worth_by_hand(rho, alpha, other))
    sd = u * TAU * (1.0 + np.linalg.norm(one - other, axis=-1))
    logit, low, high = np.moveaxis(outcome, -1, 0)
    ends = np.where(
        low == 1, stats.norm.logcdf(-LOGIT_CLIP, mean, sd), stats.norm.logsf(LOGIT_CLIP, mean, sd)
    )
    return np.where(low + high == 0, stats.norm.logpdf(logit, mean, sd), ends)


def test_the_ends_of_the_slider():
    assert 1.0 / (1.0 + math.exp(-LOGIT_CLIP)) == pytest.approx(1.0 - CLIP, abs=1e-15)


def test_the_worth_of_a_basket_at_its_landmarks():
    alpha = tf.constant([0.5, 0.3, 0.2])
    basket = tf.constant([10.0, 20.0, 40.0])
    assert float(basket_worth(tf.constant(1.0), alpha, basket)) == pytest.approx(19.0, rel=1e-5)
    geometric = math.exp(0.5 * math.log(10) + 0.3 * math.log(20) + 0.2 * math.log(40))
    assert float(basket_worth(tf.constant(1e-7), alpha, basket)) == pytest.approx(
        geometric, rel=1e-5
    )
    same = tf.constant([7.0, 7.0, 7.0])
    for rho in (1e-4, 0.3, 1.0):
        assert float(basket_worth(tf.constant(rho), alpha, same)) == pytest.approx(7.0, rel=1e-5)


def test_the_worth_keeps_its_digits_in_single_precision(task):
    theta = task.sample_theta(draws.as_seed(1), 5000).numpy()
    basket = np.random.default_rng(1).uniform(0, 100, (5000, 3)).astype(np.float32)
    rho, alpha = theta[:, 0], theta[:, 1:4]
    # The printed formula raises the rounding of the shares' sum to the power 1 / rho.
    shares = alpha.astype(float) / alpha.astype(float).sum(1, keepdims=True)
    exact = worth_by_hand(rho.astype(float), shares, basket.astype(float))
    # The noise of an answer is never below TAU.
    assert np.abs(basket_worth(rho, alpha, basket) - exact).max() < 0.1 * TAU


def test_the_log_normal_cdf_holds_in_the_far_tail():
    x = np.concatenate([np.linspace(-30, 8, 1001), -np.logspace(1.5, 9, 50)]).astype(np.float32)
    exact = stats.norm.logcdf(x.astype(float))
    np.testing.assert_allclose(log_normal_cdf(x), exact, rtol=2e-6, atol=1e-6)


def test_the_log_likelihood_is_that_of_double_precision(task):
    theta = task.sample_theta(draws.as_seed(2), 4000)
    design = task.sample_designs(draws.as_seed(3), 4000, 1)
    outcome = task.simulate(theta, design, draws.as_seed(4))[:, 0]
    found = task.log_likelihood(theta, design[:, 0], outcome).numpy()
    exact = likelihood_by_hand(theta, design[:, 0], outcome)
    np.testing.assert_allclose(found, exact, atol=0.03)
    # Under parameters of somebody else too: far tails, sharp densities.
    other = tf.roll(theta, 1, axis=0)
    found = task.log_likelihood(other, design[:, 0], outcome).numpy()
    exact = likelihood_by_hand(other, design[:, 0], outcome)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, exact, rtol=2e-3, atol=0.03)


def test_extreme_sensitivities_stay_finite(task):
    design = task.sample_designs(draws.as_seed(5), 50, 1)[:, 0]
    for log_u in (-20.0, 20.0):
        theta = tf.constant([[0.3, 0.2, 0.5, 0.3, log_u]] * 50)
        for outcome in ([0.1, 0.0, 0.0], [-LOGIT_CLIP, 1.0, 0.0], [LOGIT_CLIP, 0.0, 1.0]):
            found = task.log_likelihood(theta, design, tf.constant([outcome] * 50))
            assert np.isfinite(found).all()


def test_the_answers_share_all_probability(task):
    theta = tf.constant([[0.4, 0.2, 0.5, 0.3, 0.5]])
    design = tf.constant([[40.0, 30.0, 50.0, 42.0, 31.0, 47.0]])
    logit = np.linspace(-LOGIT_CLIP, LOGIT_CLIP, 4001, dtype=np.float32)
    inside = np.stack([logit, 0 * logit, 0 * logit], axis=-1)
    total = np.trapezoid(np.exp(task.log_likelihood(theta, design, inside)), logit)
    for end in ([-LOGIT_CLIP, 1.0, 0.0], [LOGIT_CLIP, 0.0, 1.0]):
        total += np.exp(task.log_likelihood(theta, design, tf.constant([end])))[0]
    assert total == pytest.approx(1.0, abs=1e-3)


def test_a_third_of_the_answers_stand_at_each_end_and_are_flagged(task):
    theta = task.sample_theta(draws.as_seed(6), 5000)
    outcome = task.simulate(theta, task.sample_designs(draws.as_seed(7), 5000, 2), [8, 0]).numpy()
    logit, low, high = np.moveaxis(outcome, -1, 0)
    np.testing.assert_array_equal(low == 1, logit <= -LOGIT_CLIP + 1e-6)
    np.testing.assert_array_equal(high == 1, logit >= LOGIT_CLIP - 1e-6)
    np.testing.assert_allclose([low.mean(), high.mean()], 0.317, atol=0.02)
    for field, values in zip(task.spec.fields, (logit, low, high), strict=True):
        assert values.std() / field.scale == pytest.approx(1.0, abs=0.03)


def test_the_prior_is_that_of_the_paper(task):
    theta = task.sample_theta(draws.as_seed(9), 20_000).numpy()
    np.testing.assert_allclose(theta[:, 1:4].sum(1), 1.0, atol=1e-6)
    for i in (1, 2, 3):
        assert stats.kstest(theta[:, i], "beta", args=(1, 2)).pvalue > 1e-3
    assert stats.kstest(theta[:, 0], "uniform").pvalue > 1e-3
    assert stats.kstest(theta[:, 4], "norm", args=(1, 3)).pvalue > 1e-3
    found = task.log_prior(theta[:100])
    expected = math.log(2) + stats.norm.logpdf(theta[:100, 4].astype(float), 1, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    off = tf.constant([[0.5, 0.7, 0.7, 0.1, 1.0], [0.5, -0.1, 0.4, 0.7, 1.0]])
    assert np.isneginf(task.log_prior(off)).all()


def test_predictive_targets_are_preferences(task):
    episode = task.sample_episodes(draws.as_seed(1), 200, 3)
    assert set(np.unique(episode["target_outcome"])) == {0.0, 1.0}
    assert episode["candidate_outcome"].shape == (200, 3, 3)


def test_graph_and_eager_agree(task):
    def everything(seed):
        episode = task.sample_episodes(seed, 8, 4)
        theta = episode["theta"][:, None]
        outcome = episode["candidate_outcome"]
        return episode | {
            "likelihood": task.log_likelihood(theta, episode["candidate_design"], outcome),
            "prior": task.log_prior(theta),
        }

    eager, graph = everything(draws.as_seed(1)), tf.function(everything)(draws.as_seed(1))
    for name, value in eager.items():
        np.testing.assert_allclose(value, graph[name], rtol=1e-4, atol=1e-2, err_msg=name)


@pytest.mark.usefixtures("without_graphs")
def test_it_trains(make_tiny):
    task = task_by_name("ces")
    trainer = Trainer(make_tiny(task), task)
    trainer.compile(recipe=TINY, seed=1)
    history = trainer.fit(epochs=2, steps_per_epoch=1, verbose=0).history
    assert np.isfinite([history[name] for name in ("loss", "inference", "policy")]).all()


def test_the_outcome_is_the_normal_one_cut_off_at_the_ends(task):
    theta = task.sample_theta(draws.as_seed(11), 40)
    design = task.sample_designs(draws.as_seed(12), 40, 1)
    many = tf.repeat(design, 4000, axis=1)
    logit = task.simulate(theta, many, draws.as_seed(13)).numpy()[..., 0]
    mean, sd = (part.numpy()[:, 0] for part in task.normal_outcome(theta[:, None], design))
    low, high = task.outcome_bounds
    np.testing.assert_array_less(low - 1e-5, logit)
    np.testing.assert_array_less(logit, high + 1e-5)
    inside = (mean - 4 * sd > low) & (mean + 4 * sd < high)
    assert inside.sum() > 8
    z = (logit[inside] - mean[inside, None]) / sd[inside, None]
    np.testing.assert_allclose(z.mean(1), 0.0, atol=0.07)
    np.testing.assert_allclose(z.std(1), 1.0, atol=0.06)


@pytest.mark.parametrize(
    ("known", "free"),
    [
        ((False, False, False), (True, True, False)),
        ((False, False, True), (True, False, False)),
        ((True, False, True), (False, False, False)),
        ((True, True, True), (False, False, False)),
    ],
)
def test_the_last_unknown_share_is_what_the_others_leave(task, known, free):
    theta = task.sample_theta(draws.as_seed(14), 50)
    mask = tf.repeat([[False, *known, False]], 50, axis=0)
    # Whatever stands where the last unknown share is, it is put right.
    last = [i for i in range(3) if not known[i]][-1:]
    spoilt = theta.numpy()
    spoilt[:, [1 + i for i in last]] = 7.0
    completed, found = task.complete_theta(tf.constant(spoilt), mask)
    np.testing.assert_allclose(completed, theta, atol=1e-6)
    np.testing.assert_array_equal(found, [[True, *free, True]] * 50)


def test_shares_that_exceed_one_have_no_prior_mass(task):
    theta = tf.constant([[0.5, 0.8, 0.6, 0.0, 1.0], [0.5, 0.0, 0.8, 0.6, 1.0]])
    known = tf.constant([[False] * 5, [False, False, True, True, False]])
    completed, _ = task.complete_theta(theta, known)
    assert np.isneginf(task.log_prior(completed)).all()


def test_the_teacher_gains_the_same_from_the_normal_outcome_as_from_simulation(task):
    class Simulated(CES):
        normal_outcome = None

    theta = tf.reshape(task.sample_theta(draws.as_seed(15), 6 * 64), [6, 64, 5])
    design = task.sample_designs(draws.as_seed(16), 6, 20)
    gain = candidate_gain(task, theta, design, draws.as_seed(17)).numpy()
    simulated = [
        candidate_gain(Simulated(), theta, design, draws.as_seed(seed)).numpy() for seed in range(6)
    ]
    assert gain.max() > 1.0
    np.testing.assert_allclose(gain, np.mean(simulated, axis=0), atol=0.25)
    assert abs(np.mean(gain - np.mean(simulated, axis=0))) < 0.02


def test_close_pairs_are_mixed_in_and_leave_the_uniform_ones_as_they_are(task):
    uniform = task.sample_designs(draws.as_seed(18), 50, 200).numpy()
    mixed = CES(close=0.5).sample_designs(draws.as_seed(18), 50, 200).numpy()
    assert mixed.min() >= 0.0 and mixed.max() <= 100.0
    np.testing.assert_array_equal(mixed[..., :3], uniform[..., :3])
    kept = (mixed == uniform).all(axis=-1)
    assert kept.mean() == pytest.approx(0.5, abs=0.02)
    distance = np.linalg.norm(mixed[..., :3] - mixed[..., 3:], axis=-1)[~kept]
    # Reflection at a wall can only shorten a step.
    assert distance.max() < 60.01
    assert np.median(distance) == pytest.approx(math.sqrt(4 * 60), rel=0.1)
    assert (np.linalg.norm(uniform[..., :3] - uniform[..., 3:], axis=-1) < 10).mean() < 0.01


@pytest.mark.parametrize("close", [-0.1, 1.1, "nan"])
def test_a_share_of_close_pairs_outside_its_range_is_refused(close):
    with pytest.raises(ValueError, match="close"):
        CES(close)


@pytest.mark.parametrize(
    "outcome", [[0, 1, 1], [0, 1, 0], [40, 0, 0], [-LOGIT_CLIP, 0, 1], [LOGIT_CLIP, 0, 0]]
)
def test_fields_that_do_not_go_together_are_no_answer(outcome, make_tiny):
    session = Session(make_tiny(CES()), np.full([3, 6], 10.0))
    with pytest.raises(InputError, match=r"expected a logit from -15.249, where at_low is 1"):
        session.tell(0, outcome)
    assert session.steps == 0


def test_whatever_is_simulated_goes_together():
    task = CES()
    theta = task.sample_theta(draws.as_seed(0), 40)
    outcome = task.simulate(theta, task.sample_designs(draws.as_seed(1), 40, 20), draws.as_seed(2))
    for one in outcome.numpy().reshape(-1, 3):
        task.check_outcome(one, [True] * 3)
