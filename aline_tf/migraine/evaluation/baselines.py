"""Baseline forecasts: the base rate, persistence, logistic regression on lags, boosted trees.

All are fitted on simulated people other than those they are tried on, and see exactly the records
that the model sees.
"""

from __future__ import annotations

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import CHANNELS, places

#: Days whose values enter the regression one by one: today and the two before.
LAGS = 3
RECENT = 28
_ATTACK = [channel.name for channel in CHANNELS].index("attack")
_UNKNOWN, _NO_ATTACK, _IN_ATTACK = range(3)


def daily_table(outcome: np.ndarray, status: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One standardised value per channel and day.

    Slot reports become one: mean stress, and the worst of the others.

    Args:
        outcome, status: [S, C, F], oldest day first.

    Returns:
        values [S, C, channels], 0 where nothing is known, and known, bool of the same shape.
    """
    values, knowns = [], []
    for channel in CHANNELS:
        index = list(places(channel.name))
        observed = status[:, :, index] == OBSERVED
        value = np.where(observed, outcome[:, :, index], 0.0)
        if channel.name == "stress":
            value = value.sum(axis=2) / np.maximum(observed.sum(axis=2), 1)
        else:
            # Readings have one place, of either sign; reports start at 0.
            value = value[:, :, 0] if len(index) == 1 else value.max(axis=2)
        known = observed.any(axis=2)
        knowns.append(known)
        values.append(np.where(known, (value - channel.loc) / channel.scale, 0.0))
    return np.stack(values, axis=2), np.stack(knowns, axis=2)


def lag_features(outcome: np.ndarray, status: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    """What a regression reads: lags, recent means, what is known of either, tomorrow's weekday.

    Args:
        outcome, status: [S, C, F], the last row today.
        weekday: [S], today's.

    Returns:
        [S, features].
    """
    value, known = daily_table(outcome, status)
    days = value.shape[1]
    if days < LAGS:
        raise ValueError(f"Expected at least {LAGS} days. Received: days={days}")
    columns = [np.eye(7)[(weekday + 1) % 7]]
    for lag in range(LAGS):
        columns += [value[:, -1 - lag], known[:, -1 - lag]]
    for window in (RECENT, days):
        total, count = value[:, -window:].sum(axis=1), known[:, -window:].sum(axis=1)
        # The total over all days too: a mean of few days should count for less, and who notes
        # attacks only has the same mean whatever their number.
        columns += [total / np.maximum(count, 1), total / window, count / window]
    return np.concatenate(columns, axis=1).astype(np.float32)


def attack_today(outcome: np.ndarray, status: np.ndarray) -> np.ndarray:
    """What today's records say by 20:00: 0 nothing, 1 no attack, 2 an attack. int [S]."""
    value, known = daily_table(outcome[:, -1:], status[:, -1:])
    attack = value[:, 0, _ATTACK] > 0.0
    return np.where(known[:, 0, _ATTACK], np.where(attack, _IN_ATTACK, _NO_ATTACK), _UNKNOWN)


class Baselines:
    """The four forecasts, fitted.

    Args:
        cohort: an `aline_tf.migraine.simulation.cohort.Cohort` of other people.
        evenings: known days of the evenings to fit on.

    Example:
        >>> from aline_tf.migraine.evaluation import Baselines
        >>> Baselines.NAMES
        ('base rate', 'persistence', 'logistic regression', 'boosted trees')
    """

    NAMES = ("base rate", "persistence", "logistic regression", "boosted trees")

    def __init__(self, cohort, evenings):
        features, today, followed = [], [], []
        for known_days in evenings:
            outcome, status = cohort.records(known_days)
            features.append(lag_features(outcome, status, cohort.weekday(known_days)))
            today.append(attack_today(outcome, status))
            followed.append(cohort.followed(known_days))
        features, today = np.concatenate(features), np.concatenate(today)
        followed = np.concatenate(followed)
        self.rate = followed.mean(axis=0)
        # A state that never came up gets the base rate.
        self._rate_after = np.stack(
            [
                followed[today == state].mean(axis=0) if (today == state).any() else self.rate
                for state in (_UNKNOWN, _NO_ATTACK, _IN_ATTACK)
            ]
        )
        self._learners = {
            name: [
                make().fit(features, event) if 0 < event.sum() < len(event) else None
                for event in followed.T
            ]
            for name, make in (("logistic regression", _regression), ("boosted trees", _trees))
        }

    def forecast(self, outcome, status, weekday) -> dict[str, np.ndarray]:
        """Probabilities of an attack within 24 h and 48 h: [S, 2] for each of `NAMES`.

        Args:
            outcome, status: records [S, C, F] at 20:00 of the last day.
            weekday: [S], today's.
        """
        constant = np.tile(self.rate, [len(outcome), 1])
        features = lag_features(outcome, status, weekday)
        made = {
            "base rate": constant,
            "persistence": self._rate_after[attack_today(outcome, status)],
        }
        for name, learners in self._learners.items():
            made[name] = constant.copy()
            for horizon, learner in enumerate(learners):
                if learner is not None:
                    made[name][:, horizon] = learner.predict_proba(features)[:, 1]
        return made


def _regression():
    """Logistic regression; the penalty is the one that calibrates it on people left out."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=300))


def _trees():
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=120,
        max_leaf_nodes=8,
        min_samples_leaf=100,
        l2_regularization=10.0,
        random_state=0,
    )
