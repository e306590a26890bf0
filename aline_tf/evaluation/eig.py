"""Bounds of the total expected information gain, from contrastive parameters of the prior.

With D the history of one run, theta_0 the parameters that made it and theta_1..theta_L drawn
from the prior,

    sPCE = E[ log p(D | theta_0) - log 1/(L + 1) sum_{l=0..L} p(D | theta_l) ]   a lower bound
    sNMC = E[ log p(D | theta_0) - log 1/L       sum_{l=1..L} p(D | theta_l) ]   an upper bound

Neither exceeds the truth, or falls short of it, only on average over runs; sPCE never exceeds
log(L + 1) in any run. Contrastive parameters come in chunks and only a running log-sum is kept,
so memory does not grow with L. A few runs share their contrastive parameters: for each run they are
L independent draws from the prior, so each run's bound means what it would mean alone.

Source: Foster et al., "Deep Adaptive Design" (arXiv 2103.02438), section 4 and appendix.
Sizes: R runs, T steps, L contrastive parameters, K reported steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aline_tf.errors import InputError

#: Contrastive parameters of one chunk; a column of them stays in a core's cache.
CHUNK = 2**15
#: Runs that share their contrastive parameters, so that drawing them costs next to nothing.
_RUNS_TOGETHER = 16
# Keeps the contrastive parameters apart from whatever else is drawn from the same seed.
_CONTRASTIVE_STREAM = 0x454947


@dataclass(frozen=True)
class Bounds:
    """Bounds of the total expected information gain, run by run: average over runs.

    Attributes:
        spce: [R, K] in nats, the lower bound.
        snmc: [R, K] in nats, the upper bound.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation.eig import bounds_from_sums
        >>> own, others = np.array([[0.0]]), np.log([[0.5]])
        >>> bounds = bounds_from_sums(own, others, count=1)
        >>> bool(bounds.spce < bounds.snmc)
        True
    """

    spce: np.ndarray
    snmc: np.ndarray


class RunningLogSum:
    """log sum_i exp(a_i) of chunks of a_i, in float64, with no more memory than one chunk.

    Args:
        shape: of the sum.

    Example:
        >>> from aline_tf.evaluation.eig import RunningLogSum
        >>> total = RunningLogSum(())
        >>> for chunk in (0.0, 0.0):
        ...     total.add(chunk)
        >>> round(float(total.value), 3)
        0.693
    """

    def __init__(self, shape: tuple[int, ...]):
        self.value = np.full(shape, -np.inf)

    def add(self, log_sum) -> None:
        """Takes in the log-sum of another chunk, of the same shape."""
        self.value = np.logaddexp(self.value, np.asarray(log_sum, np.float64))


def history_log_likelihood(
    log_likelihood: Callable, theta, design, outcome, steps: Sequence[int]
) -> list:
    """log p(first t outcomes | theta) at each t of `steps`, ascending.

    Args:
        log_likelihood: (theta [R, L, P], design [R, 1, D], outcome [R, 1, F]) -> [R, L], in
            numpy or TensorFlow.
        theta: [R, L, P], or [1, L, P] for all runs.
        design, outcome: [R, T, D] and [R, T, F].

    Returns:
        K arrays [R, L].
    """
    total, found = 0.0, []
    for t in range(max(steps)):
        total = total + log_likelihood(theta, design[:, None, t], outcome[:, None, t])
        if t + 1 in steps:
            found.append(total)
    return found


def bounds_from_sums(own: np.ndarray, contrastive_sum: np.ndarray, count: int) -> Bounds:
    """Both bounds of each run.

    Args:
        own: log p(D | theta_0).
        contrastive_sum: log sum_{l=1..L} p(D | theta_l), same shape.
        count: L.
    """
    with_own = np.logaddexp(own, contrastive_sum)
    return Bounds(own - with_own + np.log(count + 1.0), own - contrastive_sum + np.log(count))


def bounds_by_chunks(
    log_likelihood: Callable,
    theta: np.ndarray,
    design: np.ndarray,
    outcome: np.ndarray,
    contrastive: Iterable[np.ndarray],
    steps: Sequence[int],
) -> Bounds:
    """Both bounds with contrastive parameters of the caller's own.

    Args:
        log_likelihood: see `history_log_likelihood`.
        theta: [R, P], what made the histories.
        design, outcome: [R, T, D] and [R, T, F].
        contrastive: chunks [R, l, P] (or [1, l, P], shared by all runs) that make up L.
        steps: ascending, each in 1..T.
    """
    _check_steps(steps, design.shape[1])

    def history(parameters):
        found = history_log_likelihood(log_likelihood, parameters, design, outcome, steps)
        return np.stack([np.asarray(part, np.float64) for part in found], axis=-1)

    own = history(theta[:, None])[:, 0]
    total, count = RunningLogSum(own.shape), 0
    for chunk in contrastive:
        total.add(np.logaddexp.reduce(history(chunk), axis=1))
        count += chunk.shape[1]
    return bounds_from_sums(own, total.value, count)


def prior_bounds(
    task,
    theta: np.ndarray,
    design: np.ndarray,
    outcome: np.ndarray,
    steps: Sequence[int],
    contrastive: int,
    seed: int = 0,
    chunk: int = CHUNK,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Bounds:
    """Both bounds with L parameters from the task's prior; compiled.

    On one core a term (a run, an outcome, a parameter) takes about a nanosecond in location finding
    and ten in CES.

    Args:
        task: a `Task` with `log_likelihood`.
        theta: [R, P], what made the histories.
        design, outcome: [R, T, D] and [R, T, F].
        steps: ascending, each in 1..T.
        contrastive: L, drawn afresh for every 16 runs.
        seed: of the contrastive parameters.
        chunk: contrastive parameters held at once.
        report: called with the number of finished runs and of all.

    Raises:
        InputError: the task has no likelihood, L < 1, or a step outside 1..T.
    """
    if task.log_likelihood is None:
        raise InputError(
            f"expected a task with a likelihood, for bounds of the information gain; "
            f"received {task.spec.name!r}"
        )
    if contrastive < 1:
        raise InputError(f"expected at least 1 contrastive parameter; received {contrastive}")
    _check_steps(steps, design.shape[1])
    rows = min(len(theta), _RUNS_TOGETHER)
    size = min(contrastive, chunk)
    drawn, log_sums = _compiled(task, tuple(steps), rows, size)
    parts = []
    for start in range(0, len(theta), rows):
        # The last group is filled up with its first run: one shape, one compilation.
        index = np.arange(start, start + rows)
        index[index >= len(theta)] = start
        true, *history = (
            np.asarray(array[index], np.float32) for array in (theta, design, outcome)
        )
        own = history_log_likelihood(task.log_likelihood, true[:, None], *history, steps)
        own = np.stack([np.asarray(part, np.float64)[:, 0] for part in own], axis=-1)
        total = RunningLogSum(own.shape)
        for number, first in enumerate(range(0, contrastive, size)):
            columns = drawn(np.array([seed, start // rows, number], np.int32))
            total.add(log_sums(columns, min(size, contrastive - first), *history))
        found = bounds_from_sums(own, total.value, contrastive)
        kept = min(rows, len(theta) - start)
        parts.append((found.spce[:kept], found.snmc[:kept]))
        report(start + kept, len(theta))
    spce, snmc = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Bounds(spce, snmc)


def column_likelihood(task):
    """The `ColumnLikelihood` of a task that has a likelihood: its own, or one made of
    `log_likelihood`."""
    import tensorflow as tf

    from aline_tf.tasks.task import ColumnLikelihood

    if task.column_likelihood is not None:
        return task.column_likelihood()
    dims = task.spec.sizes["D"]

    def of_columns(columns, numbers):
        theta = tf.stack(columns, axis=-1)
        return task.log_likelihood(theta, numbers[None, :dims], numbers[None, dims:])

    return ColumnLikelihood(lambda design, outcome: tf.concat([design, outcome], -1), of_columns)


@functools.lru_cache(maxsize=4)
def _compiled(task, steps, rows, size):
    """Functions key -> [P, l], prior draws as columns, and (columns, valid, design, outcome) ->
    [R, K], the log-sum over the first `valid` of them after each of `steps` outcomes."""
    import tensorflow as tf

    from aline_tf import draws

    likelihood = column_likelihood(task)

    # Not compiled: on a CPU the compiler's random integers take fifty times as long, and they are
    # the same integers.
    @tf.function(autograph=False)
    def drawn(key):
        seed = draws.fold_in(draws.as_seed(key[0]), _CONTRASTIVE_STREAM)
        seed = draws.fold_in(draws.fold_in(seed, key[1]), key[2])
        return tf.transpose(task.sample_theta(seed, size))

    @tf.function(jit_compile=True, autograph=False)
    def log_sums(columns, valid, design, outcome):
        columns = tf.unstack(columns)
        start = tf.where(tf.range(size) < valid, 0.0, -np.inf)
        numbers = likelihood.numbers(design[:, : steps[-1]], outcome[:, : steps[-1]])
        reported = tf.constant([t + 1 in steps for t in range(steps[-1])])

        # One outcome of one run at a time keeps all that is touched in the cache, and keeps the
        # compiler from computing a history once for its maximum and again for its sum. The numbers
        # of the coming outcome are carried along: looked up inside, they would be for every draw.
        def step(t, row, here, total, found):
            total += likelihood.of_columns(columns, here)
            value = tf.cond(reported[t], lambda: tf.reduce_logsumexp(total), lambda: 0.0)
            following = numbers[row, tf.minimum(t + 1, steps[-1] - 1)]
            return t + 1, row, following, total, found.write(t, value)

        def run(row):
            found = tf.TensorArray(tf.float32, size=steps[-1])
            found = tf.while_loop(
                lambda t, *_: t < steps[-1],
                step,
                (0, row, numbers[row, 0], start, found),
                maximum_iterations=steps[-1],
            )[-1]
            return tf.gather(found.stack(), [t - 1 for t in steps])

        return tf.map_fn(run, tf.range(rows), fn_output_signature=tf.float32)

    return drawn, log_sums


def _check_steps(steps: Sequence[int], horizon: int) -> None:
    if not len(steps) or list(steps) != sorted(set(steps)) or not 1 <= steps[0] <= steps[-1]:
        raise InputError(f"expected ascending steps of 1 or more; received {list(steps)}")
    if steps[-1] > horizon:
        raise InputError(f"expected steps up to {horizon}; received {steps[-1]}")
