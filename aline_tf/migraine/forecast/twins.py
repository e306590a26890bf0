"""Simulated twins of a person: their parameters drawn from the posterior, their days to come.

    theta_k ~ q(theta | D),   days_k ~ simulator(theta_k),   k = 1 .. K

Twins have recorded in the past what the person recorded, on the same days. In the days to come each
can be seen through any set of channels, and what follows an evening has a chance that is known: it
needs no coin toss.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.migraine.forecast.forecast import sample_theta
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.candidates import NOW_SLOT
from aline_tf.migraine.schema.channels import FIELD_INDEX, SLOTS, places
from aline_tf.migraine.schema.designs import CAPACITY
from aline_tf.migraine.schema.evening_batch import evening_batch
from aline_tf.migraine.simulation.attack_probability import true_attack_probabilities
from aline_tf.migraine.simulation.recording import not_yet
from aline_tf.migraine.simulation.simulator import WARM_UP_DAYS, simulate_people

#: Days to come.
AHEAD = 14
#: Days after the last evening that a forecast is about.
_AFTER = 2
#: Reports that a diary of attacks alone has on days of attacks and no others.
_WITH_ATTACKS = ("attack", "pain", "medication")


@dataclasses.dataclass(frozen=True)
class Twins:
    """K simulated people like one person, the last of their first 112 days being today.

    Attributes:
        value: [K, 126, F], what each field is, or would be answered.
        tried: int32 [K, 126, F], what an attempt to obtain it gives; silence is one of them.
        past: int32 [K, 112, F], status of what they recorded so far.
        chance: [K, 14, 2], of an attack within 24 and 48 hours after each evening to come.
        weekday: int [14], of those evenings, 0 for Monday.

    Example:
        >>> from aline_tf.migraine.forecast import Twins
        >>> [field.name for field in __import__("dataclasses").fields(Twins)]
        ['value', 'tried', 'past', 'chance', 'weekday']
    """

    value: np.ndarray
    tried: np.ndarray
    past: np.ndarray
    chance: np.ndarray
    weekday: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    def some(self, which: slice) -> Twins:
        """A part of these people."""
        tables = {name: getattr(self, name)[which] for name in ("value", "tried", "past", "chance")}
        return dataclasses.replace(self, **tables)

    def batch(self, evening: int, fields: Sequence[int]) -> dict:
        """What is known at 20:00 of an evening to come, when some fields are obtained every day.

        Args:
            evening: 0 for tomorrow, up to 13.
            fields: indices into `FIELDS`; of today those that can be known by then.

        Returns:
            a Batch of K rows, of the days on which anything is known.
        """
        last = CAPACITY + evening
        first = last + 1 - CAPACITY
        status = np.zeros_like(self.tried[:, first : last + 1])
        status[:, : CAPACITY - 1 - evening] = self.past[:, first:]
        columns = list(fields)
        ahead = self.tried[:, CAPACITY : last + 1]
        status[:, CAPACITY - 1 - evening :, columns] = ahead[:, :, columns]
        value = self.value[:, first : last + 1]
        days_ago = np.arange(CAPACITY - 1, -1, -1)[None].repeat(len(value), 0)
        status = np.where(not_yet(value, days_ago).numpy(), MISSING, status)
        used = np.flatnonzero((status != MISSING).any(axis=(0, 2)))
        outcome = np.where(status == OBSERVED, value, 0.0).astype(np.float32)
        today = np.full(len(value), self.weekday[evening])
        return evening_batch(outcome[:, used], status[:, used], today, (CAPACITY - 1 - used)[None])


def live_twins(model, history: DayHistory, count: int, seed: int = 0) -> Twins:
    """Twins of a person.

    Args:
        model: an ALINE of the migraine task.
        history: up to the evening from which the days to come are counted.
        count: K.
        seed: of parameters and days.
    """
    batch, _ = history_batch(history, candidates=[])
    theta, _ = sample_theta(model, batch, seed, count)
    first = (history.dates[-1].weekday() - (WARM_UP_DAYS + CAPACITY - 1)) % 7
    given = {"theta": theta, "first_weekday": np.full(count, first, np.int32)}
    window = FIELD_INDEX["menstrual_window"]
    if (history.status[:, window] == OBSERVED).any():
        cycles = history.values[:, window].max() > 0.5
        given |= {name: np.full(count, float(cycles), np.float32) for name in ("female", "cycling")}
        if not cycles:
            del given["female"]
    world = _simulated(tuple(sorted(given)))(draws.as_seed(seed), given)
    world = {name: np.asarray(table) for name, table in world.items()}
    evenings = np.arange(CAPACITY, CAPACITY + AHEAD)
    return Twins(
        value=world["value"][:, : CAPACITY + AHEAD],
        tried=world["status_if_tried"][:, : CAPACITY + AHEAD],
        past=_recorded_so_far(history, world),
        chance=np.stack([_chance(world, day) for day in evenings], axis=1),
        weekday=(history.dates[-1].weekday() + 1 + np.arange(AHEAD)) % 7,
    )


@cache
def _simulated(names: tuple[str, ...]):
    """The simulator as a graph; one for every kind of what is given, and every number of people,
    which it has to know."""

    @tf.function
    def simulate(seed, given):
        count = given["theta"].shape[0]
        return simulate_people(seed, count, CAPACITY + AHEAD + _AFTER, given=given)

    return simulate


def _recorded_so_far(history: DayHistory, world: dict) -> np.ndarray:
    """Status [K, 112, F] of what twins recorded: where and when the person did."""
    count = len(world["value"])
    own = np.zeros([CAPACITY, history.status.shape[1]], np.int32)
    days = min(len(history.dates), CAPACITY)
    own[CAPACITY - days :] = history.status[-days:]
    past = np.repeat(own[None], count, axis=0)
    attack = list(places("attack"))
    noted = history.status[:, attack] == OBSERVED
    if noted.any() and (history.values[:, attack][noted] > 0.5).all():
        # Of attacks alone: those of a twin are on other days.
        in_attack = world["value"][:, :CAPACITY, attack] > 0.5
        for name in _WITH_ATTACKS:
            if (own[:, list(places(name))] == OBSERVED).any():
                past[:, :, list(places(name))] = np.where(in_attack, OBSERVED, MISSING)
    return past


def _chance(world: dict, day: int) -> np.ndarray:
    """Chance [K, 2] of an attack within 24 and 48 hours after 20:00 of a day."""
    hazard = world["hazard"][:, day + 1 : day + 3].reshape(-1, 2 * SLOTS)
    phase, age, treated = (
        world[name][:, day, NOW_SLOT] for name in ("phase", "attack_age", "treated")
    )
    return true_attack_probabilities(phase, age, treated, world["median_hours"], hazard).numpy()
