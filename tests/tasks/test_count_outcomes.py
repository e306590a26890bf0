"""Outcomes that are counts, all the way: trained, asked, scored, looked ahead, saved."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.baselines.uncertainty import UncertaintySamplingPolicy
from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError, RangeWarning
from aline_tf.evaluation.model_posterior import ModelPrediction
from aline_tf.information.look_ahead import look_ahead_gain
from aline_tf.models.aline import ALINE
from aline_tf.models.presets import load_preset, save_preset
from aline_tf.spec import TaskSpec
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.models.batches import random_batch
from tests.seeds import seed_weights
from tests.tasks.own_tasks import SIZES, DoseCounts

POOL = np.linspace(0, 10, 21)[:, None]


@pytest.fixture(scope="module")
def model():
    """Trained for a few seconds: warm-up only."""
    seed_weights(0)
    model = ALINE(DoseCounts.spec, **SIZES)
    trainer = Trainer(model, DoseCounts())
    recipe = Recipe(
        batch=8,
        warmup_batch=32,
        warmup_steps=400,
        joint_steps=0,
        learning_rate=4e-3,
        pool=16,
        candidates_per_step=8,
        steps_per_episode=2,
    )
    trainer.compile(recipe=recipe, seed=1)
    trainer.fit(verbose=0)
    return model


def test_what_it_learned_beats_the_prior_and_its_predictions_know_the_dose(model):
    task, rows = DoseCounts(), 300
    episode = task.sample_episodes(draws.as_seed(77), rows, 8)
    batch = {name: np.array(value) for name, value in episode.items()}
    nothing = batch | {"candidate_design": batch["candidate_design"][:, :1]}
    nothing["candidate_mask"] = batch["candidate_mask"][:, :1]
    told = dict(nothing)
    for name in ("design", "outcome", "status"):
        told[f"context_{name}"] = batch[f"candidate_{name}"]
    told["context_mask"] = np.ones((rows, 8), bool)
    theta = tf.constant(batch["theta"])
    of_theta, of_counts = [], []
    for state in (nothing, told):
        outputs = model(state)
        of_theta.append(float(tf.reduce_mean(model.theta_log_prob(outputs, theta))))
        log_prob = model.target_log_prob(outputs, state, batch["target_outcome"])
        of_counts.append(float(tf.reduce_mean(log_prob)))
    assert of_theta[1] > of_theta[0] + 0.1
    assert of_counts[1] > of_counts[0] + 0.1
    # Knowing the rate exactly is best, and not far.
    rate = task.rate(episode["theta"][:, None], episode["target_design"])[..., 0]
    y = batch["target_outcome"]
    exact = tf.reduce_mean(y * tf.math.log(rate) - rate - tf.math.lgamma(y + 1.0))
    assert of_counts[1] < exact < of_counts[1] + 0.8


def test_a_session_takes_whole_numbers_from_zero_on_and_predicts_them(model):
    session = Session(model, POOL)
    for wrong in (-1.0, 2.5):
        with pytest.raises(InputError, match="count to be a whole number, 0 or more; received"):
            session.tell(0, wrong)
    assert session.steps == 0
    session.tell(0, 31)
    session.tell(20, 0)
    near, far = session.predict([[0.5], [9.5]])
    assert near.mean > far.mean
    for quantile in (*near.quantiles, *far.quantiles):
        assert quantile >= 0 and quantile == round(quantile)
    again = Session.from_json(session.to_json(), model)
    assert again.posterior() == session.posterior()


def test_a_count_of_millions_leaves_every_answer_finite(model):
    session = Session(model, POOL)
    with pytest.warns(RangeWarning, match="received 5e\\+06"):
        session.tell(3, 5_000_000)
    assert all(np.isfinite(m.mean) for m in session.posterior().values())
    assert all(np.isfinite(m.mean) for m in session.predict(POOL))


def test_scores_of_predictions_treat_counts_as_whole_numbers(model):
    batch = random_batch(1, DoseCounts.spec, B=4, M=3)
    batch["target_design"] = np.abs(batch["target_design"])
    outcome = np.float32([[0, 1, 5]] * 4)
    summary = ModelPrediction(model).estimate(batch, outcome)
    np.testing.assert_allclose(summary.at - summary.below, np.exp(summary.log_density), atol=1e-4)


def test_uncertainty_sampling_takes_the_widest_prediction(model):
    batch = random_batch(1, DoseCounts.spec, B=4, C=3, M=2, N=9)
    chosen = UncertaintySamplingPolicy(model).choose(batch)
    asked = batch | {
        "target_design": batch["candidate_design"],
        "target_mask": np.zeros([4, 9], bool),
    }
    sd = model.target_summary(model(asked), asked)["sd"].numpy()
    np.testing.assert_array_equal(chosen, sd.argmax(1))


def test_answers_that_stand_for_a_count_are_zero_and_two_others_with_the_weight_of_the_rest(model):
    batch = random_batch(2, DoseCounts.spec, B=3, M=5)
    prediction = model.outcome_prediction(model(batch), batch)
    value, weight = prediction.representatives(*tf.unstack(draws.uniform(1, [2, 2, 3, 5])))
    none = tf.exp(prediction.log_prob(tf.zeros([3, 5])))
    np.testing.assert_allclose(weight[..., 0], none, atol=1e-6)
    np.testing.assert_allclose(tf.reduce_sum(weight, -1), 1.0, rtol=1e-5)
    assert (value[..., 1:].numpy() >= 1.0).all() and (value[..., 1] <= value[..., 2]).numpy().all()


def test_a_look_ahead_finds_gains_that_are_not_negative(model):
    state = DoseCounts().sample_episodes(draws.as_seed(3), 4, 6)
    from aline_tf.batch_ops import extend_context

    gain = look_ahead_gain(model, extend_context(state, 1), tf.constant([[0, 1, 2]] * 4), [1, 2])
    assert (gain.numpy() >= 0).all() and (gain.numpy() > 0).any()


def test_a_preset_of_counts_comes_back(model, tmp_path):
    save_preset(model, tmp_path, {"task": "dose_counts"})
    again = load_preset(tmp_path)
    assert again.spec == DoseCounts.spec == TaskSpec.from_dict(DoseCounts.spec.to_dict())
    batch = random_batch(1, DoseCounts.spec)
    np.testing.assert_array_equal(again(batch)["target_raw"], model(batch)["target_raw"])


def test_other_kinds_beside_a_count_keep_their_numbers():
    from aline_tf.models.distributions.outcome_prediction import OutcomePrediction, raw_size
    from aline_tf.spec import Channel

    three = (
        Channel("level", loc=5.0, scale=2.0),
        Channel("event", "binary"),
        Channel("rating", "ordered", levels=4),
    )
    four = (*three, Channel("visits", "count", loc=3.0, scale=3.0))
    raw = np.random.default_rng(1).normal(size=(2, 3, raw_size(three, 3))).astype(np.float32)
    assert raw_size(four, 3) == raw_size(three, 3)
    code = np.broadcast_to(np.eye(3, 4, dtype=np.float32), [2, 3, 4])
    one = OutcomePrediction(three, raw, code[..., :3], 3)
    other = OutcomePrediction(four, raw, code, 3)
    outcome = tf.constant([[4.0, 1.0, 2.0]] * 2)
    for name in ("log_prob", "cdf"):
        np.testing.assert_array_equal(getattr(one, name)(outcome), getattr(other, name)(outcome))
    np.testing.assert_array_equal(one.mean_sd(), other.mean_sd())
    np.testing.assert_array_equal(one.quantiles(), other.quantiles())
    np.testing.assert_array_equal(one.entropy(), other.entropy())
