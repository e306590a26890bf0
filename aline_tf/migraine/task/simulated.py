"""Episodes of simulated people: evenings that look like real imports, as a task to train on.

An episode is one person at 20:00 of one day. Its context is what their records hold by then, one
token a day, seen through a randomly drawn recording; its candidates are prompts about now and
yesterday and readings of the last days that nobody fetched yet; its targets are the parameters of
`aline_tf.migraine.schema.parameters`, the risk of an attack within 24 and 48 hours, and channels at
random times, past and future.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import NO_ANSWER
from aline_tf.migraine.schema import candidates as pool
from aline_tf.migraine.schema.channels import (
    CHANNELS,
    FIELD_INDEX,
    FIELD_NAMES,
    FIELD_OF_CHANNEL,
    FORECASTS,
    HAS_SLOTS,
    PASSIVE_NAMES,
    SLOTS,
)
from aline_tf.migraine.schema.designs import CAPACITY, design
from aline_tf.migraine.schema.evening_batch import day_tokens, forecast_designs
from aline_tf.migraine.schema.parameters import PARAMETERS
from aline_tf.migraine.schema.spec import PHYSIOLOGY_NAMES, SPEC, TRIGGER_NAMES
from aline_tf.migraine.simulation.attack_probability import true_attack_probabilities
from aline_tf.migraine.simulation.measurement import PROMPT_FATIGUE
from aline_tf.migraine.simulation.population import WorldSettings, sample_people
from aline_tf.migraine.simulation.recording import (
    complete_recording,
    prompted_recording,
    recorded_context,
    sample_recording,
)
from aline_tf.migraine.simulation.simulator import simulate_people
from aline_tf.migraine.task.day_features import DayFeatures
from aline_tf.migraine.task.library_candidates import library_candidates, library_fields
from aline_tf.tasks.task import Task

#: Groups of targets met in training, with their shares: (parameters, forecasts, channels). Among
#: fifteen parameters one that can be learned hardly counts, so some are also queried alone.
TARGET_GROUPS = (
    (0.45, (), True, False),
    (0.10, TRIGGER_NAMES, False, False),
    (0.10, PHYSIOLOGY_NAMES, False, False),
    (0.08, ("hrv_baseline", "hrv_stress"), False, False),
    (0.07, ("hrv_stress",), False, False),
    (0.05, ("alpha",), False, False),
    (0.05, SPEC.parameter_names, False, False),
    (0.05, (), False, True),
    (0.05, SPEC.parameter_names, True, True),
)

#: Share of training rows with every device and every slot asked about: rare among recordings drawn
#: one by one, and what a study asks for.
COMPLETE_SHARE = 0.3
#: Share of rows of people who keep no diary and answer a few prompts a day.
PROMPTED_SHARE = 0.2
#: Simulated days before the history (so that yesterday exists) and after it (to be forecast).
_BEFORE, _AFTER = pool.RECENT_DAYS, 4


class MigraineTask(Task):
    """Episodes of simulated people.

    Args:
        days: C, the longest history, in days; at most 112.
        targets: M, predictive targets per row, at least 2: attack_24h, attack_48h, then channels.
        episodes_per_person: moments drawn from each simulated person, to share the cost of
            simulation; rows of the same person have different recordings, moments and targets.
        settings: shifts of the simulated world.
        attack_probability: whether the forecasts' outcomes are the probabilities of an attack,
            given everything that the records do not tell, rather than whether it came (see
            `aline_tf.migraine.simulation.attack_probability`).

    Raises:
        ValueError: a size out of range.

    Example:
        >>> from aline_tf.migraine.task import MigraineTask
        >>> episode = MigraineTask(days=5).sample_episodes((0, 1), batch=2, candidates=6)
        >>> episode["candidate_design"].shape[:2]
        TensorShape([2, 6])
    """

    spec = SPEC
    teaches_missing = True

    def __init__(
        self,
        days=CAPACITY,
        targets=8,
        episodes_per_person=2,
        settings=None,
        attack_probability=True,
    ):
        if not 1 <= days <= CAPACITY:
            raise ValueError(f"Expected days from 1 to {CAPACITY}. Received: days={days}")
        if targets < len(FORECASTS):
            raise ValueError(f"Expected at least 2 targets. Received: targets={targets}")
        if episodes_per_person < 1:
            raise ValueError(
                "Expected at least 1 episode per person. "
                f"Received: episodes_per_person={episodes_per_person}"
            )
        self.days = days
        self.targets = targets
        # The forecasts are what the application is for.
        self.target_weights = (20.0,) * len(FORECASTS) + (1.0,) * (targets - len(FORECASTS))
        self.episodes_per_person = episodes_per_person
        self.settings = settings or WorldSettings()
        self.attack_probability = attack_probability

    def feature_layers(self) -> dict:
        return {"history_features": DayFeatures()}

    def sample_theta(self, seed, batch):
        return sample_people(seed, batch, self.settings)["theta"]

    def sample_targets(self, seed, batch):
        return self._target_groups(seed, batch)[0]

    def sample_episodes(self, seed, batch, candidates):
        """Episodes of new people, each at a random day of their history.

        Args:
            seed: int32 [2].
            batch: B.
            candidates: N; a row with fewer eligible candidates is padded.

        Returns:
            an Episode (see `aline_tf.batch`) with C = days, M = targets.
        """
        people_seed, day_seed, episode_seed = draws.split(seed, 3)
        people = -(-batch // self.episodes_per_person)
        world = simulate_people(people_seed, people, _BEFORE + self.days + _AFTER, self.settings)
        person = tf.range(batch) // self.episodes_per_person
        known_days = self._history_length(day_seed, batch)
        now = _BEFORE + tf.maximum(known_days, 1) - 1
        return self.episodes(episode_seed, world, person, now, known_days, candidates)

    def episodes(self, seed, world, person, now, known_days, candidates) -> dict:
        """Episodes of given people at given moments.

        Args:
            seed: int32 [2], for recordings, candidates and targets.
            world: from `simulate_people`, with at least 4 days after each `now`.
            person: int32 [B], index into the people of `world`.
            now: int32 [B], the simulated day of the forecast, at least 2.
            known_days: int32 [B], length of the history that ends with `now`, 0 to `days`.
            candidates: N.

        Returns:
            an Episode.
        """
        recording_seed, context_seed, pool_seed, target_seed = draws.split(seed, 4)
        rows = person.shape[0]
        days_ago = known_days[:, None] - 1 - tf.range(self.days)
        first_weekday = tf.gather(world["weekday"][:, 0], person)
        offset = tf.clip_by_value(now[:, None] - days_ago, 0, world["value"].shape[1] - 1)

        def history(name):
            return _take(world[name], person, offset)

        value, tried = history("value"), history("status_if_tried")
        keen, prompted_now = tf.unstack(draws.uniform(draws.fold_in(recording_seed, 1), [2, rows]))
        recording = complete_recording(
            sample_recording(recording_seed, rows), keen < COMPLETE_SHARE, prompted_now < 0.5
        )
        recording = prompted_recording(
            draws.fold_in(recording_seed, 2), recording, keen > 1.0 - PROMPTED_SHARE
        )
        outcome, status = recorded_context(
            context_seed, recording, value, tried, days_ago, known_days
        )
        weekday = (first_weekday + now) % 7
        episode = {
            **day_tokens(outcome, status, days_ago, weekday),
            "known_theta": tf.zeros([rows, len(PARAMETERS)]),
            "known_mask": tf.zeros([rows, len(PARAMETERS)], tf.bool),
            "theta": tf.gather(world["theta"], person),
            "theta_observed": tf.ones([rows, len(PARAMETERS)], tf.bool),
        }
        episode |= self._candidates(
            pool_seed, world, person, now, weekday, recording, (days_ago, status), candidates
        )
        return episode | self._targets(target_seed, world, person, now, weekday)

    def _history_length(self, seed, batch) -> tf.Tensor:
        """A tenth of the rows know nothing yet, a quarter have two weeks or less: int32 [B]."""
        stage, length = tf.unstack(draws.uniform(seed, [2, batch]))
        short = 1 + tf.cast(length * min(14, self.days), tf.int32)
        any_length = 1 + tf.cast(length * self.days, tf.int32)
        return tf.where(stage < 0.10, 0, tf.where(stage < 0.35, short, any_length))

    def _candidates(self, seed, world, person, now, weekday, recording, history, count) -> dict:
        """A random choice of N among the eligible candidates of the library."""
        days_ago, status = history
        rows, size, fields = person.shape[0], len(pool.LIBRARY), len(FIELD_NAMES)
        extra_seed, order_seed, fatigue_seed = draws.split(seed, 3)
        recent = now[:, None] - tf.range(pool.RECENT_DAYS)
        result = library_fields(_take(world["status_if_tried"], person, recent))
        revealed = library_fields(_take(world["value"], person, recent))
        at = days_ago[:, :, None] == tf.range(pool.RECENT_DAYS)
        known_recent = tf.einsum(
            "bcr,bcf->brf", tf.cast(at, tf.float32), tf.cast(status, tf.float32)
        )
        known = library_fields(known_recent) > 0.5

        is_prompt = tf.constant([item.is_prompt for item in pool.LIBRARY])
        held = tf.pad(recording["passive"], [[0, 0], [0, fields - len(PASSIVE_NAMES)]])
        has_device = tf.gather(held, [item.field for item in pool.LIBRARY], axis=1)
        # Now and then, a device that the person does not have, as if they were lent one.
        has_device |= draws.uniform(extra_seed, [rows, 1]) < 0.15
        anyone = tf.constant(
            [item.is_prompt or item.channel in pool.LOOK_UPS for item in pool.LIBRARY]
        )
        eligible = ~known & (anyone | has_device)

        # Whoever answered many questions today is less likely to answer one more.
        prompts_today = tf.reduce_sum(
            tf.cast(known_recent[:, 0, len(PASSIVE_NAMES) :] > 0.5, tf.float32), axis=1
        )
        logit = _take(world["answer_logit"], person, now[:, None])[:, 0, pool.NOW_SLOT]
        tired = tf.sigmoid(logit - PROMPT_FATIGUE * tf.minimum(prompts_today, 8.0))
        stays = (tired / tf.sigmoid(logit))[:, None]
        gives_up = draws.uniform(fatigue_seed, [rows, size]) >= stays
        result = tf.where(is_prompt & gives_up, NO_ANSWER, result)
        return library_candidates(order_seed, eligible, result, revealed, weekday, count)

    def _targets(self, seed, world, person, now, weekday) -> dict:
        """The two forecasts, then random channels at random times, with their true outcomes."""
        channel_seed, time_seed, group_seed = draws.split(seed, 3)
        rows, count = person.shape[0], self.targets - len(FORECASTS)
        days = world["value"].shape[1]
        channel = tf.cast(draws.uniform(channel_seed, [rows, count], 0.0, len(CHANNELS)), tf.int32)
        when, how_far, slot_u = tf.unstack(draws.uniform(time_seed, [3, rows, count]))
        ahead = -1 - tf.cast(how_far * (_AFTER - 1), tf.int32)
        past = 1 + tf.cast(how_far * 14.0, tf.int32)
        ago = tf.where(when < 0.45, ahead, tf.where(when < 0.7, 0, past))
        has_slots = tf.gather(HAS_SLOTS, channel)
        slot = tf.where(has_slots, tf.cast(slot_u * SLOTS, tf.int32), -1)
        day = now[:, None] - ago
        place = tf.gather(FIELD_OF_CHANNEL, channel) + tf.maximum(slot, 0)
        exists = (day >= 0) & (day < days)
        index = tf.stack(
            [
                tf.broadcast_to(person[:, None], tf.shape(day)),
                tf.clip_by_value(day, 0, days - 1),
                place,
            ],
            axis=-1,
        )
        outcome = tf.gather_nd(world["value"], index)
        # Somebody without a cycle has no menstrual window to be right or wrong about.
        no_cycle = (place == FIELD_INDEX["menstrual_window"]) & (
            tf.gather(world["cycling"], person)[:, None] < 0.5
        )
        forecast = self._forecasts(world, person, now)
        theta_mask, forecasts_on, channels_on = self._target_groups(group_seed, rows)
        observed = exists & ~no_cycle
        return {
            "target_design": tf.concat(
                [
                    forecast_designs(weekday),
                    design(ago, (weekday[:, None] - ago) % 7, slot, channel + len(FORECASTS)),
                ],
                axis=1,
            ),
            "target_outcome": tf.concat([forecast, outcome], axis=1),
            "target_observed": tf.concat([tf.ones([rows, 2], tf.bool), observed], axis=1),
            "target_mask": tf.concat(
                [tf.tile(forecasts_on[:, None], [1, 2]), channels_on[:, None] & observed], axis=1
            ),
            "theta_mask": theta_mask,
        }

    def _forecasts(self, world, person, now):
        """What is to be said of the next 24 and 48 hours: [B, 2]."""
        days = now[:, None] + [[1, 2]]
        if not self.attack_probability:
            tomorrow = _take(world["attack"], person, days)
            attack = tf.cast(tf.reduce_max(tomorrow, axis=2), tf.float32)
            return tf.stack([attack[:, 0], tf.reduce_max(attack, axis=1)], axis=1)
        hazard = tf.reshape(_take(world["hazard"], person, days), [person.shape[0], 2 * SLOTS])
        phase, age, treated = (
            _take(world[name], person, now[:, None])[:, 0, pool.NOW_SLOT]
            for name in ("phase", "attack_age", "treated")
        )
        return true_attack_probabilities(
            phase, age, treated, tf.gather(world["median_hours"], person), hazard
        )

    def _target_groups(self, seed, rows):
        """A group of targets per row: theta_mask [B, P], and two bool [B]."""
        shares, names, forecasts, channels = zip(*TARGET_GROUPS, strict=True)
        group = draws.categorical(seed, tf.math.log(tf.tile([shares], [rows, 1])))
        theta = tf.constant([self.spec.parameter_mask(group_names) for group_names in names])
        return (
            tf.gather(theta, group),
            tf.gather(tf.constant(forecasts), group),
            tf.gather(tf.constant(channels), group),
        )


def _take(table, person, day) -> tf.Tensor:
    """Days [B, R] of people [B] out of [people, days, ...]: [B, R, ...]."""
    person = tf.broadcast_to(person[:, None], tf.shape(day))
    return tf.gather_nd(table, tf.stack([person, day], axis=-1))
