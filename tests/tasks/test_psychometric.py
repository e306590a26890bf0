"""The psychometric function against plain numpy, and its episodes."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.psychometric import (
    SPEC,
    TARGET_PAIRS,
    Psychometric,
    response_probability,
    training_targets,
)


@pytest.fixture(scope="module")
def task():
    return Psychometric()


def by_hand(theta, stimulus):
    threshold, slope, guess, lapse = np.moveaxis(theta.astype(np.float64), -1, 0)
    with np.errstate(over="ignore"):
        transition = 1.0 - np.exp(-(10.0 ** ((stimulus - threshold) / slope)))
    return guess * lapse + (1.0 - lapse) * transition


def test_response_probability_is_the_formula(task):
    theta = task.sample_theta(draws.as_seed(1), 200).numpy()
    stimulus = np.random.default_rng(1).uniform(-5, 5, 200).astype(np.float32)
    expected = by_hand(theta, stimulus)
    np.testing.assert_allclose(response_probability(theta, stimulus), expected, atol=2e-6)


def test_response_probability_at_its_landmarks():
    theta = np.array([0.5, 1.0, 0.4, 0.2], np.float32)
    values = response_probability(tf.constant([theta] * 3), tf.constant([-1e6, 0.5, 1e6]))
    expected = [0.08, 0.08 + 0.8 * (1 - np.exp(-1.0)), 0.88]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_simulated_answers_have_that_probability(task):
    theta = np.array([[0.5, 1.0, 0.4, 0.2]], np.float32)
    design = np.linspace(-3, 3, 4, dtype=np.float32)
    pool = tf.constant(np.tile(design, 5000)[None, :, None])
    answers = task.simulate(theta, pool, draws.as_seed(2)).numpy().reshape(5000, 4)
    np.testing.assert_allclose(answers.mean(0), by_hand(theta, design), atol=0.03)


def test_the_two_answers_share_all_probability(task):
    theta = task.sample_theta(draws.as_seed(3), 50)
    design = draws.uniform(draws.as_seed(4), [50, 1], -5.0, 5.0)
    both = [task.log_likelihood(theta, design, tf.fill([50, 1], y)) for y in (0.0, 1.0)]
    np.testing.assert_allclose(tf.exp(both[0]) + tf.exp(both[1]), 1.0, rtol=1e-5)
    expected = by_hand(theta.numpy(), design.numpy()[:, 0])
    np.testing.assert_allclose(tf.exp(both[1]), expected, atol=1e-5)


def test_the_prior_is_uniform_on_its_box(task):
    theta = task.sample_theta(draws.as_seed(5), 4000).numpy()
    low, high = np.array([(p.low, p.high) for p in task.spec.parameters]).T
    assert (theta >= low).all()
    assert (theta <= high).all()
    np.testing.assert_allclose(theta.mean(0), (low + high) / 2, atol=0.1)
    density = np.exp(task.log_prior(theta[:3]))
    np.testing.assert_allclose(density, 1.0 / np.prod(high - low), rtol=1e-5)


def test_the_two_pairs_dominate_training_and_all_four_are_never_met(task):
    mask = task.sample_targets(draws.as_seed(6), 12000).numpy()
    kinds, counts = np.unique(mask, axis=0, return_counts=True)
    found = {tuple(kind.tolist()): count / 12000 for kind, count in zip(kinds, counts, strict=True)}
    for names, share in training_targets().items():
        shown = found.pop(tuple(task.spec.parameter_mask(names)))
        assert shown == pytest.approx(share, abs=0.02)
    assert not found
    assert (mask.sum(1) < 4).all()
    pairs = [training_targets()[pair] for pair in TARGET_PAIRS]
    np.testing.assert_allclose(pairs, 1 / 3)
    assert sum(training_targets().values()) == pytest.approx(1.0)
    # Every parameter is wanted equally often: none is favoured by the choice of sets.
    wanted = [
        sum(share for names, share in training_targets().items() if p in names)
        for p in SPEC.parameter_names
    ]
    np.testing.assert_allclose(wanted, wanted[0])


def test_the_rule_of_the_paper_is_half_of_the_rows_for_each_pair():
    task = Psychometric(training_targets(pair_share=1.0))
    mask = task.sample_targets(draws.as_seed(6), 4000).numpy()
    kinds, counts = np.unique(mask, axis=0, return_counts=True)
    np.testing.assert_array_equal(kinds, [[0, 0, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_allclose(counts / 4000, 0.5, atol=0.03)
    one = Psychometric({("slope",): 1.0}).sample_targets(draws.as_seed(6), 3)
    np.testing.assert_array_equal(one, [[False, True, False, False]] * 3)


@pytest.mark.parametrize(
    ("targets", "complaint"),
    [({("threshold", "shape"): 1.0}, "Received: shape"), ({("slope",): 0.0}, "weights > 0")],
)
def test_targets_that_cannot_be_drawn_are_refused(targets, complaint):
    with pytest.raises(ValueError, match=complaint):
        Psychometric(targets)


FORCED = pytest.mark.parametrize("guess", [0.5, 1 / 3, 0.1])


@FORCED
def test_forced_choice_runs_from_the_guess_rate_to_one_minus_lapse(guess):
    task = Psychometric(guess=guess)
    theta = task.sample_theta(draws.as_seed(1), 100).numpy()
    threshold, slope, lapse = theta.T.astype(float)
    ends = [response_probability(theta, np.full(100, x, np.float32), guess) for x in (-1e6, 1e6)]
    np.testing.assert_allclose(ends[0], guess, rtol=1e-5)
    np.testing.assert_allclose(ends[1], 1.0 - lapse, rtol=1e-5)
    stimulus = np.random.default_rng(1).uniform(-5, 5, 100).astype(np.float32)
    with np.errstate(over="ignore"):
        rise = 1.0 - np.exp(-(10.0 ** ((stimulus.astype(float) - threshold) / slope)))
    expected = guess + (1.0 - guess - lapse) * rise
    found = np.exp(task.log_likelihood(theta, stimulus[:, None], np.ones([100, 1], np.float32)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # A share of trials that is not attended, the others without lapses.
    share = lapse / (1.0 - guess)
    assert (share <= 0.5 + 1e-6).all()
    attended = guess + (1.0 - guess) * rise
    np.testing.assert_allclose(share * guess + (1 - share) * attended, expected, atol=1e-6)


def test_forced_choice_is_a_task_as_any_other():
    from aline_tf.tasks import check_contract, task_by_name

    task = task_by_name("psychometric:2afc")
    check_contract(task)
    assert task.guess == 0.5 and task.spec.name == "psychometric:2afc"
    assert task.spec == task_by_name("psychometric:0.5").spec
    assert task_by_name("psychometric:3afc").spec.parameters[2].high == pytest.approx(1 / 3)
    mask = task.sample_targets(draws.as_seed(6), 2000).numpy()
    assert mask.all(1).mean() == pytest.approx(0.5, abs=0.05)
    assert mask.any(1).all() and len(np.unique(mask, axis=0)) == 7


@pytest.mark.parametrize("name", ["afc", "1afc", "2AFC", "nan", "-1", "", "2"])
def test_a_guess_rate_that_is_none_is_refused(name):
    from aline_tf.errors import InputError
    from aline_tf.tasks import task_by_name

    with pytest.raises(InputError, match=r"expected .*; received"):
        task_by_name(f"psychometric:{name}")
