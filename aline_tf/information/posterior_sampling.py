"""Draws from the exact posterior of many histories at once, by sequential Monte Carlo from q.

    1. propose     many draws g(theta): most from q, some from the prior
    2. temper      pi_beta = g^(1 - beta) p(theta | D)^beta with the largest beta <= 1 that leaves
                   enough effective draws: early in training q is poor, and one draw would have
                   all the weight
    3. resample    systematically
    4. move        each draw along the difference of two others, by Metropolis' rule for pi_beta

and 2 to 4 again, a few times: beta reaches 1 at once where q is good, in steps where it is not.

Sources: sequential Monte Carlo samplers, Del Moral, Doucet and Jasra (2006); differential
evolution moves, ter Braak (2006), with the other half of the draws as the population.
Sizes: R histories, n proposals, I draws, P parameters, C context tokens.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED

#: Effective draws that tempering leaves, as a share of those returned.
_EFFECTIVE = 0.5
_BISECTIONS = 8
#: Stands for minus infinity where differences are taken.
_NEVER = -1e30


def complete_theta(task, theta, known_mask) -> tuple[tf.Tensor, tf.Tensor]:
    """Theta with the parameters that follow from others, and which coordinates are free.

    A task whose parameters depend on each other (shares that sum to one) says so by a method
    `complete_theta(theta [..., P], known_mask [..., P]) -> (theta, free bool [..., P])`; its
    `log_prior` is a density in the free coordinates, up to a constant.

    Args:
        task: a `Task`.
        theta: [..., P].
        known_mask: bool [..., P]; those parameters stay as they are.

    Returns:
        theta [..., P], and bool [..., P].
    """
    if getattr(task, "complete_theta", None) is not None:
        return task.complete_theta(theta, known_mask)
    return theta, ~known_mask


def has_exact_posterior(task) -> bool:
    """Whether a task, or None, says the density of its prior and of a history of answers."""
    likelihoods = ("log_likelihood", "history_log_likelihood")
    known = any(getattr(task, name, None) is not None for name in likelihoods)
    return known and getattr(task, "log_prior", None) is not None


def log_posterior(task, theta, state) -> tf.Tensor:
    """log p(theta) p(y_1, ..., y_C | x_1, ..., x_C, theta), unnormalised: theta [R, I, P] ->
    [R, I].

    Args:
        task: one that `has_exact_posterior`.
        theta: I parameters for each history.
        state: R states (a Batch); tokens of which a field was not observed are passed over.

    Returns:
        in nats; -1e30 where the density is zero.
    """
    total = _log_likelihood(task, theta, state) + _log_prior(task, theta)
    return tf.where(tf.math.is_finite(total), total, _NEVER)


def _log_likelihood(task, theta, state):
    """Of the answers together; of independent ones the sum."""
    seen = state["context_mask"] & tf.reduce_all(state["context_status"] == OBSERVED, axis=-1)
    if task.history_log_likelihood is not None:
        return task.history_log_likelihood(
            theta, state["context_design"], state["context_outcome"], seen
        )
    each = task.log_likelihood(
        theta[:, :, None], state["context_design"][:, None], state["context_outcome"][:, None]
    )
    return tf.reduce_sum(tf.where(seen[:, None], each, 0.0), axis=-1)


def _log_prior(task, theta):
    """The task's, and minus infinity outside an interval."""
    parameters = task.spec.parameters
    bounded = tf.constant([p.kind == "interval" for p in parameters])
    inside = (theta >= [p.low for p in parameters]) & (theta <= [p.high for p in parameters])
    log_density = task.log_prior(theta)
    return tf.where(tf.reduce_all(inside | ~bounded, axis=-1), log_density, -math.inf)


