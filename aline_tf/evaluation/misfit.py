"""How often the test of a session's fit speaks up: for subjects of the task, and for strangers.

    false alarms   share of subjects of the task's own simulator with p < .01; 1% by design
    detected       share of a kind of strangers with p < .01, after as many answers as the task has
                   steps, put by the model's own policy

each by the test as a session makes it ("session"), by one that has the model's predictions alone
("model"), and, where the experiment has an oracle of its own, by the same test with the oracle's
predictions ("exact"). `aline_tf.acquisition.misfit` is the test.

Sizes: R subjects, T trials, N candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from aline_tf import draws
from aline_tf.acquisition.misfit import THRESHOLD, binary_p_value, covers, fit_of
from aline_tf.acquisition.policies import LearnedPolicy
from aline_tf.batch import empty_batch
from aline_tf.batch_ops import from_history
from aline_tf.errors import InputError
from aline_tf.evaluation.play import play_through

#: Name of subjects as the task simulates them.
WELL_SPECIFIED = "of the task"
_AT_ONCE = 100

#: (design [R, D], trial t) -> outcome [R], of R subjects.
Answer = Callable[[np.ndarray, int], np.ndarray]
#: (generator, R) -> their answers.
Observers = Callable[[np.random.Generator, int], Answer]


class Detection(NamedTuple):
    """How often one kind of subjects is suspected.

    Attributes:
        subject: the kind.
        by: whose predictions: "session", "model" or "exact".
        rate: share of the runs, 0 to 1.
        runs: R.

    Example:
        >>> from aline_tf.evaluation.misfit import Detection
        >>> Detection("coin", "session", 0.14, 300).standard_error.round(3)
        0.02
    """

    subject: str
    by: str
    rate: float
    runs: int

    @property
    def standard_error(self) -> float:
        """Of the rate."""
        return np.sqrt(self.rate * (1.0 - self.rate) / self.runs)


def of_the_task(task) -> Observers:
    """Observers that a task simulates, drawn from its prior."""
    import tensorflow as tf

    def subjects(rng, runs):
        seed = draws.as_seed(int(rng.integers(2**31)))
        theta = task.sample_theta(draws.fold_in(seed, 0), runs)

        def answer(design, t):
            place = tf.constant(design[:, None], tf.float32)
            return task.simulate(theta, place, draws.fold_in(seed, t + 1)).numpy()[:, 0, 0]

        return answer

    return subjects


def histories(
    task, policy, subjects: Observers, runs: int, candidates: int = 200, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What subjects answer to a policy that is after all parameters.

    Args:
        task: a `Task`; its designs make the pools.
        policy: a `Policy`.
        subjects: who answers.
        runs: R.
        candidates: N, at least as many as the task has steps.
        seed: equal seeds give equal pools and subjects.

    Yields:
        (design [n, T, D], outcome [n, T, 1]) of some of the runs.
    """
    horizon, rng = task.spec.horizon, np.random.default_rng([seed, 0x5354])
    for start in range(0, runs, _AT_ONCE):
        count = min(_AT_ONCE, runs - start)
        batch = empty_batch(task.spec.sizes | {"B": count, "C": horizon, "N": candidates, "M": 0})
        pool_seed = draws.fold_in(draws.as_seed(seed), start)
        pool = np.asarray(task.sample_designs(pool_seed, count, candidates))
        batch["candidate_design"][:], batch["candidate_mask"][:] = pool, True
        batch["theta_mask"][:] = True
        answer, rows = subjects(rng, count), np.arange(count)

        def reveal(t, index, pool=pool, answer=answer, rows=rows):
            return np.asarray(answer(pool[rows, index], t), np.float32)[:, None]

        last = play_through(policy, batch, reveal, horizon)
        yield last["context_design"], last["context_outcome"]


def detections(
    model,
    task,
    kinds: Mapping[str, Observers],
    runs: int,
    candidates: int = 200,
    seed: int = 0,
    exact_chances: Callable | None = None,
    model_alone: bool = True,
    policy=None,
) -> list[Detection]:
    """How often each kind of subjects is suspected at the end of a session.

    Args:
        model: an `ALINE` of the task.
        task: with a likelihood, or the session's test is the model's.
        kinds: name -> who answers.
        runs: R of each kind.
        candidates, seed: see `histories`.
        exact_chances: (design [R, T, D], outcome [R, T, 1]) -> P(y_t = 1 | x_t, D_<t) [R, T] by an
            oracle; None where there is none.
        model_alone: whether the model's predictions alone are judged too.
        policy: who asks; the model's own when None.
    """
    policy, found = policy or LearnedPolicy(model), []
    for name, subjects in kinds.items():
        alarms: dict[str, list[bool]] = {"session": [], "model": [], "exact": []}
        for design, outcome in histories(task, policy, subjects, runs, candidates, seed):
            for row in range(len(design)):
                batch = from_history(task.spec.sizes, design[row, None], outcome[row, None])
                alarms["session"].append(fit_of(model, batch, task).is_suspect)
                if model_alone:
                    alarms["model"].append(fit_of(model, batch).is_suspect)
            if exact_chances is not None:
                chances = exact_chances(design, outcome)
                alarms["exact"] += [
                    binary_p_value(yes, one[:, 0]) < THRESHOLD
                    for yes, one in zip(chances, outcome, strict=True)
                ]
        found += [Detection(name, by, float(np.mean(a)), len(a)) for by, a in alarms.items() if a]
    return found


def examine(
    experiment, model, runs: int = 300, candidates: int = 200, seed: int = 0
) -> list[Detection]:
    """Observers of an experiment's task and all the strangers that it has, by every test there is.

    Args:
        experiment: an `Experiment`; its `misfits` are the strangers.
        model: an `ALINE` of its task.
        runs: R of each kind.
        candidates, seed: see `histories`.
    """
    strangers, exact_chances = experiment.misfits()
    kinds = {WELL_SPECIFIED: of_the_task(experiment.task)} | dict(strangers)
    return detections(model, experiment.task, kinds, runs, candidates, seed, exact_chances)


def false_alarms(
    experiment, model, runs: int, candidates: int = 200, seed: int = 0
) -> list[Detection]:
    """How often subjects of an experiment's own task are suspected, by a session and by the oracle.

    Args:
        experiment: an `Experiment`.
        model: an `ALINE` of its task.
        runs: R, at least 1.
        candidates, seed: see `histories`.

    Raises:
        InputError: no run, or a task whose outcomes cannot be tested.
    """
    if runs < 1:
        raise InputError(f"expected at least 1 run to count false alarms in; received {runs}")
    if not covers(experiment.task.spec):
        raise InputError(
            "expected a task of one binary or continuous outcome to test its fit; received "
            f"{experiment.name!r}"
        )
    kinds = {WELL_SPECIFIED: of_the_task(experiment.task)}
    _, exact_chances = experiment.misfits()
    return detections(
        model, experiment.task, kinds, runs, candidates, seed, exact_chances, model_alone=False
    )


def table_of(found: list[Detection]) -> str:
    """Detections as text, a line for each kind of subjects."""
    by = list(dict.fromkeys(each.by for each in found))
    lines = [f"{'suspected, p < .01':<28}" + "".join(f"{name:>10}" for name in by) + f"{'runs':>8}"]
    for subject in dict.fromkeys(each.subject for each in found):
        own = {each.by: each for each in found if each.subject == subject}
        cells = "".join(f"{own[name].rate:>10.1%}" if name in own else " " * 10 for name in by)
        lines.append(f"{subject:<28}{cells}{next(iter(own.values())).runs:>8}")
    return "\n".join(lines)
