"""What a person's records hold: which devices, which diary, from when on, how regularly.

Real histories are sparse mixes: a watch that reads SDNN and no weather; an attack diary and
nothing else; months of sleep and a diary begun last week. A network that is to read them has to
meet such mixes in training, so every training history is seen through randomly drawn sources.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.migraine.candidates import NOW_SLOT, RECENT_DAYS
from aline_tf.migraine.channels import (
    DAILY_REPORT_NAMES,
    END_OF_DAY_NAMES,
    FIELD_INDEX,
    FIELD_NAMES,
    PASSIVE_NAMES,
    SLOT_REPORT_NAMES,
    SLOTS,
    field_name,
    places,
)

#: Share of people without a wearable, with one that reads SDNN, RMSSD, both.
KITS = (0.25, 0.40, 0.30, 0.05)
#: Share who note nothing, fill in a day at a time, answer at any slot, note attacks only.
DIARIES = (0.15, 0.50, 0.15, 0.20)
NO_DIARY, DAY_DIARY, SLOT_DIARY, ATTACK_DIARY = range(4)
#: How many of those who keep a diary note each channel.
DIARY_SHARE = {
    "alcohol": 0.40,
    "caffeine": 0.35,
    "missed_meal": 0.35,
    "stress": 0.60,
    "pain": 0.75,
    "attack": 0.97,
    "prodrome": 0.45,
    "medication": 0.60,
}
#: Days without a window after which the next menstruation may be near: a cycle has 21 or more.
CYCLE_LOOK_BACK = 18
_ATTACKS = list(places("attack"))


def sample_sources(seed, rows: int) -> dict:
    """Sources of B histories.

    Returns:
        dict: passive [B, 11] bool, which readings exist; noted [B, 8] bool, which reports the diary
        has, in the order of `DIARY_SHARE`; style [B] int32; regularity [B], chance of an entry on a
        day; summary [B] bool, the evening entry speaks of the whole day; prompted [B] bool, silence
        is recorded as "not answered"; device_start, diary_start [B], as a share of the history.
    """
    seeds = iter(draws.split(seed, 16))

    def uniform(*shape):
        return draws.uniform(next(seeds), [rows, *shape])

    def choose(shares):
        return draws.categorical(next(seeds), tf.math.log(tf.tile([shares], [rows, 1])))

    kit, style = choose(KITS), choose(DIARIES)
    watch = kit > 0
    held = {
        "pressure_change": uniform() < 0.45,
        "busy_hours": uniform() < 0.35,
        "menstrual_window": uniform() < 0.65,
        "ln_rmssd": kit >= 2,
        "ln_sdnn": (kit == 1) | (kit == 3),
        "resting_hr": watch,
        "sleep_hours": watch,
        "sleep_efficiency": watch & (uniform() < 0.85),
        "skin_temperature": watch & (uniform() < 0.4),
        "ln_steps": watch | (uniform() < 0.5),
        "ln_screen_time": uniform() < 0.25,
    }
    passive = tf.stack([held[name] for name in PASSIVE_NAMES], axis=1)
    passive &= uniform(len(PASSIVE_NAMES)) < 0.92
    late = uniform(2) < 0.25
    start = tf.where(late, uniform(2), 0.0)
    return {
        "passive": passive,
        "noted": uniform(len(DIARY_SHARE)) < tf.constant(list(DIARY_SHARE.values())),
        "style": style,
        "regularity": 1.0 - 0.75 * uniform() ** 2,
        "summary": uniform() < 0.5,
        "prompted": uniform() < 0.3,
        "device_start": start[:, 0],
        "diary_start": start[:, 1],
    }


def context_of(seed, sources: dict, value, tried, days_ago, known_days) -> tuple:
    """What records from these sources say at 20:00 of the last day.

    Args:
        seed: int32 [2].
        sources: from `sample_sources`.
        value, tried: [B, C, F] values, and what an attempt to get each would give.
        days_ago: [B, C] int32, 0 today; negative rows lie in the future and stay unknown.
        known_days: [B] int32, the length of the history.

    Returns:
        (outcome [B, C, F], status [B, C, F] int32): outcome is 0 where the status is not 1.
    """
    seeds = draws.split(seed, 8)
    rows, capacity, _ = value.shape
    past = (days_ago >= 0) & (days_ago < known_days[:, None])
    length = tf.cast(known_days[:, None], tf.float32)
    age = tf.cast(days_ago, tf.float32)
    device_days = past & (age < length * (1.0 - sources["device_start"][:, None]))
    diary_days = past & (age < length * (1.0 - sources["diary_start"][:, None]))

    # Readings. Some episodes hold the latest ones back, for the policy to fetch.
    recent = (days_ago < RECENT_DAYS)[:, :, None]
    holds_back = draws.uniform(seeds[0], [rows, 1, 1]) < 0.5
    held_back = draws.uniform(seeds[1], [rows, capacity, len(PASSIVE_NAMES)]) < 0.5
    read = device_days[:, :, None] & sources["passive"][:, None, :]
    read &= ~(recent & holds_back & held_back)
    read &= tried[:, :, : len(PASSIVE_NAMES)] == OBSERVED

    # Reports. A day's entry is answered or not as a whole; slots are answered one by one.
    style = sources["style"][:, None, None]
    regularity = sources["regularity"][:, None]
    wrote = diary_days & (draws.uniform(seeds[2], [rows, capacity]) < regularity)
    wrote &= (days_ago > 0) | (draws.uniform(seeds[3], [rows, 1]) < 0.4)
    entry = tried[:, :, FIELD_INDEX[field_name("attack", NOW_SLOT)]]
    day_status = tf.where(wrote, entry, MISSING)[:, :, None]
    moment = draws.uniform(seeds[4], [rows, capacity, SLOTS]) < regularity[:, :, None]
    moment &= diary_days[:, :, None]
    # The evening slot of today is what a prompt now would ask about.
    moment &= (days_ago > 0)[:, :, None] | (tf.range(SLOTS) < NOW_SLOT)
    in_attack = tf.gather(value, _ATTACKS, axis=2) > 0.5

    columns = []
    for index, name in enumerate(DIARY_SHARE):
        has = sources["noted"][:, index, None, None]
        attempt = tf.gather(tried, list(places(name)), axis=2)
        if name in DAILY_REPORT_NAMES:
            # Slot diaries carry whole-day questions too.
            by_day = (style == DAY_DIARY) | (style == SLOT_DIARY)
            status = tf.where(by_day & has, day_status, MISSING)
        else:
            evening = tf.range(SLOTS) == NOW_SLOT
            of_day = tf.where(evening | (name == "attack"), day_status, MISSING)
            by_slot = tf.where(moment, attempt, MISSING)
            of_attack = (name in ("attack", "pain", "medication")) & wrote[:, :, None] & in_attack
            status = tf.where(
                style == DAY_DIARY,
                of_day,
                tf.where(
                    style == SLOT_DIARY,
                    by_slot,
                    tf.where((style == ATTACK_DIARY) & of_attack, OBSERVED, MISSING),
                ),
            )
            status = tf.where(has, status, MISSING)
        columns.append(status)
    asked = tf.concat(columns, axis=2)
    silent = sources["prompted"][:, None, None]
    asked = tf.where((asked == NO_ANSWER) & ~silent, MISSING, asked)

    status = tf.concat([tf.where(read, OBSERVED, MISSING), asked], axis=2)
    status = tf.where(_not_yet(value, days_ago), MISSING, status)
    value = _day_summaries(value, sources)
    return tf.where(status == OBSERVED, value, 0.0), status


def settled_cycles(value, days_ago) -> tf.Tensor:
    """Whether the last three days of the menstrual window can be known by now: bool [B, 1].

    The window is cycle day 1 plus or minus 2, so a 0 of the last days could still become a 1 when
    bleeding begins tomorrow. Soon after a window it cannot.
    """
    window = value[:, :, FIELD_INDEX["menstrual_window"]] > 0.5
    near = (days_ago >= RECENT_DAYS - 1) & (days_ago <= CYCLE_LOOK_BACK)
    return tf.reduce_any(window & near, axis=1, keepdims=True)


def _not_yet(value, days_ago) -> tf.Tensor:
    """Fields that nobody can know at 20:00: bool [B, C, F]."""
    today = days_ago == 0
    unsettled = (days_ago < RECENT_DAYS) & ~settled_cycles(value, days_ago)
    never = tf.zeros_like(today)
    by_name = dict.fromkeys(END_OF_DAY_NAMES, today) | {"menstrual_window": unsettled}
    return tf.stack([by_name.get(name, never) for name in FIELD_NAMES], axis=2)


def _day_summaries(value, sources: dict) -> tf.Tensor:
    """Evening entries that speak of the whole day: worst pain, any medication, any sign."""
    summarises = (sources["style"] == DAY_DIARY) & sources["summary"]
    blocks = [value[:, :, : FIELD_INDEX[field_name(SLOT_REPORT_NAMES[0], 0)]]]
    for name in SLOT_REPORT_NAMES:
        block = tf.gather(value, list(places(name)), axis=2)
        if name in ("pain", "medication", "prodrome"):
            worst = tf.reduce_max(block, axis=2, keepdims=True)
            whole = tf.concat([block[:, :, :NOW_SLOT], worst], axis=2)
            block = tf.where(summarises[:, None, None], whole, block)
        blocks.append(block)
    return tf.concat(blocks, axis=2)