@dataclasses.dataclass(frozen=True)
class SMCSettings:
    """Settings of sequential Monte Carlo: how much work goes into posterior draws.

    Attributes:
        proposals: for every draw that is returned, at least 1.
        from_prior: share of them from the prior, in (0, 1).
        least_stages, most_stages: of tempering, resampling and moving; between the two they end
            when every beta is 1.
        moves: of every draw, in each stage.

    Raises:
        ValueError: a number outside of its range.

    Example:
        >>> SMCSettings(proposals=16).most_stages
        4
    """

    proposals: int = 8
    from_prior: float = 0.25
    least_stages: int = 4
    most_stages: int = 4
    moves: int = 2

    def __post_init__(self):
        counts = self.proposals >= 1 and self.moves >= 0
        if not (counts and 0 < self.from_prior < 1 and 1 <= self.least_stages <= self.most_stages):
            raise ValueError(
                "Expected proposals >= 1, 0 < from_prior < 1, 1 <= least_stages <= most_stages and "
                f"moves >= 0. Received: {self}"
            )


def posterior_draws(
    task, posterior, state, seed, count: int, settings: SMCSettings = SMCSettings()
) -> tf.Tensor:
    """Draws of all parameters given each history, equally weighted.

    Args:
        task: one that `has_exact_posterior`.
        posterior: q at the R states (a `ThetaPosterior`), what the draws start from; None starts
            from the prior alone.
        state: R states (a Batch); parameters given as known keep their values.
        seed: int32 [2].
        count: I, an even number.
        settings: the defaults suit training, which meets hundreds of states in every step.

    Returns:
        [R, I, P].
    """
    propose_seed, stage_seed = draws.split(seed, 2)
    known = state["known_mask"][:, None]

    def finish(theta):
        return complete_theta(task, theta, tf.broadcast_to(known, tf.shape(theta)))

    def levels(theta):
        """log g and log posterior, both [R, I]."""
        theta, free = finish(theta)
        log_proposal = _log_prior(task, theta)
        if posterior is not None:
            log_q = posterior.joint_log_prob(
                tf.transpose(theta, [1, 0, 2]), tf.transpose(free, [1, 0, 2])
            )
            log_q = tf.transpose(log_q)
            shares = math.log(1.0 - settings.from_prior), math.log(settings.from_prior)
            both = tf.stack([shares[0] + log_q, shares[1] + log_proposal])
            log_proposal = tf.reduce_logsumexp(both, axis=0)
        log_proposal = tf.maximum(log_proposal, _NEVER)
        return tf.stack([log_proposal, log_posterior(task, theta, state)])

    theta = finish(_propose(task, posterior, state, propose_seed, settings, count))[0]
    kinds = {parameter.kind for parameter in task.spec.parameters}
    moving = count >= 6 and kinds <= {"interval", "real"}

    def stage(number, theta, level, beta):
        pick_seed, move_seed = draws.split(draws.fold_in(stage_seed, number), 2)
        step, log_weight = _tempered(level[1] - level[0], 1.0 - beta, _EFFECTIVE * count)
        index = _systematic(log_weight, pick_seed, count)
        theta = tf.gather(theta, index, batch_dims=1)
        level = tf.gather(level, tf.stack([index, index]), batch_dims=2)
        beta += step
        if moving:
            theta, level = _move(theta, level, beta, levels, finish, move_seed, settings.moves)
        return number + 1, theta, level, beta

    def unfinished(number, theta, level, beta):
        early = (number < settings.least_stages) | tf.reduce_any(beta < 1.0 - 1e-5)
        return early & (number < settings.most_stages)

    # The first stage thins the proposals; only later ones keep the shapes that a loop needs.
    start = tf.zeros([tf.shape(theta)[0], 1])
    stages = stage(tf.constant(0), theta, levels(theta), start)
    if moving:
        stages = tf.while_loop(unfinished, stage, stages)
    return stages[1]


def _propose(task, posterior, state, seed, settings, count):
    """Draws from q and from the prior: [R, n, P], known parameters in place."""
    rows, parameters = tf.shape(state["known_mask"])[0], len(task.spec.parameters)
    prior_seed, *seeds = draws.split(seed, 4)
    count = settings.proposals * count
    from_prior = count if posterior is None else int(settings.from_prior * count)
    theta = task.sample_theta(prior_seed, from_prior * rows)
    theta = tf.reshape(theta, [rows, from_prior, parameters])
    if posterior is not None:
        shape = [count - from_prior, rows, parameters]
        own = posterior.from_uniform(*(draws.uniform(key, shape) for key in seeds))
        theta = tf.concat([tf.transpose(own, [1, 0, 2]), theta], axis=1)
    return tf.where(state["known_mask"][:, None], state["known_theta"][:, None], theta)


