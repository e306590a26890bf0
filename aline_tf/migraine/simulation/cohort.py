"""People nobody trained on, seen evening by evening through records that stay the same.

A cohort is a set of simulated people, each with their own devices and diary for good. Asked for an
evening, it gives what those records hold at 20:00 of that day, oldest day first, and what followed.
What a record says of a day does not change later, except that late readings arrive.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.migraine.schema.channels import PASSIVE_NAMES as READINGS
from aline_tf.migraine.schema.channels import WEARABLE_NAMES
from aline_tf.migraine.schema.designs import CAPACITY
from aline_tf.migraine.schema.evening_batch import evening_batch
from aline_tf.migraine.simulation.population import WorldSettings
from aline_tf.migraine.simulation.recording import (
    ATTACK_DIARY,
    NO_DIARY,
    complete_recording,
    recorded_context,
    sample_recording,
)
from aline_tf.migraine.simulation.simulator import simulate_people

#: Training draws its people from (seed, optimiser step); no run has that many steps.
_STREAM = 1_900_000_000
#: Days after the last evening: the longest horizon of a forecast.
AFTER = 2
DAYS_IN_A_MONTH = 30.4
#: True migraine days a month that part few, some and many.
_FEW, _MANY = 4.0, 8.0


@dataclasses.dataclass(frozen=True)
class Cohort:
    """S people, their lives and how they record them.

    Attributes:
        world: tensors of `simulate_people`, `days` + 2 days long.
        recording: of `sample_recording`, one row a person.
        seed: int32 [2], of what the recordings miss.
        days: the last evening.
        first_evening: whoever began to record late began before it.

    Example:
        >>> from aline_tf.migraine.simulation import sample_cohort
        >>> cohort = sample_cohort(seed=1, people=2, days=5, first_evening=3)
        >>> cohort.batch(known_days=4)["context_outcome"].shape
        (2, 4, 35)
    """

    world: dict
    recording: dict
    seed: tf.Tensor
    days: int
    first_evening: int

    @property
    def people(self) -> int:
        """S."""
        return int(self.world["theta"].shape[0])

    def records(self, known_days: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and status [S, known_days, F] at 20:00 of day `known_days`, the last row."""
        days_ago = known_days - 1 - tf.tile(tf.range(self.days)[None], [self.people, 1])
        # Shares of the history as it is by then: the day a device came does not move.
        recording = dict(self.recording)
        for start in ("device_start", "diary_start"):
            recording[start] = tf.minimum(
                self.recording[start] * self.first_evening / known_days, 1.0
            )
        # The shape of the draws must not depend on the evening, so cutting comes last.
        outcome, status = recorded_context(
            self.seed,
            recording,
            self.world["value"][:, : self.days],
            self.world["status_if_tried"][:, : self.days],
            days_ago,
            tf.fill([self.people], known_days),
        )
        return outcome[:, :known_days].numpy(), status[:, :known_days].numpy()

    def batch(self, known_days: int, records: tuple[np.ndarray, np.ndarray] | None = None) -> dict:
        """The batch of that evening: everybody's records, all parameters and both forecasts.

        Args:
            known_days: of the evening.
            records: what `records` gave for it, to spare a second look.
        """
        outcome, status = self.records(known_days) if records is None else records
        return evening_batch(outcome, status, self.weekday(known_days))

    def weekday(self, known_days: int) -> np.ndarray:
        """Weekday of that evening, 0 for Monday: [S]."""
        return self.world["weekday"][:, known_days - 1].numpy()

    def followed(self, known_days: int) -> np.ndarray:
        """Whether an attack followed within 24 h and within 48 h: bool [S, 2]."""
        attack = self.world["attack"][:, known_days : known_days + AFTER].numpy().max(axis=2) > 0
        return np.logical_or.accumulate(attack, axis=1)

    def under_way(self, known_days: int) -> np.ndarray:
        """Whether an attack is going on at 20:00; where not, what follows is an onset: bool [S]."""
        return self.world["attack"][:, known_days - 1, -1].numpy() > 0

    def groups(self) -> dict[str, np.ndarray]:
        """Subgroups by name: bool [S] each."""
        female = self.world["female"].numpy() > 0.5
        cycling = self.world["cycling"].numpy() > 0.5
        migraine_day = self.world["attack"][:, : self.days].numpy().max(axis=2)
        monthly = migraine_day.mean(axis=1) * DAYS_IN_A_MONTH
        style = self.recording["style"].numpy()
        wearable = self.recording["passive"].numpy()[:, [READINGS.index(n) for n in WEARABLE_NAMES]]
        return {
            "sex: female": female,
            "sex: male": ~female,
            "cycling: yes": cycling,
            "cycling: no": ~cycling,
            "days a month: under 4": monthly < _FEW,
            "days a month: 4 to 8": (monthly >= _FEW) & (monthly < _MANY),
            "days a month: 8 or more": monthly >= _MANY,
            "diary: none": style == NO_DIARY,
            "diary: attacks only": style == ATTACK_DIARY,
            "diary: daily": (style != NO_DIARY) & (style != ATTACK_DIARY),
            "wearable: yes": wearable.any(axis=1),
            "wearable: no": ~wearable.any(axis=1),
        }

    def with_full_records(self) -> Cohort:
        """The same people with every device and answering for every part of every day, the evening
        of the forecast included.

        Prompts and devices still fail as often as they do, and half of the people see their latest
        readings late: that is how days reach an application.
        """
        everybody = tf.ones([self.people], tf.bool)
        recording = complete_recording(self.recording, everybody, everybody)
        return dataclasses.replace(self, recording=recording)

    def part(self, chosen: slice) -> Cohort:
        """Some of the people. What their records miss is drawn anew."""
        return dataclasses.replace(
            self,
            world={name: table[chosen] for name, table in self.world.items()},
            recording={name: table[chosen] for name, table in self.recording.items()},
            seed=draws.fold_in(self.seed, chosen.start or 0),
        )


def sample_cohort(
    seed: int, people: int, days: int, first_evening: int, settings: WorldSettings | None = None
) -> Cohort:
    """People and how they record, from a stream of random numbers that training never reaches.

    Args:
        seed: of everything.
        people: S.
        days: of the last evening, `first_evening` to 112.
        first_evening: at least 1.
        settings: of the simulated world.

    Returns:
        the cohort.

    Raises:
        ValueError: days or first_evening out of range.
    """
    if not 1 <= first_evening <= days <= CAPACITY:
        raise ValueError(
            f"Expected 1 <= first_evening <= days <= {CAPACITY}. "
            f"Received: first_evening={first_evening}, days={days}"
        )
    world_seed, recording_seed, record_seed = draws.split(
        draws.fold_in(draws.as_seed(seed), _STREAM), 3
    )
    simulate = tf.function(lambda s: simulate_people(s, people, days + AFTER, settings))
    return Cohort(
        world=simulate(world_seed),
        recording=sample_recording(recording_seed, people),
        seed=record_seed,
        days=days,
        first_evening=first_evening,
    )
