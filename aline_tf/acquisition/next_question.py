"""Which question comes next: the policy's choice among what is free, costs weighed in."""

from __future__ import annotations

import warnings

import numpy as np

from aline_tf.acquisition.policies import Policy, policy_by_name
from aline_tf.acquisition.questions import Question
from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.spec import TaskSpec, same_task


def checked_policy(policy, model, spec: TaskSpec) -> tuple[Policy, bool]:
    """The policy of a session, and whether its name alone was given.

    Args:
        policy: a `Policy`, a name of `policy_by_name`, or None for the model's own.
        model: a `SessionModel`.
        spec: of its task.

    Raises:
        InputError: no policy, an unknown name, or one made for another task.
    """
    named = policy is None or isinstance(policy, str)
    if named:
        policy = policy_by_name(policy or "learned", model)
    if not isinstance(policy, Policy):
        raise InputError(f"expected a Policy or the name of one; received {policy!r}")
    if policy.spec is not None and not same_task(policy.spec, spec):
        raise InputError(
            f"expected a policy for this very task {spec.name!r}; received "
            f"{policy.name!r}, made for a task {policy.spec.name!r}"
        )
    return policy, named


def next_question(session, pool, gain: bool) -> tuple[Question, bool]:
    """What the policy would acquire now.

    Args:
        session: a `Session`.
        pool: its `Pool`.
        gain: whether to add the expected information of the answer.

    Returns:
        the `Question`, and whether its candidate is asked again because each of them has been.

    Raises:
        InputError: an exhausted pool, costs that cannot be weighed, or a policy that cannot choose.
    """
    free = pool.free()
    if not free.any():
        raise InputError(
            f"expected a candidate left to ask for; received {session.steps} answers, "
            f"{len(pool.pending)} pending questions and an exhausted pool"
        )
    batch = session.batch_of(len(pool), None, _expected_answers(session), free)
    logits = session.policy.logits(batch)
    score = probability = None
    if logits is None:
        if session.cost_weight:
            raise InputError(
                "expected cost_weight=0 with a policy that has no scores; received "
                f"cost_weight={session.cost_weight:g} with {session.policy.name!r}"
            )
        index = int(session.policy.choose(batch)[0])
    else:
        scores = np.where(free, logits[0] - session.cost_weight * pool.costs, -np.inf)
        index = int(np.argmax(scores))
        score = float(scores[index])
        probability = float(1.0 / np.exp(scores - scores[index]).sum())
    question = pool.question(index)
    nats = float(session.expected_gain(question.design[None])[0]) if gain else None
    refilled = pool.repeats is None and pool.counts[index] > 0
    return question._replace(score=score, probability=probability, gain=nats), refilled


def warn_of_repeats(count: int) -> None:
    """Says to whoever asked that all of `count` candidates are in the pool once more."""
    warnings.warn(
        f"each of the {count} candidates was answered or is pending; they are asked "
        "again (repeats=True says so beforehand, repeats=False refuses)",
        stacklevel=4,
    )


def _expected_answers(session):
    """(design, outcome, status) of each pending question, with the answer the model expects."""
    pending, fields = session.pending, session.spec.fields
    if not pending or not len(fields) == len(session.spec.outcomes) == 1:
        return []
    found = session.predict(np.stack([question.design for question in pending]))
    status, expected = np.full(1, OBSERVED, np.int32), []
    for question, marginal in zip(pending, found, strict=True):
        value = float(np.round(marginal.mean)) if fields[0].allowed else marginal.mean
        expected.append((question.design, np.array([value]), status))
    return expected
