"""The two phases of training as pure functions of (network, task, recipe, seed, progress).

Warm-up has no rollout: designs are random, so a simulated run is cut at a random length and
passed through once. The joint phase rolls the policy out without gradients and then takes one
gradient pass over an unbiased sample of the steps of every episode.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import ACQUIRED, condition_on, drop_candidates, narrow
from aline_tf.information import expected_gain as teacher
from aline_tf.information.look_ahead import look_ahead_gain
from aline_tf.training import objectives
from aline_tf.training.counterfactual import counterfactual_gain
from aline_tf.training.posterior_labels import shared_labels
from aline_tf.training.rollout import (
    Trajectory,
    rollout,
    selected_value,
    states_at,
)

#: Streams of a step's seed that its other draws do not use.
_REFRESH, _LABELS = 5, 6


def reveal_parameters(state: dict, seed, share: float) -> dict:
    """The state with some parameters given as known.

    In a `share` of rows; in such a row each with a chance that is itself uniform, so that one
    known parameter, half of them and nearly all of them are equally familiar.
    """
    row_seed, chance_seed, cell_seed = draws.split(seed, 3)
    shape = tf.shape(state["theta"])
    row = draws.uniform(row_seed, [shape[0], 1]) < share
    chance = draws.uniform(chance_seed, [shape[0], 1])
    revealed = row & (draws.uniform(cell_seed, shape) < chance) & state["theta_observed"]
    return condition_on(state, state["theta"], revealed)


def _theta_log_prob(network, task, outputs, state, theta, seed, alternatives):
    """log q of the parameters [R, P]; of several that might be the truth, where they are wanted."""
    beliefs = network.theta_posterior(outputs)
    if not alternatives:
        return beliefs.log_prob(theta)
    label_seed = draws.fold_in(seed, _LABELS)
    labels, weight = shared_labels(task, beliefs, state, label_seed, alternatives)
    return tf.reduce_sum(weight[..., None] * beliefs.log_prob(labels), axis=0)


def _value_to_all_labels(task, recipe, seed):
    """`selected_value` with the chances of several parameters in the place of the true ones: most
    of the noise of a reward is that of the one draw of theta it is paid for."""

    def value(network, outputs, state):
        log_prob = _theta_log_prob(
            network, task, outputs, state, state["theta"], seed, recipe.alternatives
        )
        return selected_value(network, outputs, state, log_prob)

    return value


def _inference_loss(network, task, recipe, outputs, state, seed):
    theta_weight = tf.cast(state["theta_observed"] & ~state["known_mask"], tf.float32)
    target_weight = tf.cast(state["target_observed"], tf.float32)
    if task.target_weights is not None:
        target_weight *= tf.constant(task.target_weights, tf.float32)
    # A weight of zero does not silence NaN: a label that is not recorded is read as 0.
    theta = tf.where(state["theta_observed"], state["theta"], 0.0)
    outcome = tf.where(state["target_observed"], state["target_outcome"], 0.0)
    return objectives.inference_loss(
        _theta_log_prob(network, task, outputs, state, theta, seed, recipe.alternatives),
        theta_weight,
        network.target_log_prob(outputs, state, outcome),
        target_weight,
    )


def warmup_loss(network, task, recipe, seed) -> tuple[tf.Tensor, dict]:
    """Inference loss on contexts of random designs and random length.

    Returns:
        the loss, and metrics: inference (nats).
    """
    horizon = recipe.horizon or task.spec.horizon
    episode_seed, length_seed, reveal_seed = draws.split(seed, 3)
    batch = recipe.warmup_batch
    episode = task.sample_episodes(episode_seed, batch, max(horizon, recipe.offer))
    episode = narrow(episode, tf.repeat(tf.range(horizon)[None], batch, axis=0))
    state = dict(episode)
    for context, source in ACQUIRED.items():
        state[context] = tf.concat([episode[context], episode[source]], axis=1)
    length = tf.cast(draws.uniform(length_seed, [batch, 1]) * (horizon + 1), tf.int32)
    taken = (tf.range(horizon) < length) & episode["candidate_mask"]
    state["context_mask"] = tf.concat([episode["context_mask"], taken], axis=1)
    state = reveal_parameters(drop_candidates(state), reveal_seed, recipe.reveal)
    loss = _inference_loss(network, task, recipe, network(state), state, seed)
    return loss, {"inference": loss}


def joint_loss(network, task, recipe, seed, progress) -> tuple[tf.Tensor, dict]:
    """Inference and policy losses on the policy's own episodes, and on random designs what
    `recipe.refresh` asks for.

    Args:
        progress: scalar in [0, 1] through the joint phase; drives the schedules.

    Returns:
        the loss, and metrics: those of `loss_of_played`.
    """
    trajectory, advantage_t = play(network, task, recipe, seed, progress)
    loss, metrics = loss_of_played(network, task, recipe, seed, progress, trajectory, advantage_t)
    if recipe.refresh > 0:
        loss += recipe.refresh * refreshing_loss(network, task, recipe, seed)
    return loss, metrics


def refreshing_loss(network, task, recipe, seed) -> tf.Tensor:
    """The warm-up's loss in the joint phase. A rollout shows few people, and only where the policy
    goes; random designs show many."""
    return warmup_loss(network, task, recipe, draws.fold_in(seed, _REFRESH))[0]


def play(network, task, recipe, seed, progress) -> tuple[Trajectory, tf.Tensor]:
    """Episodes under the policy, without gradients.

    Args:
        progress: as in `joint_loss`.

    Returns:
        the trajectory, and the advantages [B, T] of its actions.
    """
    horizon = recipe.horizon or task.spec.horizon
    episode_seed, rollout_seed, *_ = draws.split(seed, 5)
    temperature = objectives.anneal(*recipe.temperature, progress)
    episode = task.sample_episodes(episode_seed, recipe.batch // recipe.group, recipe.pool)
    unwanted = _never_selected(episode)
    episode = tf.nest.map_structure(lambda a: tf.repeat(a, recipe.group, axis=0), episode)
    offer = min(recipe.offer, recipe.pool)
    value = selected_value
    if recipe.alternatives and recipe.policy_weight > 0:
        value = _value_to_all_labels(task, recipe, seed)
    lean = episode | {name: episode[name][:, :0] for name in unwanted}
    trajectory = rollout(
        network, lean, rollout_seed, horizon, offer, temperature, recipe.near, value
    )
    later = {name: episode[name] for name in unwanted}
    trajectory = trajectory._replace(episode=trajectory.episode | later)
    return trajectory, _advantages(recipe, trajectory)


def loss_of_played(
    network, task, recipe, seed, progress, trajectory, advantage_t
) -> tuple[tf.Tensor, dict]:
    """Inference and policy losses at an unbiased sample of the states of some episodes.

    Args:
        progress: as in `joint_loss`.
        trajectory, advantage_t: of `play`, all rows or some.

    Returns:
        the loss, and metrics: inference (nats), reward (nats per selected target, first to last
        step), entropy (nats), policy (the loss), teacher (cross-entropy from it, or 0).
    """
    rows, horizon = trajectory.choice.shape
    _, _, state_seed, reveal_seed, teacher_seed = draws.split(seed, 5)
    temperature = objectives.anneal(*recipe.temperature, progress)
    steps = draws.subset_order(state_seed, [rows, horizon + 1])
    steps = steps[:, : min(recipe.states, horizon + 1)]
    state = states_at(trajectory, steps)
    count = steps.shape[1]
    steps = tf.reshape(steps, [-1])
    acting = tf.minimum(steps, horizon - 1)
    state = reveal_parameters(state, reveal_seed, recipe.reveal)
    outputs = network(state)
    inference = _inference_loss(network, task, recipe, outputs, state, seed)

    # States after the last acquisition have no action; in revealed rows the action was taken by
    # somebody who knew less.
    weight = tf.cast((steps < horizon) & ~tf.reduce_any(state["known_mask"], axis=1), tf.float32)
    logits = outputs["candidate_logits"] / temperature
    choice = tf.gather(tf.repeat(trajectory.choice, count, axis=0), acting, batch_dims=1)
    advantage = tf.gather(tf.repeat(advantage_t, count, axis=0), acting, batch_dims=1)
    log_policy = tf.nn.log_softmax(logits)
    log_prob = tf.gather(log_policy, choice, batch_dims=1)
    policy = objectives.policy_loss(log_prob, advantage, weight)
    entropy = -tf.reduce_sum(tf.exp(log_policy) * tf.maximum(log_policy, -50.0), axis=1)
    # A small batch may, by chance, hold no state with an action.
    mean_entropy = tf.math.divide_no_nan(tf.reduce_sum(weight * entropy), tf.reduce_sum(weight))
    loss = inference + recipe.policy_weight * policy
    loss -= objectives.anneal(*recipe.entropy, progress) * mean_entropy

    imitation = tf.zeros([])
    if max(recipe.teacher) > 0:
        imitation = _imitation(
            network, task, recipe, state, outputs, steps < horizon, rows, teacher_seed
        )
        loss += objectives.anneal(*recipe.teacher, progress) * imitation
    for part, each in _of_tried(network, recipe, state, logits, weight, teacher_seed):
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


def _never_selected(episode) -> tuple[str, ...]:
    """Names of the predictive targets' arrays, where it is plain that none is ever selected: then
    they are learned from, and the policy acts the same without them."""
    selected = tf.get_static_value(episode["target_mask"])
    if selected is None or selected.any():
        return ()
    return tuple(name for name in episode if name.startswith("target_"))


def _imitation(network, task, recipe, state, outputs, acts, episodes, seed):
    """Cross-entropy from the information-gain teacher at the first `teacher_states` sampled
    states of each of the `episodes`, where somebody `acts` bool [R]."""
    rows = tf.reshape(tf.range(acts.shape[0]), [episodes, -1])[:, : recipe.teacher_states]
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
        gain = teacher.information_gain(
            task, network.theta_posterior({"theta_raw": raw}), state, seed, recipe.teacher_draws
        )
    logits = tf.gather(outputs["candidate_logits"], rows)
    each = objectives.imitation_loss(logits, gain, state["candidate_mask"], recipe.sharpness)
    # A teacher that sees no difference has nothing to teach.
    tells = tf.gather(acts, rows) & (tf.reduce_max(gain, axis=1) > 0.0)
    tells = tf.cast(tells, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(tells * each), tf.reduce_sum(tells))


def _of_tried(network, recipe, state, logits, weight, seed) -> list:
    """Losses [R] over a few candidates tried at every sampled state, and their weights."""
    if max(recipe.counterfactual, recipe.look_ahead) <= 0:
        return []
    # Half of them as the policy would choose: what it ranks first is what has to be told apart.
    some_seed, own_seed, answer_seed = draws.split(seed, 3)
    own = tf.math.top_k(
        logits + draws.gumbel(own_seed, tf.shape(logits)), recipe.tried // 2
    ).indices
    order = draws.uniform(some_seed, tf.shape(logits))
    order += tf.reduce_sum(tf.one_hot(own, tf.shape(logits)[1]), axis=1)
    order += 2.0 * tf.cast(state["candidate_mask"], tf.float32)
    tried = tf.math.top_k(order, recipe.tried).indices
    allowed = tf.gather(state["candidate_mask"], tried, batch_dims=1)
    scores, parts = tf.gather(logits, tried, batch_dims=1), []
    if recipe.counterfactual > 0:
        gain = counterfactual_gain(network, state, tried, recipe.price)
        gain = _on_one_scale(gain, state, tf.cast(allowed, tf.float32) * weight[:, None])
        parts.append((recipe.counterfactual, objectives.all_action_loss(scores, gain, allowed)))
    if recipe.look_ahead > 0:
        gain = look_ahead_gain(network, state, tried, answer_seed, recipe.price)
        each = objectives.imitation_loss(scores, gain, allowed, recipe.sharpness)
        parts.append((recipe.look_ahead, each))
    return parts


def _on_one_scale(gain, state, counted):
    """Gains [R, K] by their root mean square among rows that want the same kind of target.

    A forecast gains a few millinats, a physiology tenths: on the scale of all together nobody would
    ever learn what to ask for a forecast. Kinds: parameters, predictions, both.

    Args:
        gain: [R, K].
        state: R states.
        counted: [R, K], 0 for what does not count.
    """
    wanted = [tf.reduce_any(state[name], axis=1) for name in ("theta_mask", "target_mask")]
    kind = tf.cast(wanted[0], tf.int32) + 2 * tf.cast(wanted[1], tf.int32)
    member = tf.one_hot(kind, 4)
    square = tf.linalg.matvec(member, tf.reduce_sum(counted * tf.square(gain), axis=1), True)
    square /= tf.linalg.matvec(member, tf.reduce_sum(counted, axis=1), True) + 1e-6
    return gain / (tf.linalg.matvec(member, tf.sqrt(square))[:, None] + 1e-6)


def _advantages(recipe, trajectory):
    if recipe.credit == "own_step":
        return objectives.own_step_credit(trajectory.value, recipe.discount)
    index = tf.gather(trajectory.offered, trajectory.choice[..., None], batch_dims=2)[..., 0]
    cost_t = tf.gather(trajectory.episode["candidate_cost"], index, batch_dims=1)
    return_t = objectives.reward_to_go(trajectory.value, cost_t, recipe.price)
    advantage_t = objectives.against_group(return_t, recipe.group)
    if recipe.group > 1:
        value_t = trajectory.value[:, :-1]
        advantage_t = objectives.against_state(advantage_t, value_t, recipe.group)
    return advantage_t
