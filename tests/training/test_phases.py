"""Which loss reaches which weight, and losses of whole batches."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training import phases
from aline_tf.training.recipe import Recipe

TINY = Recipe(
    batch=8,
    warmup_batch=8,
    group_size=2,
    horizon=3,
    pool=6,
    candidates_per_step=4,
    steps_per_episode=4,
    entropy=(0.0, 0.0),
    policy_weight=0.0,
    teacher_states=4,
    teacher_draws=4,
    num_counterfactuals=2,
)
TERMS = {
    "policy": {"policy_weight": 1.0},
    "paper's credit": {"policy_weight": 1.0, "credit": "immediate_reward"},
    "entropy": {"entropy": (1.0, 1.0)},
    "imitation": {"teacher": (1.0, 1.0)},
    "all-action": {"counterfactual": 1.0},
    "look-ahead": {"look_ahead": 1.0},
}
HEADS = ("theta_head", "outcome_head", "inference_norm")


def gradients_of(model, layer, tape, loss):
    variables = [variable.value for variable in getattr(model, layer).trainable_variables]
    return [g for g in tape.gradient(loss, variables) if g is not None and np.any(g != 0.0)]


@pytest.mark.parametrize("term", TERMS)
def test_what_teaches_the_policy_never_reaches_the_inference_heads(
    psychometric_model, monkeypatch, term
):
    monkeypatch.setattr(phases, "loss_at_states", lambda *_: tf.zeros([]))
    recipe = dataclasses.replace(TINY, **TERMS[term])
    with tf.GradientTape(persistent=True) as tape:
        loss, _ = phases.joint_loss(
            psychometric_model, Psychometric(), recipe, draws.as_seed(1), 0.5
        )
    assert gradients_of(psychometric_model, "policy_head", tape, loss)
    assert gradients_of(psychometric_model, "embedder", tape, loss)
    for layer in HEADS:
        assert not gradients_of(psychometric_model, layer, tape, loss)


def test_inference_never_reaches_the_policy_head(psychometric_model):
    with tf.GradientTape(persistent=True) as tape:
        loss, metrics = phases.joint_loss(
            psychometric_model, Psychometric(), TINY, draws.as_seed(1), 0.5
        )
    assert loss == metrics["inference"]
    for layer in HEADS:
        assert gradients_of(psychometric_model, layer, tape, loss)
    for layer in ("policy_head",):
        assert not gradients_of(psychometric_model, layer, tape, loss)


def test_a_batch_without_any_action_gives_no_nan(psychometric_model):
    """With everything revealed no row acted in ignorance: the policy terms are zero, not NaN."""
    recipe = dataclasses.replace(TINY, policy_weight=1.0, entropy=(1.0, 1.0), counterfactual=1.0)

    class Revealed(Psychometric):
        def sample_episodes(self, seed, batch, candidates):
            episode = super().sample_episodes(seed, batch, candidates)
            known = tf.ones_like(episode["known_mask"])
            return episode | {"known_mask": known, "known_theta": episode["theta"]}

    loss, metrics = phases.joint_loss(psychometric_model, Revealed(), recipe, draws.as_seed(1), 0.5)
    assert np.isfinite(loss)
    assert metrics["policy"] == 0.0


def test_labels_that_were_not_recorded_are_never_read(psychometric_model):
    """As in recorded data: NaN stands where there is no label."""
    unrecorded = {"theta": "theta_observed", "target_outcome": "target_observed"}

    class Recorded(Psychometric):
        fill = 0.0

        def sample_episodes(self, seed, batch, candidates):
            episode = super().sample_episodes(seed, batch, candidates)
            for label, flag in unrecorded.items():
                flags = tf.math.floormod(tf.range(episode[flag].shape[1]), 2) == 0
                episode[flag] &= flags
                episode[label] = tf.where(episode[flag], episode[label], self.fill)
            return episode | {"target_mask": tf.ones_like(episode["target_mask"])}

    recipe = dataclasses.replace(TINY, policy_weight=1.0, counterfactual=1.0, conditioning_rate=0.5)
    found = []
    for fill in (0.0, np.nan):
        task = Recorded()
        task.fill = fill
        with tf.GradientTape() as tape:
            loss, _ = phases.joint_loss(psychometric_model, task, recipe, draws.as_seed(1), 0.5)
            warm, _ = phases.warmup_loss(psychometric_model, task, recipe, draws.as_seed(1))
            total = loss + warm
        variables = [v.value for v in psychometric_model.trainable_variables]
        found.append([total, *tape.gradient(total, variables)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(b).all()


def test_warm_up_sees_contexts_of_every_length_and_no_candidates(psychometric_model, monkeypatch):
    seen = []
    monkeypatch.setattr(
        phases, "loss_at_states", lambda *args: (seen.append(args[-2]), tf.zeros([]))[1]
    )
    recipe = dataclasses.replace(TINY, warmup_batch=200)
    phases.warmup_loss(psychometric_model, Psychometric(), recipe, draws.as_seed(1))
    (state,) = seen
    length = tf.reduce_sum(tf.cast(state["context_mask"], tf.int32), axis=1)
    counts = np.bincount(length, minlength=4)
    assert counts.sum() == 200
    assert (counts > 25).all()
    assert state["candidate_mask"].shape == (200, 0)


def test_random_designs_add_the_warm_up_loss_of_other_episodes(psychometric_model):
    seed, task = draws.as_seed(1), Psychometric()
    plain, _ = phases.joint_loss(psychometric_model, task, TINY, seed, 0.5)
    recipe = dataclasses.replace(TINY, random_design_weight=0.5)
    widened, _ = phases.joint_loss(psychometric_model, task, recipe, seed, 0.5)
    added, _ = phases.warmup_loss(psychometric_model, task, recipe, draws.fold_in(seed, 5))
    np.testing.assert_allclose(widened - plain, 0.5 * added, rtol=1e-4)


def test_the_policy_acts_the_same_without_the_predictions_that_nobody_is_after(
    psychometric_model, monkeypatch
):
    class AfterParameters(Psychometric):
        prediction_share = 0.0

    task, seed = AfterParameters(), draws.as_seed(4)
    episode = task.sample_episodes(seed, 2, 3)
    unselected = phases._never_selected(episode)
    assert set(unselected) == {name for name in episode if name.startswith("target_")}
    assert phases._never_selected(episode | {"target_mask": ~episode["target_mask"]}) == ()
    recipe = dataclasses.replace(TINY, policy_weight=1.0)
    lean, _ = phases.joint_loss(psychometric_model, task, recipe, seed, 0.5)
    monkeypatch.setattr(phases, "_never_selected", lambda episode: ())
    whole, _ = phases.joint_loss(psychometric_model, task, recipe, seed, 0.5)
    np.testing.assert_allclose(lean, whole, rtol=1e-5)


def test_the_teacher_is_imitated_after_long_histories_in_the_joint_phase(psychometric_model):
    recipe = Recipe(
        horizon=3,
        long_batch=4,
        warmup_batch=4,
        pool=16,
        candidates_per_step=4,
        teacher=(1.0, 1.0),
        teacher_draws=4,
    )
    task, seed = Psychometric(), draws.as_seed(1)
    alone = float(phases.long_history_loss(psychometric_model, task, recipe, seed))
    taught = float(phases.long_history_loss(psychometric_model, task, recipe, seed, 0.5))
    assert taught > alone + 0.05
    without = dataclasses.replace(recipe, long_batch=0)
    short, _ = phases.warmup_loss(psychometric_model, task, without, seed)
    both, _ = phases.warmup_loss(psychometric_model, task, recipe, seed)
    assert abs(float(both - short)) > 0.1


def test_the_policy_may_play_longer_than_random_histories_are(psychometric_model):
    recipe = dataclasses.replace(TINY, joint_horizon=5)
    seed = draws.as_seed(1)
    trajectory, advantage = phases.rollout_episodes(
        psychometric_model, Psychometric(), recipe, seed, 0.5
    )
    assert trajectory.choice.shape == advantage.shape == (8, 5)
    usual, longer = (
        phases.warmup_loss(psychometric_model, Psychometric(), each, seed)[0]
        for each in (TINY, recipe)
    )
    assert float(usual) == float(longer)


def test_pools_of_an_episode_may_have_any_size(psychometric_model):
    recipe = dataclasses.replace(TINY, batch=64, pool=24, smallest_pool=2, teacher=(1.0, 1.0))
    trajectory, advantage = phases.rollout_episodes(
        psychometric_model, Psychometric(), recipe, draws.as_seed(1), 0.5
    )
    first = np.asarray(trajectory.episode["candidate_mask"])
    sizes = first.sum(axis=1)
    np.testing.assert_array_equal(sizes[::2], sizes[1::2])  # a group shares its pool
    assert sizes.min() <= 4 and sizes.max() >= 16
    acquired = np.asarray(trajectory.episode["context_mask"]).sum(axis=1)
    np.testing.assert_array_equal(acquired, np.minimum(sizes, recipe.rollout.horizon))
    # Candidates that are not there are never chosen, and nobody learns from what they would say.
    loss, _ = phases.trajectory_loss(
        psychometric_model, Psychometric(), recipe, draws.as_seed(1), 0.5, trajectory, advantage
    )
    assert np.isfinite(loss)
