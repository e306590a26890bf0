"""The two phases of training as pure functions of (model, task, recipe, seed, progress).

Warm-up has no rollout: designs are random, so a simulated run is cut at a random length and
passed through once. The joint phase rolls the policy out without gradients and then takes one
gradient pass over an unbiased sample of the steps of every episode.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_pool, drop_candidates, narrow, repeat
from aline_tf.information.expected_gain import information_gain
from aline_tf.tasks.random_histories import random_histories
from aline_tf.training.counterfactual import counterfactual_losses
from aline_tf.training.credit import (
    immediate_reward,
    leave_one_out_advantage,
    reward_to_go,
    state_control_variate,
)
from aline_tf.training.inference import condition_at_random, loss_at_states, value_over_labels
from aline_tf.training.policy_losses import imitation_loss, policy_loss
from aline_tf.training.rollout import Trajectory, rollout, selected_value, states_at
from aline_tf.training.schedules import anneal

#: Streams of a step's seed that its other draws do not use.
_RANDOM_DESIGNS = 5
_LONG_HISTORIES = 7
_POOLS = 8
#: The longest history that training shows, in horizons.
LONGEST = 4


def warmup_loss(model, task, recipe, seed, teacher=None) -> tuple[tf.Tensor, dict]:
    """Inference loss on contexts of random designs and random length, and on long ones where the
    recipe has a `long_batch`.

    Args:
        model: an ALINE.
        task: of the same specification.
        recipe: a `Recipe`.
        seed: int32 [2].
        teacher: weight of the teacher's imitation after the long ones; None leaves the policy out.

    Returns:
        the loss, and metrics: inference (nats).
    """
    horizon = recipe.rollout.horizon or task.spec.horizon
    episode_seed, length_seed, known_seed = draws.split(seed, 3)
    batch = recipe.phases.warmup_batch
    count = max(horizon, recipe.rollout.candidates_per_step)
    episode = task.sample_episodes(episode_seed, batch, count)
    episode = narrow(episode, tf.repeat(tf.range(horizon)[None], batch, axis=0))
    length = tf.cast(draws.uniform(length_seed, [batch, 1]) * (horizon + 1), tf.int32)
    taken = (tf.range(horizon) < length) & episode["candidate_mask"]
    state = append_pool(episode, taken)
    rate = recipe.phases.conditioning_rate
    state = condition_at_random(drop_candidates(state), known_seed, rate)
    loss = loss_at_states(model, task, recipe, model(state), state, seed)
    if recipe.phases.long_batch:
        long_seed = draws.fold_in(seed, _LONG_HISTORIES)
        loss += long_history_loss(model, task, recipe, long_seed, teacher)
    return loss, {"inference": loss}


def long_history_loss(model, task, recipe, seed, teacher=None) -> tf.Tensor:
    """Inference loss, and imitation of the teacher, at states after 0 to `LONGEST` times the
    horizon of answers; nobody plays them (see `random_histories`).

    Args:
        model, task, recipe, seed, teacher: as in `warmup_loss`.

    Returns:
        scalar, in nats.
    """
    settings, batch = recipe.rollout, recipe.phases.long_batch
    history_seed, known_seed, teacher_seed = draws.split(seed, 3)
    longest = LONGEST * (settings.horizon or task.spec.horizon)
    offered = settings.candidates_per_step
    state = random_histories(task, history_seed, batch, longest, settings.pool, offered)
    state = condition_at_random(state, known_seed, recipe.phases.conditioning_rate)
    teaches = teacher is not None and max(recipe.policy_loss.teacher) > 0
    outputs = model(state if teaches else drop_candidates(state))
    loss = loss_at_states(model, task, recipe, outputs, state, seed)
    if teaches:
        acts = tf.ones([batch], tf.bool)
        loss += teacher * _imitation(model, task, recipe, state, outputs, acts, batch, teacher_seed)
    return loss


def joint_loss(model, task, recipe, seed, progress) -> tuple[tf.Tensor, dict]:
    """Inference and policy losses on the policy's own episodes, and on random designs what
    `random_design_weight` asks for.

    Args:
        model, task, recipe, seed: as in `warmup_loss`.
        progress: scalar in [0, 1] through the joint phase; drives the schedules.

    Returns:
        the loss, and metrics: those of `trajectory_loss`.
    """
    trajectory, advantage_t = rollout_episodes(model, task, recipe, seed, progress)
    loss, metrics = trajectory_loss(model, task, recipe, seed, progress, trajectory, advantage_t)
    weight = recipe.phases.random_design_weight
    if weight > 0:
        loss += weight * random_design_loss(model, task, recipe, seed, progress)
    return loss, metrics


def random_design_loss(model, task, recipe, seed, progress) -> tf.Tensor:
    """The warm-up's loss in the joint phase. A rollout shows few people, and only where the policy
    goes; random designs show many. After long histories the policy is taught too."""
    teacher = anneal(*recipe.policy_loss.teacher, progress)
    return warmup_loss(model, task, recipe, draws.fold_in(seed, _RANDOM_DESIGNS), teacher)[0]


def rollout_episodes(model, task, recipe, seed, progress) -> tuple[Trajectory, tf.Tensor]:
    """Episodes under the policy, without gradients.

    Args:
        model, task, recipe, seed, progress: as in `joint_loss`.

    Returns:
        the trajectory, and the advantages [B, T] of its actions.
    """
    settings, labels = recipe.rollout, recipe.phases.num_posterior_labels
    episode_seed, rollout_seed, *_ = draws.split(seed, 5)
    groups = recipe.phases.batch // settings.group_size
    episode = task.sample_episodes(episode_seed, groups, settings.pool)
    if settings.smallest_pool is not None:
        pool_seed = draws.fold_in(episode_seed, _POOLS)
        episode["candidate_mask"] &= _pools_of_all_sizes(pool_seed, groups, settings)
    unselected = _never_selected(episode)
    episode = repeat(episode, settings.group_size)
    value = selected_value
    if labels and recipe.policy_loss.policy_weight > 0:
        value = value_over_labels(task, labels, seed)
    lean = episode | {name: episode[name][:, :0] for name in unselected}
    trajectory = rollout(
        model,
        lean,
        rollout_seed,
        settings.joint_horizon or settings.horizon or task.spec.horizon,
        settings.candidates_per_step,
        anneal(*settings.temperature, progress),
        settings.local_share,
        value,
    )
    later = {name: episode[name] for name in unselected}
    trajectory = trajectory._replace(episode=trajectory.episode | later)
    return trajectory, _advantages(recipe, trajectory)


def trajectory_loss(
    model, task, recipe, seed, progress, trajectory, advantage_t
) -> tuple[tf.Tensor, dict]:
    """Inference and policy losses at an unbiased sample of the states of some episodes.

    Args:
        model, task, recipe, seed, progress: as in `joint_loss`.
        trajectory, advantage_t: of `rollout_episodes`, all rows or some.

    Returns:
        the loss, and metrics: inference (nats), reward (nats per selected target, first to last
        step), entropy (nats), policy (the loss), teacher (cross-entropy from it, or 0).
    """
    rows, horizon = trajectory.choice.shape
    settings = recipe.policy_loss
    _, _, state_seed, known_seed, teacher_seed = draws.split(seed, 5)
    temperature = anneal(*recipe.rollout.temperature, progress)
    steps = draws.subset_order(state_seed, [rows, horizon + 1])
    steps = steps[:, : min(recipe.phases.steps_per_episode, horizon + 1)]
    state = states_at(trajectory, steps)
    count = steps.shape[1]
    steps = tf.reshape(steps, [-1])
    acting = tf.minimum(steps, horizon - 1)
    state = condition_at_random(state, known_seed, recipe.phases.conditioning_rate)
    outputs = model(state)
    inference = loss_at_states(model, task, recipe, outputs, state, seed)

    # States after the last acquisition have no action; in rows with known parameters the action
    # was taken by somebody who knew less.
    weight = tf.cast((steps < horizon) & ~tf.reduce_any(state["known_mask"], axis=1), tf.float32)
    logits = outputs["candidate_logits"] / temperature
    choice = tf.gather(tf.repeat(trajectory.choice, count, axis=0), acting, batch_dims=1)
    advantage = tf.gather(tf.repeat(advantage_t, count, axis=0), acting, batch_dims=1)
    log_policy = tf.nn.log_softmax(logits)
    log_prob = tf.gather(log_policy, choice, batch_dims=1)
    policy = policy_loss(log_prob, advantage, weight)
    entropy = -tf.reduce_sum(tf.exp(log_policy) * tf.maximum(log_policy, -50.0), axis=1)
    # A small batch may, by chance, hold no state with an action.
    mean_entropy = tf.math.divide_no_nan(tf.reduce_sum(weight * entropy), tf.reduce_sum(weight))
    loss = inference + settings.policy_weight * policy
    loss -= anneal(*settings.entropy, progress) * mean_entropy

    imitation = tf.zeros([])
    if max(settings.teacher) > 0:
        imitation = _imitation(
            model, task, recipe, state, outputs, steps < horizon, rows, teacher_seed
        )
        loss += anneal(*settings.teacher, progress) * imitation
    for part, each in counterfactual_losses(model, recipe, state, logits, weight, teacher_seed):
        loss += part * tf.math.divide_no_nan(tf.reduce_sum(weight * each), tf.reduce_sum(weight))

    value = trajectory.value
    metrics = {
        "inference": inference,
        "reward": tf.reduce_mean(value[:, -1] - value[:, 0]),
        "entropy": tf.reduce_mean(trajectory.entropy),
        "policy": policy,
        "teacher": imitation,
    }
    return loss, metrics


def _pools_of_all_sizes(seed, groups, settings):
    """Which candidates there are, bool [groups, N]: from `smallest_pool` to all of them."""
    least, most = (float(count) for count in (settings.smallest_pool, settings.pool))
    share = draws.uniform(seed, [groups, 1])
    count = tf.round(least * tf.pow(most / least, share))
    return tf.range(settings.pool, dtype=tf.float32) < count


def _never_selected(episode) -> tuple[str, ...]:
    """Names of the predictive targets' arrays, where it is plain that none is ever selected: then
    they are learned from, and the policy acts the same without them."""
    selected = tf.get_static_value(episode["target_mask"])
    if selected is None or selected.any():
        return ()
    return tuple(name for name in episode if name.startswith("target_"))


def _imitation(model, task, recipe, state, outputs, acts, episodes, seed):
    """Cross-entropy from the information-gain teacher at the first `teacher_states` sampled
    states of each of the `episodes`, where somebody `acts` bool [R]."""
    settings = recipe.policy_loss
    rows = tf.reshape(tf.range(acts.shape[0]), [episodes, -1])[:, : settings.teacher_states]
    rows = tf.reshape(rows, [-1])
    names = ("context_", "known_", "candidate_", "target_")
    state = {
        name: tf.gather(array, rows)
        for name, array in state.items()
        if name.startswith(names) or name in ("theta", "theta_mask")
    }
    raw = tf.stop_gradient(tf.gather(outputs["theta_raw"], rows))
    if task.expected_gain is not None:
        gain = tf.stop_gradient(task.expected_gain(state))
    else:
        posterior = model.theta_posterior({"theta_raw": raw})
        gain = information_gain(task, posterior, state, seed, settings.teacher_draws)
    logits = tf.gather(outputs["candidate_logits"], rows)
    each = imitation_loss(
        logits, gain, state["candidate_mask"], settings.teacher_inverse_temperature
    )
    # A teacher that sees no difference has nothing to teach.
    tells = tf.gather(acts, rows) & (tf.reduce_max(gain, axis=1) > 0.0)
    tells = tf.cast(tells, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(tells * each), tf.reduce_sum(tells))


def _advantages(recipe, trajectory):
    settings, group_size = recipe.policy_loss, recipe.rollout.group_size
    if settings.credit == "immediate_reward":
        return immediate_reward(trajectory.value, settings.discount)
    index = tf.gather(trajectory.offered, trajectory.choice[..., None], batch_dims=2)[..., 0]
    cost_t = tf.gather(trajectory.episode["candidate_cost"], index, batch_dims=1)
    return_t = reward_to_go(trajectory.value, cost_t, settings.cost_weight)
    advantage_t = leave_one_out_advantage(return_t, group_size)
    if group_size > 1:
        advantage_t = state_control_variate(advantage_t, trajectory.value[:, :-1], group_size)
    return advantage_t