def _tempered(log_weight, most, least):
    """The largest step [R, 1] of beta in [0, most] (to a few percent) that leaves `least`
    effective draws, and the normalised log weights [R, n] of that step."""
    log_weight = tf.clip_by_value(log_weight, _NEVER, -_NEVER)
    log_weight -= tf.reduce_max(log_weight, axis=1, keepdims=True)

    def enough(step):
        weight = tf.exp(step * log_weight)
        square = tf.reduce_sum(tf.square(weight), axis=1, keepdims=True)
        return tf.square(tf.reduce_sum(weight, axis=1, keepdims=True)) >= least * square

    # Between 2^-20 and 1 of what is left, by octaves: weights of a poor q span thousands of nats.
    def halve(low, high):
        middle = 0.5 * (low + high)
        fine = enough(most * tf.pow(2.0, middle))
        return tf.where(fine, middle, low), tf.where(fine, high, middle)

    low, _ = tf.while_loop(
        lambda *_: True,
        halve,
        (tf.fill(tf.shape(most), -20.0), tf.zeros_like(most)),
        maximum_iterations=_BISECTIONS,
    )
    low = most * tf.pow(2.0, low)
    step = tf.where(enough(most), most, low)
    return step, tf.nn.log_softmax(step * log_weight)


def _systematic(log_weight, seed, count):
    """Indices [R, I] of draws [R, n], each met about I times its weight."""
    edges = tf.cumsum(tf.exp(log_weight), axis=1)
    start = draws.uniform(seed, [tf.shape(log_weight)[0], 1])
    place = (tf.range(count, dtype=tf.float32) + start) / float(count) * edges[:, -1:]
    return tf.reduce_sum(tf.cast(edges[:, None, :-1] < place[:, :, None], tf.int32), axis=2)


def _move(theta, level, beta, levels: Callable, finish: Callable, seed, moves):
    """Draws [R, I, P] and their levels [2, R, I] after moves that leave pi_beta as it is."""
    size = 2.38 / math.sqrt(2.0 * theta.shape[-1])

    def half_move(number, here, level, others, level_of_others):
        first, second, chance = _choices(draws.fold_in(seed, number), here.shape[1], others)
        difference = tf.gather(others, first, batch_dims=1)
        difference -= tf.gather(others, second, batch_dims=1)
        # A spread of lengths: long enough to cross a curved ridge, short enough to stay on it.
        there = here + (size * tf.pow(chance[0], 1.5))[..., None] * difference
        there, _ = finish(there)
        found = levels(there)
        gain = (1.0 - beta) * (found[0] - level[0]) + beta * (found[1] - level[1])
        taken = tf.math.log(chance[1]) < gain
        moved = tf.where(taken[..., None], there, here)
        # The other half is next.
        return number + 1, others, level_of_others, moved, tf.where(taken, found, level)

    # Neighbours are often duplicates of one proposal: every other one goes into each half.
    halves = (theta[:, ::2], level[:, :, ::2], theta[:, 1::2], level[:, :, 1::2])
    _, first, first_level, second, second_level = tf.while_loop(
        lambda number, *_: number < 2 * moves, half_move, (tf.constant(0), *halves)
    )
    return tf.concat([first, second], axis=1), tf.concat([first_level, second_level], axis=2)


def _choices(seed, count, others):
    """Two different others for every draw, int32 [R, I] each, and two uniforms [2, R, I]."""
    pick_seed, chance_seed = draws.split(seed, 2)
    shape, size = [2, tf.shape(others)[0], count], others.shape[1]
    pick = draws.uniform(pick_seed, shape)
    first = tf.cast(pick[0] * size, tf.int32)
    away = 1 + tf.cast(pick[1] * (size - 1), tf.int32)
    return first, (first + away) % size, draws.uniform(chance_seed, shape)
