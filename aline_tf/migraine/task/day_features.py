"""Features of the days of a history, as a Keras layer: days compared with one another.

Whether a reading is low for this person, whether stress has fallen since yesterday, what the day
before an attack was like: all of it is in the records, and all of it takes a network many steps to
find. Tokens of one day (a day's records, and what was acquired of it later) are put together, and
every day is then shown

    against the person    (z - own mean) / own spread, of readings, counts and stress
    as inputs of a hazard the nine triggers of `aline_tf.migraine.schema.parameters`, where recorded
    beside its neighbours attacks of the day after; traces of attacks and warning signs before
    as recorded           every report of the four slots, a little pain apart from much of it,
                          and the last answer of the day
    what came together    attacks that began, with the triggers and readings of that day and with
                          the warning signs before them; heart rate variability with stress:
                          summed over days it is evidence
    in this person's terms  signs and readings, weighed by what they have meant before

Values are 0 where nothing is known, with a flag beside them.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import (
    DAILY_REPORTS,
    FIELDS,
    PASSIVE,
    SLOT_REPORTS,
    SLOTS,
    SPOT_READING,
    places,
)
from aline_tf.migraine.schema.designs import CAPACITY

_DAILY = PASSIVE + DAILY_REPORTS
_NAMES = [channel.name for channel in _DAILY] + ["stress"]
_LOC = np.array([field.loc for field in FIELDS], np.float32)
_SCALE = np.array([field.scale for field in FIELDS], np.float32)
#: Pseudo-observations behind a person's own mean and spread, and the spread they say.
_SHRINK, _USUAL_SPREAD = 3.0, 0.6
_RECENT = np.exp(-np.arange(CAPACITY, dtype=np.float32) / 7.0)
#: How fast traces of the past fade, per day.
_MEMORIES = (0.5, 0.8, 0.95)
#: Reported drinks that stand for five real ones.
_HEAVY = 4.0
_TRIGGERS = 9
DAYS = CAPACITY
#: Pain from which an attack is more likely than its warning: below, a little pain is a warning.
_MUCH_PAIN = 3.0
_LATEST = 7
HISTORY_FEATURES = 2 * len(_NAMES) + 2 * _TRIGGERS + 4 + 3 * len(_MEMORIES) + 10 * SLOTS + 1
HISTORY_FEATURES += 2 * SLOTS + _LATEST
_SIGNS = 4
HISTORY_FEATURES += 2 + len(_NAMES) + _TRIGGERS + _SIGNS
_AT = {name: index for index, name in enumerate(_NAMES)}
#: Readings that may follow stress.
_FOLLOWERS = ("ln_rmssd", "ln_sdnn")
HISTORY_FEATURES += 2 * len(_FOLLOWERS)
#: Share of signs before an attack and with none to come: what is said of anybody, and the weight of
#: that, in slots.
_SIGNS_BEFORE, _SIGNS_ELSE = (0.35, 1.5), (0.09, 10.0)
#: Readings that dip before attacks, and whose dips say how far.
_DIPS = {name: name for name in ("ln_rmssd", "ln_sdnn", "resting_hr")} | {SPOT_READING: "ln_rmssd"}
_SHRINK_DIP = 3.0
HISTORY_FEATURES += SLOTS + 1 + len(_DIPS)
#: Row: whose readings; column: whose usual level they say. A minute is compared with the nights.
_SAME_LEVEL = np.eye(len(_NAMES), dtype=np.float32)
_SAME_LEVEL[_AT["ln_rmssd"], _AT[SPOT_READING]] = 1.0


class Days(NamedTuple):
    """`feature` [B, L, H] of the last L days, today first; `known` bool [B, L], whether anything is
    recorded of them; `place` int32 [B, C], the day of every context token."""

    feature: tf.Tensor
    known: tf.Tensor
    place: tf.Tensor


@keras.saving.register_keras_serializable("aline_tf")
class DayFeatures(keras.layers.Layer):
    """The last 112 days of a context, as features of the order of one. Without weights.

    `num_features` is H, how many a day has.

    Example:
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.migraine.schema.spec import SPEC
        >>> from aline_tf.migraine.task.day_features import DayFeatures
        >>> batch, layer = empty_batch(SPEC.sizes | {"C": 3}), DayFeatures()
        >>> names = ("context_design", "context_outcome", "context_status", "context_mask")
        >>> days = layer(*(batch[name] for name in names))
        >>> days.feature.shape[2] == layer.num_features
        True
    """

    num_features = HISTORY_FEATURES

    def __init__(self, **kwargs):
        # Records are in natural units: half precision would not hold them.
        super().__init__(autocast=False, **kwargs)

    def call(self, design, outcome, status, present):
        """`Days` of a context: its fields of a Batch (see `aline_tf.batch`), the mask last."""
        return history_features(design, outcome, status, present)


def history_features(design, outcome, status, mask) -> Days:
    """The days of a context; arguments as in a Batch (see `aline_tf.batch`)."""
    age = tf.cast(tf.round(design[:, :, 0] * CAPACITY), tf.int32)
    place = tf.where(mask, tf.clip_by_value(age, 0, DAYS - 1), 0)
    seen = tf.cast((status == OBSERVED) & mask[:, :, None], tf.float32)
    standard = tf.math.multiply_no_nan((outcome - _LOC) / _SCALE, seen)
    of_day = tf.one_hot(place, DAYS, axis=1) * tf.cast(mask, tf.float32)[:, None]
    fields = seen.shape[2]
    # What is said twice of a day counts once: the mean of it.
    both = tf.matmul(of_day, tf.concat([standard, seen], axis=2))
    value, times = both[:, :, :fields], both[:, :, fields:]
    value, seen = value / tf.maximum(times, 1.0), tf.minimum(times, 1.0)

    def slots(name):
        return (tf.gather(table, list(places(name)), axis=2) for table in (value, seen))

    stress, stress_seen = slots("stress")
    reported = tf.reduce_sum(stress_seen, axis=2, keepdims=True)
    daily = len(_DAILY)
    z = tf.concat(
        [value[:, :, :daily], tf.reduce_sum(stress, 2, True) / tf.maximum(reported, 1.0)], 2
    )
    z_seen = tf.concat([seen[:, :, :daily], tf.minimum(reported, 1.0)], axis=2)
    away, own = _against_the_person(z, z_seen)

    attack, attack_seen = slots("attack")
    attack = 0.5 * attack_seen + 0.5 * attack  # from -1, 1 back to 0, 1; 0 where nothing is known
    any_attack = tf.reduce_max(attack, axis=2, keepdims=True)
    attack_reported = tf.maximum(any_attack, tf.reduce_min(attack_seen, axis=2, keepdims=True))
    begins = _tomorrow(any_attack) * (1.0 - attack[:, :, -1:])
    signs, signs_seen = slots("prodrome")
    any_sign = tf.reduce_max(0.5 * signs_seen + 0.5 * signs, axis=2, keepdims=True)
    history = tf.concat([any_attack, attack_reported, any_sign], axis=2)
    traces = [tf.matmul(_fading(memory), history) for memory in _MEMORIES]
    triggers, triggers_seen = _triggers(z, z_seen, own)
    together = _together(tf.concat([own, triggers], axis=2), attack, attack_seen, signs, signs_seen)
    feature = tf.concat(
        [
            *(own, z_seen, triggers, triggers_seen),
            *(_tomorrow(any_attack), _tomorrow(attack_reported), begins, any_attack),
            *traces,
            *(part for channel in SLOT_REPORTS for part in slots(channel.name)),
            tf.ones_like(reported) * _RECENT[:, None],
            *_warnings(value, seen),
            *together,
            *_with_stress(away, z_seen),
            *_weighed_signs(together[-_SIGNS:], signs, signs_seen),
            *_weighed_dips(own, z_seen, together[1]),
        ],
        axis=2,
    )
    return Days(feature, tf.reduce_max(of_day, axis=2) > 0.0, place)


def _warnings(value, seen):
    """A little pain and much of it in each slot, and the last that is known of the day: pain, an
    attack, signs; [B, L, n] each."""

    def answers(name):
        index = list(places(name))
        reported = tf.gather(seen, index, axis=2)
        answer = tf.gather(value, index, axis=2) * _SCALE[index] + _LOC[index]
        return answer * reported, reported

    pain, pain_reported = answers("pain")
    much = tf.cast(pain >= _MUCH_PAIN, tf.float32)
    little = tf.cast(pain >= 0.5, tf.float32) - much
    attack, attack_reported = answers("attack")
    signs, signs_reported = answers("prodrome")
    return [
        little,
        much,
        _last(little, pain_reported),
        _last(much, pain_reported),
        _last(pain_reported, pain_reported),
        _last(attack, attack_reported),
        _last(attack_reported, attack_reported),
        _last(signs, signs_reported),
        _last(signs_reported, signs_reported),
    ]


def _together(readings, attack, attack_seen, signs, signs_seen):
    """What went with the attacks of a day, [B, L, n] each.

    How many began, after a slot known to be free; whether any came that did not come with the
    night; readings and triggers of such days; signs, seen and denied, in the slot before an attack;
    and the same in slots with a free one behind them and no known attack in the next.

    Args:
        readings: [B, L, n], 0 where not known.
        attack, attack_seen: [B, L, 4], the answer (0 or 1) and whether there is one.
        signs, signs_seen: the same of warning signs, the answer as -1 or 1.
    """
    free = attack_seen - attack
    begins = attack * _slots_before(free, 1)
    after_one, after_two = _slots_after(attack, 1), _slots_after(attack, 2)
    leads = free * after_one
    nothing = free * _slots_after(free, 1) * (1.0 - after_two)
    seen, not_seen = (0.5 * (signs_seen + sign * signs) for sign in (1.0, -1.0))

    def count(table):
        return tf.reduce_sum(table, axis=2, keepdims=True)

    began = count(begins)
    some = tf.minimum(count(attack), 1.0) * (1.0 - attack[:, :, :1])
    return [
        began,
        some,
        readings * some,
        *(count(which * answer) for which in (leads, nothing) for answer in (seen, not_seen)),
    ]


def _with_stress(away, seen):
    """Products of readings and stress, and squares of that stress: their sums make a slope. Arrays
    [B, L, n] in, [B, L, 1] each out."""
    stress = away[:, :, _AT["stress"], None]
    for name in _FOLLOWERS:
        yield away[:, :, _AT[name], None] * stress
        yield tf.square(stress) * seen[:, :, _AT[name], None]


def _weighed_signs(counts, signs, signs_seen):
    """Log likelihood ratio of an attack that comes, from the signs of every slot [B, L, 4] and from
    the last of the day [B, L, 1], as this person's signs have gone with attacks so far.

    Args:
        counts: of `_together`: signs seen and denied before an attack, and with none to come.
    """
    seen, denied, else_seen, else_denied = (
        tf.reduce_sum(count, axis=1, keepdims=True) for count in counts
    )

    def share(yes, no, usual, weight):
        return (yes + usual * weight) / (yes + no + weight)

    before, otherwise = (
        share(seen, denied, *_SIGNS_BEFORE),
        share(else_seen, else_denied, *_SIGNS_ELSE),
    )
    yes = tf.math.log(before / otherwise)
    no = tf.math.log((1.0 - before) / (1.0 - otherwise))
    each = 0.5 * (signs_seen * (yes + no) + signs * (yes - no))
    return [each, _last(each, signs_seen)]


def _weighed_dips(own, seen, with_attack):
    """Readings [B, L, n] times how far they have been off on days of attacks: [B, L, 1] each.

    Args:
        with_attack: [B, L, 1], days whose attack did not come with the night.
    """
    off = tf.reduce_sum(own * with_attack, axis=1, keepdims=True)
    off /= tf.reduce_sum(seen * with_attack, axis=1, keepdims=True) + _SHRINK_DIP
    for name, judge in _DIPS.items():
        yield own[:, :, _AT[name], None] * off[:, :, _AT[judge], None]


def _slots_before(table, slots: int):
    """[B, L, 4] as it was so many slots before, which may be yesterday; today is row 0."""
    earlier = tf.concat([_yesterday(table), table], axis=2)
    return earlier[:, :, SLOTS - slots : 2 * SLOTS - slots]


def _slots_after(table, slots: int):
    later = tf.concat([table, _tomorrow(table)], axis=2)
    return later[:, :, slots : slots + SLOTS]


def _last(answer, reported):
    """The answer of the latest slot that has one, [B, L, 1]; 0 where none has."""
    later = tf.math.cumsum(reported, axis=2, exclusive=True, reverse=True)
    latest = reported * tf.cast(later < 0.5, tf.float32)
    return tf.reduce_sum(answer * latest, axis=2, keepdims=True)


def _against_the_person(z, seen):
    """Values [B, L, n] less the person's own mean, and the same by their own spread; 0 where not
    seen."""

    def total(table):
        return tf.matmul(tf.reduce_sum(table, axis=1), _SAME_LEVEL)[:, None]

    count = total(seen)
    mean = total(z) / (count + 0.1)
    away = (z - mean) * seen
    squares = total(tf.square(away))
    spread = tf.sqrt((squares + _SHRINK * _USUAL_SPREAD**2) / (count + _SHRINK))
    # Of one value nothing can be said: half of the distance after as many as `_SHRINK`.
    return away, away / spread * count / (count + 1.0)


def _triggers(z, z_seen, own):
    """Inputs of the hazard and which are known: two [B, L, 9]."""

    def column(table, name):
        return table[:, :, _AT[name], None]

    def change(table, name):
        both = column(z_seen, name) * _yesterday(column(z_seen, name))
        return (_yesterday(column(table, name)) - column(table, name)) * both, both

    fall, fall_seen = change(own, "stress")
    less, less_seen = change(z, "caffeine")
    drinks = column(z, "alcohol") * _SCALE[_AT["alcohol"]] + _LOC[_AT["alcohol"]]
    heavy = tf.cast(drinks >= _HEAVY, tf.float32) * column(z_seen, "alcohol")
    pairs = (
        (column(own, "stress"), column(z_seen, "stress")),
        (tf.nn.relu(fall), fall_seen),
        (tf.abs(column(own, "sleep_hours")), column(z_seen, "sleep_hours")),
        (
            _yesterday(tf.nn.relu(-column(own, "sleep_efficiency"))),
            _yesterday(column(z_seen, "sleep_efficiency")),
        ),
        (tf.abs(column(z, "pressure_change")), column(z_seen, "pressure_change")),
        (column(z, "menstrual_window"), column(z_seen, "menstrual_window")),
        (tf.nn.relu(less), less_seen),
        (_yesterday(heavy), _yesterday(column(z_seen, "alcohol"))),
        (column(z, "missed_meal"), column(z_seen, "missed_meal")),
    )
    return (tf.concat(part, axis=2) for part in zip(*pairs, strict=True))


def _yesterday(table):
    """[B, L, n] as it was the day before; today is row 0."""
    return tf.pad(table[:, 1:], [[0, 0], [0, 1], [0, 0]])


def _tomorrow(table):
    return tf.pad(table[:, :-1], [[0, 0], [1, 0], [0, 0]])


def _fading(memory: float) -> np.ndarray:
    """[L, L]: row d sums over day d and those before it, fading, to at most about 1."""
    gap = np.arange(DAYS)[None] - np.arange(DAYS)[:, None]
    return np.where(gap >= 0, (1.0 - memory) * memory ** np.maximum(gap, 0), 0.0).astype(np.float32)
