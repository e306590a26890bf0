"""Whether a subject is one that the model can describe: a prequential test of the answers so far.

Before each answer t its category k_t had the predictive probabilities pi_t = p(k | x_t, D_<t):
yes or no of a binary outcome, else the six intervals between the predictive quantiles. Two sums of
centred scores are martingales where the predictions are right, whatever chose the designs:

    A = sum_t a(k_t) - E a     too high or too low; of binary outcomes a = k
    B = sum_t b(k_t) - E b     too surprising; b = -log pi of binary outcomes, else a^2
    S = max(|A| / sd A, B / sd B),   p = share of outcomes drawn from pi_t whose S is as large

Predictions are those of the task's likelihood where it is known and the outcome binary (prior draws
weighed by the answers before), else the model's own.

At a threshold of 1% and 30 psychometric trials by the learned policy, with the model's predictions
(with the exact posterior's): false alarms 1.1% of 6000 (.8% of 400); detected, of 250 each, always
yes 100% (100%), inverted buttons 80% (82%), a threshold that drifts by 4 27% (86%), a coin 8%
(16%): answers of one half are nearly those of a high lapse rate and a threshold out of reach; 2AFC
(guesses of one half) 2% (.4%): the task describes it.

Source: prequential tests, Dawid (1984); Seillier-Moiseiwitsch and Dawid (1993).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.models.protocol import QUANTILE_LEVELS

#: Below it a session warns.
THRESHOLD = 0.01
#: Answers before which a session does not look by itself.
LEAST_ANSWERS = 10
#: Probabilities nearer to 0 or 1 are not taken at their word.
_SURE = 0.005
_REPLICATES, _PRIOR_DRAWS, _SEED = 2000, 2**14, 0
#: Means of a standard normal variable between its quantiles at `QUANTILE_LEVELS`.
_NORMAL_SCORES = np.array([-2.0627, -1.0490, -0.3247, 0.3247, 1.0490, 2.0627])


class Fit(NamedTuple):
    """How well the answers of a session fit what was expected of them.

    Attributes:
        p_value: chance of answers at least as surprising, were the predictions right.
        answers: how many were looked at: those observed, up to the task's horizon.
        exact: whether predictions were those of the likelihood, else the model's own.

    Example:
        >>> from aline_tf.acquisition import Fit
        >>> Fit(p_value=0.004, answers=30, exact=True).is_suspect
        True
    """

    p_value: float
    answers: int
    exact: bool

    @property
    def is_suspect(self) -> bool:
        """Whether answers of a subject like those of training are so surprising in one session of
        a hundred at most."""
        return self.p_value < THRESHOLD


def covers(spec) -> bool:
    """Whether outcomes can be tested: one field, the outcome itself, binary or continuous."""
    one = len(spec.outcomes) == len(spec.fields) == 1
    return one and spec.outcomes[0].kind in ("binary", "continuous")


def prequential_p_value(probability, category, low_score, high_score) -> float:
    """p-value of categories observed one after another.

    Args:
        probability: [T, K], predictive probabilities of each answer's categories.
        category: int [T], what was observed, in 0..K - 1.
        low_score, high_score: [T, K], a and b of every category; centred here.

    Returns:
        in (0, 1]; 1 where nothing was observed.

    >>> import numpy as np
    >>> half, codes = np.full([40, 2], 0.5), np.tile([0.0, 1.0], (40, 1))
    >>> prequential_p_value(half, np.arange(40) % 2, codes, codes) > 0.5
    True
    >>> prequential_p_value(half, np.ones(40, int), codes, codes) < 0.001
    True
    """
    if not len(category):
        return 1.0
    rng = np.random.default_rng(_SEED)
    edges = np.cumsum(probability, axis=1)[:, :-1]
    drawn = (rng.random((_REPLICATES, len(category), 1)) > edges).sum(-1)
    rows = np.arange(len(category))
    standard = []
    for score in (low_score, high_score):
        score = score - (probability * score).sum(1, keepdims=True)
        sd = np.sqrt((probability * np.square(score)).sum() + 1e-9)
        both = np.concatenate([category[None], drawn])
        standard.append(score[rows, both].sum(1) / sd)
    surprise = np.maximum(np.abs(standard[0]), standard[1])
    return float((1 + (surprise[1:] >= surprise[0] - 1e-9).sum()) / (1 + _REPLICATES))


def fit_of(model, batch, task=None) -> Fit:
    """The test of a session's answers.

    Args:
        model: a `SessionModel`.
        batch: a numpy Batch of one row; its first `horizon` observed answers are looked at.
            Parameters given as known are not conditioned on.
        task: with a likelihood, or None.

    Raises:
        InputError: outcomes that `covers` does not cover.
    """
    spec = model.spec
    if not covers(spec):
        raise InputError(
            "expected a task of one binary or continuous outcome to test its fit; received "
            f"{', '.join(f'{c.name} ({c.kind})' for c in spec.fields)}"
        )
    answered = batch["context_mask"][0] & (batch["context_status"][0, :, 0] == OBSERVED)
    places = np.flatnonzero(answered)[: spec.horizon]
    design, outcome = batch["context_design"][0, places], batch["context_outcome"][0, places]
    binary = spec.outcomes[0].kind == "binary"
    exact = binary and task is not None and task.log_likelihood is not None
    if not len(places):
        return Fit(1.0, 0, exact)
    if exact:
        yes = _exact_chances(task, design, outcome)
    else:
        answer = _replayed(model, design, outcome)
        yes = np.asarray(answer["target_mean"], float)[:, 0]
    if binary:
        yes = np.clip(yes, _SURE, 1.0 - _SURE)
        probability, category = np.stack([1.0 - yes, yes], 1), (outcome[:, 0] > 0.5).astype(int)
        scores = np.tile([0.0, 1.0], (len(yes), 1)), -np.log(probability)
    else:
        edges = np.asarray(answer["target_quantiles"], float)[:, 0]
        category = (outcome > edges).sum(1)
        share = np.diff([0.0, *QUANTILE_LEVELS, 1.0])
        probability = np.tile(share, (len(outcome), 1))
        score = np.tile(_NORMAL_SCORES, (len(outcome), 1))
        scores = score, np.square(score)
    p_value = prequential_p_value(probability, category, *scores)
    return Fit(p_value, len(places), exact)


def _exact_chances(task, design, outcome) -> np.ndarray:
    """P(y_t = 1 | x_t, D_<t) [T] by prior draws, weighed by the answers before t."""
    import tensorflow as tf

    from aline_tf import draws

    theta = task.sample_theta(draws.as_seed(_SEED), _PRIOR_DRAWS)[:, None]
    log_yes = task.log_likelihood(theta, design[None], np.ones_like(outcome)[None]).numpy()
    log_seen = task.log_likelihood(theta, tf.constant(design)[None], outcome[None]).numpy()
    before = np.cumsum(log_seen, axis=1, dtype=float) - log_seen
    weight = np.exp(before - before.max(0))
    return (weight * np.exp(log_yes)).sum(0) / weight.sum(0)


def _replayed(model, design, outcome):
    """What the model answered about each design before its outcome: T rows, one target each."""
    count = len(design)
    batch = empty_batch(model.spec.sizes | {"B": count, "C": count, "N": 1, "M": 1})
    batch["context_design"][:], batch["context_outcome"][:] = design, outcome
    batch["context_status"][:] = OBSERVED
    batch["context_mask"][:] = np.tri(count, k=-1, dtype=bool)
    batch["theta_mask"][:], batch["target_design"][:, 0] = True, design
    return model.answer(batch)
