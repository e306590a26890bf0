"""Whether a subject is one that the model can describe: a prequential test of the answers so far.

Before each answer t its category k_t had the predictive probabilities pi_t = p(k | x_t, D_<t):
yes or no of a binary outcome, else intervals between predictive quantiles. Two sums of centred
scores are martingales where the predictions are right, whatever chose the designs:

    A = sum_t a(k_t) - E a     too high or too low; of binary outcomes a = k
    B = sum_t b(k_t) - E b     too surprising; b = -log pi of binary outcomes, else a^2
    S = max(|A| / sd A, B / sd B),   p = share of outcomes drawn from pi_t whose S is as large

The outcomes drawn keep pi_t, as real ones do not: of binary outcomes sd B is small where B is
large, and what was observed is held against an sd that is larger by 12%. Of 10 000 subjects of the
psychometric task, 30 trials each by the model's own policy, 1.6% had p < .01 without that; see
`aline-tf eval psychometric --false-alarms 10000`.

Predictions are the exact ones wherever the task's likelihood is known
(`aline_tf.acquisition.refined.prequential`, .2 to .3 s), else the model's own, of one pass.

What it detects, and how often it is wrong, measures `aline_tf.evaluation.misfit.examine`. Some
subjects nothing can tell from those of a task: answers of one half are nearly those of a high lapse
rate and a threshold out of reach, and forced choice (guesses of one half) is nearly described. From
30 psychometric trials a test that knows what it looks for, the ratio of the likelihoods, told 11 of
100 coins and 7 of 100 forced choices.

Source: prequential tests, Dawid (1984); Seillier-Moiseiwitsch and Dawid (1993).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from aline_tf.batch import OBSERVED, answered, empty_batch
from aline_tf.errors import InputError
from aline_tf.models.protocol import QUANTILE_LEVELS

#: Below it answers are suspect: subjects of the task are in one session of a hundred.
THRESHOLD = 0.01
#: A session looks by itself whenever as many answers have come.
LOOK_EVERY = 10
#: Of binary outcomes, the sd of B that counts, in those of outcomes drawn from fixed predictions.
_WIDER = 1.12
#: Probabilities nearer to 0 or 1 are not taken at their word.
_SURE = 0.005
_REPLICATES, _SEED = 2000, 0
#: Levels between which exact predictions of continuous outcomes are told apart.
_FINE_LEVELS = (0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)


class Fit(NamedTuple):
    """How well the answers of a session fit what was expected of them.

    Attributes:
        p_value: chance of answers at least as surprising, were the predictions right.
        answers: how many were looked at: those observed; by a model's own predictions up to the
            task's horizon.
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


def prequential_p_value(probability, category, low_score, high_score, wider=1.0) -> float:
    """p-value of categories observed one after another.

    Args:
        probability: [T, K], predictive probabilities of each answer's categories.
        category: int [T], what was observed, in 0..K - 1.
        low_score, high_score: [T, K], a and b of every category; centred here.
        wider: by how much the sd of B is larger for what was observed.

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
    standard[1][0] /= wider
    surprise = np.maximum(np.abs(standard[0]), standard[1])
    return float((1 + (surprise[1:] >= surprise[0] - 1e-9).sum()) / (1 + _REPLICATES))


def binary_p_value(yes, outcome) -> float:
    """p-value of yes-or-no answers.

    Args:
        yes: [T], P(y_t = 1 | x_t, D_<t).
        outcome: [T], 0 or 1.
    """
    yes = np.clip(yes, _SURE, 1.0 - _SURE)
    probability = np.stack([1.0 - yes, yes], 1)
    codes = np.tile([0.0, 1.0], (len(yes), 1))
    category = (np.asarray(outcome) > 0.5).astype(int)
    return prequential_p_value(probability, category, codes, -np.log(probability), _WIDER)


def fit_of(model, batch, task=None) -> Fit:
    """The test of a session's answers.

    Args:
        model: a `SessionModel`.
        batch: a numpy Batch of one row, whose observed answers are looked at. Parameters given as
            known are conditioned on by exact predictions alone.
        task: with a likelihood, or None: the model's own predictions, up to its horizon.

    Raises:
        InputError: outcomes that `covers` does not cover.
    """
    spec = model.spec
    if not covers(spec):
        raise InputError(
            "expected a task of one binary or continuous outcome to test its fit; received "
            f"{', '.join(f'{c.name} ({c.kind})' for c in spec.fields)}"
        )
    places = np.flatnonzero(answered(batch)[0])
    exact = predicts_exactly(task)
    places = places if exact else places[: spec.horizon]
    if not len(places):
        return Fit(1.0, 0, exact)
    design, outcome = batch["context_design"][0, places], batch["context_outcome"][0, places]
    if spec.outcomes[0].kind == "binary":
        yes = _chances(model, batch, task if exact else None, design, outcome)
        return Fit(binary_p_value(yes, outcome[:, 0]), len(places), exact)
    category, levels = _intervals(model, batch, task if exact else None, design, outcome)
    probability = np.tile(np.diff([0.0, *levels, 1.0]), (len(outcome), 1))
    score = np.tile(normal_scores(levels), (len(outcome), 1))
    p_value = prequential_p_value(probability, category, score, np.square(score))
    return Fit(p_value, len(places), exact)


def predicts_exactly(task) -> bool:
    """Whether the answers of a task, or of None, can be predicted by its likelihood."""
    if task is None or task.log_likelihood is None:
        return False
    from aline_tf.acquisition.refined.prequential import can_predict

    return can_predict(task)


def normal_scores(levels) -> np.ndarray:
    """Means of a standard normal variable between its quantiles at some levels.

    Args:
        levels: K - 1 numbers in (0, 1), ascending.

    Returns:
        [K].

    >>> normal_scores([0.5]).round(4).tolist()
    [-0.7979, 0.7979]
    """
    normal = NormalDist()
    density = [0.0, *(normal.pdf(normal.inv_cdf(level)) for level in levels), 0.0]
    return -np.diff(density) / np.diff([0.0, *levels, 1.0])


def _chances(model, batch, task, design, outcome) -> np.ndarray:
    """P(y_t = 1 | x_t, D_<t), [T]."""
    if task is None:
        return np.asarray(_replayed(model, design, outcome)["target_mean"], float)[:, 0]
    return _predicted(task, batch, design, outcome).yes


def _intervals(model, batch, task, design, outcome) -> tuple[np.ndarray, tuple[float, ...]]:
    """Between which predictive quantiles each outcome lies, int [T], and their levels."""
    if task is None:
        edges = np.asarray(_replayed(model, design, outcome)["target_quantiles"], float)[:, 0]
        return (outcome > edges).sum(1), QUANTILE_LEVELS
    level = _predicted(task, batch, design, outcome).level
    return (level[:, None] > np.array(_FINE_LEVELS)).sum(1), _FINE_LEVELS


def _predicted(task, batch, design, outcome):
    from aline_tf.acquisition.refined.prequential import predict_in_turn

    return predict_in_turn(task, design, outcome, batch["known_mask"][0], batch["known_theta"][0])


def _replayed(model, design, outcome):
    """What the model answered about each design before its outcome: T rows, one target each."""
    count = len(design)
    batch = empty_batch(model.spec.sizes | {"B": count, "C": count, "N": 1, "M": 1})
    batch["context_design"][:], batch["context_outcome"][:] = design, outcome
    batch["context_status"][:] = OBSERVED
    batch["context_mask"][:] = np.tri(count, k=-1, dtype=bool)
    batch["theta_mask"][:], batch["target_design"][:, 0] = True, design
    return model.answer(batch)
