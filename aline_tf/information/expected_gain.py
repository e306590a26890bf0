"""Expected information gain of every candidate about the selected parameters, by likelihood.

Parameters are drawn from q, corrected to the exact posterior of the history, and what every
candidate's outcome is expected to tell about the selected ones follows from them. Needs a
likelihood and a prior.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.information.nested_monte_carlo import binary_entropy, candidate_gain
from aline_tf.information.posterior_sampling import complete_theta, log_posterior, posterior_draws
from aline_tf.tasks.task import Task


def selects_all(task) -> bool:
    """Whether every row of the task is after all of its parameters, known ones apart: it leaves
    `Task.sample_targets` as it is."""
    return type(task).sample_targets is Task.sample_targets


def information_gain(
    task, posterior, state, seed, num_draws: int = 20, all_selected: bool | None = None
) -> tf.Tensor:
    """Expected information gain of every candidate about the selected parameters; of a task whose
    answers are yes or no, about selected predictions too.

        I(theta_S; y | x, D) = H[E p(y | x, theta)] - E_S H[E p(y | x, theta_S, rest)]

    Args:
        task: has `log_likelihood` and `log_prior`; see `complete_theta` and
            `candidate_gain` for what else it may have.
        posterior: q(theta | D) at the R states (a `ThetaPosterior`); only a proposal, corrected by
            weights.
        state: R states (an Episode whose pool is what can be chosen).
        seed: int32 [2].
        num_draws: I. With all parameters selected, cost grows with its square; with some of
            them, I draws of these meet I of the others, and it grows with its square for a binary
            outcome, with its cube for any other.
        all_selected: whether all parameters are selected in every row, whatever `theta_mask` says;
            must be known when the graph is built. None: as `selects_all` has it.

    Returns:
        [R, N], in nats, not negative; at most log I for an outcome that is not binary.

    Source: nested Monte Carlo, Rainforth et al., ICML 2018, with self-normalised weights.
    """
    all_selected = selects_all(task) if all_selected is None else all_selected
    draw_seed, outcome_seed = draws.split(seed, 2)
    design = state["candidate_design"]
    if all_selected:
        theta = posterior_draws(task, posterior, state, draw_seed, num_draws)
        gain = candidate_gain(task, theta, design, outcome_seed)
    else:
        theta, log_weight = _posterior_pairs(task, posterior, state, seed, num_draws)
        if [field.kind for field in task.spec.fields] == ["binary"]:
            gain = _binary_pair_gain(task, theta, log_weight, design)
            gain += _binary_prediction_gain(task, theta, log_weight, design, state)
        else:
            gain = _simulated_pair_gain(task, theta, log_weight, design, outcome_seed)
    return tf.stop_gradient(tf.maximum(gain, 0.0))


def _posterior_pairs(task, posterior, state, seed, num_draws):
    """Parameter sets made of I draws for the selected parameters and I for the rest.

    Returns theta [R, I, I, P] and self-normalised log weights [R, I, I]:
        w_ij = p(theta_ij) prod_t p(y_t | x_t, theta_ij) / q(selected_i) q(rest_j).
    """
    rows, count = tf.shape(state["theta"])[0], len(task.spec.parameters)

    def sample(key):
        shape = [num_draws, rows, count]
        return posterior.from_uniform(*(draws.uniform(s, shape) for s in draws.split(key, 3)))

    first, second = (sample(key) for key in draws.split(seed, 2))
    # What is known is conditioned on.
    first = tf.where(state["known_mask"], state["known_theta"], first)
    second = tf.where(state["known_mask"], state["known_theta"], second)
    selected = state["theta_mask"]
    known = state["known_mask"][:, None, None]
    theta = tf.where(
        selected[:, None, None],
        tf.transpose(first, [1, 0, 2])[:, :, None],
        tf.transpose(second, [1, 0, 2])[:, None],
    )
    theta, free = complete_theta(task, theta, tf.broadcast_to(known, tf.shape(theta)))
    free = free[:, 0, 0]
    log_first = tf.transpose(posterior.joint_log_prob(first, selected & free))
    log_second = tf.transpose(posterior.joint_log_prob(second, ~selected & free))
    log_weight = log_posterior(task, tf.reshape(theta, [rows, num_draws**2, count]), state)
    log_weight = tf.reshape(log_weight, [rows, num_draws, num_draws])
    log_weight -= log_first[:, :, None] + log_second[:, None, :]
    log_weight -= tf.reduce_logsumexp(log_weight, axis=[1, 2], keepdims=True)
    return theta, log_weight


def _conditional_weights(log_weight):
    """Weights of the selected draws [R, I], and of the rest given each of them [R, I, I]."""
    log_outer = tf.reduce_logsumexp(log_weight, axis=2)
    inner = tf.exp(log_weight - log_outer[:, :, None])
    # A selected draw without any posterior mass has no say, whatever its inner weights are.
    return tf.exp(log_outer), tf.where(tf.math.is_finite(inner), inner, 0.0)


def _binary_pair_gain(task, theta, log_weight, design):
    """[R, N], by enumeration of the outcome."""
    rows, num_draws, count = tf.shape(theta)[0], theta.shape[1], theta.shape[-1]
    log_yes = task.log_likelihood(
        tf.reshape(theta, [rows, num_draws**2, 1, count]), design[:, None], tf.ones([1, 1, 1, 1])
    )
    yes = tf.reshape(tf.exp(log_yes), [rows, num_draws, num_draws, -1])
    outer, inner = _conditional_weights(log_weight)
    conditional = tf.reduce_sum(inner[..., None] * yes, axis=2)
    outer = outer[..., None]
    marginal = tf.reduce_sum(outer * conditional, axis=1)
    return binary_entropy(marginal) - tf.reduce_sum(outer * binary_entropy(conditional), axis=1)


def _binary_prediction_gain(task, theta, log_weight, design, state):
    """[R, N], what the answer at a design tells about that at a selected target design, the mean
    over these: I(y*; y | D) of two yes-or-no answers that theta makes independent."""
    rows, count = tf.shape(theta)[0], theta.shape[-1]
    if state["target_design"].shape[1] == 0:
        return tf.zeros(tf.shape(design)[:2])
    theta = tf.reshape(theta, [rows, -1, 1, count])
    weight = tf.reshape(tf.exp(log_weight), [rows, -1, 1])

    def yes(inputs):
        """[R, I * I, inputs]."""
        return tf.exp(task.log_likelihood(theta, inputs[:, None], tf.ones([1, 1, 1, 1])))

    here, there = yes(design), yes(state["target_design"])
    both = tf.einsum("rim,rin->rmn", weight * there, here)
    here = tf.reduce_sum(weight * here, axis=1)[:, None]
    there = tf.reduce_sum(weight * there, axis=1)[..., None]
    cells = both, there - both, here - both, 1.0 - here - there + both
    apart = there * here, there * (1.0 - here), (1.0 - there) * here, (1.0 - there) * (1.0 - here)
    gain = tf.add_n(
        [
            tf.maximum(cell, 1e-9) * tf.math.log(tf.maximum(cell, 1e-9) / tf.maximum(alone, 1e-9))
            for cell, alone in zip(cells, apart, strict=True)
        ]
    )
    selected = tf.cast(state["target_mask"], tf.float32)
    total = tf.reduce_sum(selected[..., None] * gain, axis=1)
    return total / tf.maximum(tf.reduce_sum(selected, axis=1, keepdims=True), 1.0)


def _simulated_pair_gain(task, theta, log_weight, design, seed):
    """[R, N], from one simulated outcome y_k for each selected draw, with a rest of its own:

    sum_k w_k [ log sum_j w_j|k p(y_k | x, theta_kj) - log sum_ij w_ij p(y_k | x, theta_ij) ]
    """
    rows, size, count = tf.shape(theta)[0], theta.shape[1], theta.shape[-1]
    pick_seed, outcome_seed = draws.split(seed, 2)
    outer, inner = _conditional_weights(log_weight)
    rest = draws.categorical(pick_seed, tf.math.log(inner + 1e-30))
    own = tf.gather(theta, rest, batch_dims=2)
    candidates = tf.shape(design)[1]
    outcome = task.simulate(
        tf.reshape(own, [-1, count]), tf.repeat(design, size, axis=0), outcome_seed
    )
    outcome = tf.reshape(outcome, [rows, size, candidates, outcome.shape[-1]])

    def log_terms(k):
        """Of the k-th selected draw: [R, N]."""
        each = task.log_likelihood(
            theta[:, None], design[:, :, None, None], outcome[:, k][:, :, None, None]
        )
        conditional = tf.reduce_logsumexp(each + tf.math.log(inner + 1e-30)[:, None], axis=3)
        marginal = tf.reduce_logsumexp(conditional + tf.math.log(outer + 1e-30)[:, None], axis=2)
        return outer[:, k][:, None] * (tf.gather(conditional, k, axis=2) - marginal)

    # One after the other: all at once would take I^3 numbers for every candidate.
    terms = tf.map_fn(log_terms, tf.range(size), fn_output_signature=tf.float32)
    return tf.reduce_sum(terms, axis=0)
