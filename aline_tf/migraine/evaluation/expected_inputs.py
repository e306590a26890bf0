"""Expected inputs of the attack hazard given records, for every day and tomorrow.

For the particle filter, which knows how the simulator makes days
(`aline_tf.migraine.simulation.simulator`)
and sees records alone. Whatever was not recorded is what it is on average; stress, which is never
seen but through 0-10 answers, is followed by a Kalman filter. Sizes: S people, C days, the last of
them today; every table has one row more, tomorrow.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import FIELD_INDEX, places
from aline_tf.migraine.schema.parameters import TRIGGERS

#: Means of inputs nobody recorded, over days of the simulator.
_UNKNOWN = {
    "sleep_deviation": 0.76,
    "low_efficiency": 0.40,
    "pressure": 0.79,
    "caffeine_drop": 0.35,
    "alcohol": 0.04,
    "missed_meal": 0.10,
}
#: Stress: memory, points of the scale for one standard deviation, noise variance of one answer.
_MEMORY, _POINTS, _ANSWER_VARIANCE = 0.5, 1.6, 0.42
_CYCLE, _CYCLE_SD, _WINDOW = 28.5, 2.2, 5


class Inputs(NamedTuple):
    """`trigger` [S, C + 1, K] in the order of `TRIGGERS`; `stress` [S, C + 1]."""

    trigger: np.ndarray
    stress: np.ndarray


def readings(outcome, status, name: str) -> np.ndarray:
    """One daily channel: [S, C], NaN where nothing was read."""
    place = FIELD_INDEX[name]
    return np.where(status[:, :, place] == OBSERVED, outcome[:, :, place], np.nan)


def level(value, mean: float, sd: float, noise: float) -> np.ndarray:
    """The posterior mean [S, 1] of a person's own level, from readings [S, C] (NaN: none).

    Args:
        mean, sd: of levels over people.
        noise: standard deviation of readings around the level.
    """
    seen = np.isfinite(value)
    total = np.where(seen, value, 0.0).sum(1, keepdims=True)
    precision = seen.sum(1, keepdims=True) / noise**2 + 1.0 / sd**2
    return (total / noise**2 + mean / sd**2) / precision


def expected_inputs(outcome: np.ndarray, status: np.ndarray, weekday: np.ndarray) -> Inputs:
    """Estimates from records.

    Args:
        outcome, status: [S, C, F], oldest day first.
        weekday: [S], today's.
    """
    days = outcome.shape[1]
    weekdays = (weekday[:, None] + np.arange(1 - days, 2)) % 7
    weekend = (weekdays >= 5).astype(float)
    stress, spread = _stress(outcome, status, weekend)
    sleep = _and_tomorrow(readings(outcome, status, "sleep_hours"))
    efficiency = _and_tomorrow(readings(outcome, status, "sleep_efficiency"))
    pressure = _and_tomorrow(readings(outcome, status, "pressure_change"))
    # Reported cups are four fifths of those drunk.
    caffeine = _and_tomorrow(readings(outcome, status, "caffeine")) / 0.8
    drinks = _and_tomorrow(readings(outcome, status, "alcohol"))
    meal = _and_tomorrow(readings(outcome, status, "missed_meal"))
    heavy = np.where(drinks >= 5.0, 1.0, np.where(drinks >= 4.0, 0.7, 0.0))
    shortfall = (level(efficiency, 0.89, 0.025, 0.04) - efficiency) / 0.04
    fall = np.diff(stress, axis=1, prepend=stress[:, :1])
    fall_sd = np.sqrt(spread + np.roll(spread, 1, axis=1))
    found = {
        "stress": stress,
        "stress_fall": _positive_part(-fall, fall_sd),
        "sleep_deviation": np.abs(sleep - level(sleep, 7.2, 0.7, 0.95)),
        "low_efficiency": _yesterday(np.maximum(shortfall, 0.0)),
        "pressure": np.abs(pressure) / 5.7,
        "menstrual": _window(outcome, status),
        "caffeine_drop": np.clip(_yesterday(caffeine) - caffeine, 0.0, 4.0),
        "alcohol": _yesterday(np.where(np.isfinite(drinks), heavy, np.nan)),
        "missed_meal": meal,
    }
    for name, usual in _UNKNOWN.items():
        found[name] = np.where(np.isfinite(found[name]), found[name], usual)
    return Inputs(np.stack([found[trigger.name] for trigger in TRIGGERS], axis=2), stress)


def _and_tomorrow(table):
    return np.concatenate([table, np.full((len(table), 1), np.nan)], axis=1)


def _yesterday(table):
    return np.concatenate([np.full((len(table), 1), np.nan), table[:, :-1]], axis=1)


def _positive_part(mean, sd):
    """E max(x, 0) of a normal x."""
    z = mean / np.maximum(sd, 1e-6)
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return mean * _normal_cdf(z) + sd * density


def _normal_cdf(z):
    from scipy.special import ndtr

    return ndtr(z)


def _stress(outcome, status, weekend):
    """Mean and variance of stress on every day and tomorrow: two [S, C + 1]."""
    place = list(places("stress"))
    seen = status[:, :, place] == OBSERVED
    answer = np.where(seen, outcome[:, :, place], 0.0)
    count = seen.sum(2)
    mean = np.where(count > 0, answer.sum(2) / np.maximum(count, 1), np.nan)
    busy = _and_tomorrow(readings(outcome, status, "busy_hours"))
    busy = np.where(np.isfinite(busy), busy, np.where(weekend > 0.5, 0.4, 2.1))
    usual = 0.2 - 0.7 * weekend + 0.3 * (busy - 1.7)
    own = level(mean - _POINTS * usual[:, :-1], 4.0, 1.0, 1.8)
    level_of, variance_of = [], []
    state, variance = np.zeros(len(answer)), np.ones(len(answer))
    for day in range(usual.shape[1]):
        state, variance = _MEMORY * state, _MEMORY**2 * variance + 1.0 - _MEMORY**2
        if day < mean.shape[1]:
            answered = count[:, day] > 0
            # Rounding errors of a day's answers are not independent: a floor under the noise.
            noise = 0.05 + _ANSWER_VARIANCE / np.maximum(count[:, day], 1)
            gain = np.where(answered, variance / (variance + noise), 0.0)
            observed = (mean[:, day] - own[:, 0]) / _POINTS - usual[:, day]
            state = state + gain * np.where(answered, observed - state, 0.0)
            variance = variance * (1.0 - gain)
        level_of.append(state + usual[:, day])
        variance_of.append(variance)
    return np.stack(level_of, axis=1), np.stack(variance_of, axis=1)


def _window(outcome, status):
    """Chance that a day lies in the menstrual window: [S, C + 1]."""
    seen = readings(outcome, status, "menstrual_window")
    people, days = seen.shape
    chance = np.empty((people, days + 1))
    tracked = np.isfinite(seen).any(axis=1)
    # Without a record of the cycle: the share of such days among everybody.
    unknown = np.where(tracked, _WINDOW / _CYCLE, 0.64 * _WINDOW / _CYCLE)
    last = np.full(people, np.nan)
    before = np.zeros(people)
    for day in range(days + 1):
        today = seen[:, day] if day < days else np.full(people, np.nan)
        since = day - last
        starts = _CYCLE - since
        ahead = _normal_cdf((0.5 - starts) / _CYCLE_SD)
        over = _normal_cdf((0.5 - _WINDOW - starts) / _CYCLE_SD)
        inside = np.where(since < _WINDOW, 1.0, ahead - over)
        guess = np.where(np.isfinite(last), inside, unknown)
        chance[:, day] = np.where(np.isfinite(today), today, guess)
        begins = (today > 0.5) & ~(before > 0.5)
        last = np.where(begins, day, last)
        before = np.where(np.isfinite(today), today, before)
    return chance
