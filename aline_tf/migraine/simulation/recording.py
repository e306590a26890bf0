"""The recording model: which devices and diary a person keeps, from when on, how regularly.

Real histories are sparse mixes: a watch that reads SDNN and no weather; an attack diary and
nothing else; months of sleep and a diary begun last week. A model that is to read them has to
meet such mixes in training, so every training history is seen through a randomly drawn recording.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.migraine.schema.candidates import NOW_SLOT, RECENT_DAYS
from aline_tf.migraine.schema.channels import (
    DAILY_REPORT_NAMES,
    END_OF_DAY_NAMES,
    FIELD_INDEX,
    FIELD_NAMES,
    PASSIVE_NAMES,
    SLOT_REPORT_NAMES,
    SLOTS,
    SPOT_READING,
    field_name,
    places,
)

#: Share of people without a wearable, with one that reads SDNN, RMSSD, both.
KITS = (0.25, 0.40, 0.30, 0.05)
#: Share who note nothing, fill in a day at a time, answer at any slot, note attacks only.
DIARIES = (0.15, 0.50, 0.15, 0.20)
_UNIFORMS = 41
#: Fields that are asked for.
REPORTS = len(FIELD_NAMES) - len(PASSIVE_NAMES)
NO_DIARY, DAY_DIARY, SLOT_DIARY, ATTACK_DIARY, PROMPTS = range(5)
#: Longest run-in of people who answer prompts, in days; fewest and most prompts a day after it.
RUN_IN, FEW_PROMPTS, MANY_PROMPTS = 28, 0.5, 6.0
#: How many of those who keep a diary note each channel.
DIARY_SHARE = {
    "alcohol": 0.40,
    "caffeine": 0.35,
    "missed_meal": 0.35,
    SPOT_READING: 0.10,
    "stress": 0.60,
    "pain": 0.75,
    "attack": 0.97,
    "prodrome": 0.45,
    "medication": 0.60,
}
#: Nobody is asked for a minute of rest every day, however complete their records.
_IS_SPOT = np.array([name == SPOT_READING for name in DIARY_SHARE])
_IS_SPOT_FIELD = np.array([name == SPOT_READING for name in FIELD_NAMES[len(PASSIVE_NAMES) :]])
#: Days without a window after which the next menstruation may be near: a cycle has 21 or more.
CYCLE_LOOK_BACK = 18


def sample_recording(seed, rows: int) -> dict:
    """Recordings of B histories.

    Args:
        seed: int32 [2].
        rows: B.

    Returns:
        dict: passive [B, 11] bool, which readings exist; noted [B, 9] bool, which reports the diary
        has, in the order of `DIARY_SHARE`; style [B] int32; regularity [B], chance of an entry on a
        day; summary [B] bool, the evening entry speaks of the whole day; by_part [B] bool, it has
        stress by part of the day; prompted [B] bool, silence is recorded as "not answered";
        device_start, diary_start [B], as a share of the history; and for those who answer prompts
        (`prompted_recording`): run_in [B] int32, days at the start with every slot asked about, and
        prompt_probability [B, 24], the chance that a report is asked for on a later day.
    """
    unit = iter(tf.unstack(draws.uniform(seed, [_UNIFORMS, rows])))

    def uniform():
        return next(unit)

    def take(count):
        return tf.stack([next(unit) for _ in range(count)], axis=1)

    def choose(shares):
        steps = [sum(shares[: index + 1]) for index in range(len(shares) - 1)]
        return tf.reduce_sum(tf.cast(uniform()[:, None] > steps, tf.int32), axis=1)

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
    passive &= take(len(PASSIVE_NAMES)) < 0.92
    late = take(2) < 0.25
    start = tf.where(late, take(2), 0.0)
    return {
        "passive": passive,
        "noted": take(len(DIARY_SHARE)) < tf.constant(list(DIARY_SHARE.values())),
        "style": style,
        "regularity": 1.0 - 0.75 * uniform() ** 2,
        "summary": uniform() < 0.5,
        "by_part": uniform() < 0.4,
        "prompted": uniform() < 0.3,
        "prompted_now": tf.zeros([rows], tf.bool),
        "run_in": tf.zeros([rows], tf.int32),
        "prompt_probability": tf.zeros([rows, REPORTS]),
        "device_start": start[:, 0],
        "diary_start": start[:, 1],
    }


def complete_recording(recording: dict, who, prompted_now) -> dict:
    """The same recordings, but some people have every device and are asked about every slot.

    Prompts and devices still fail as often as they do, and half of the people see their latest
    readings late.

    Args:
        recording: of `sample_recording`.
        who: bool [B].
        prompted_now: bool [B], whether those are asked about the evening of today too.
    """
    complete = {
        "passive": True,
        "noted": True,
        "prompted": True,
        "style": SLOT_DIARY,
        "regularity": 1.0,
        "device_start": 0.0,
        "diary_start": 0.0,
    }
    changed = dict(recording)
    for name, value in complete.items():
        own = recording[name]
        chosen = who[:, None] if own.shape.rank == 2 else who
        changed[name] = tf.where(chosen, tf.cast(value, own.dtype), own)
    changed["prompted_now"] = recording["prompted_now"] | (who & prompted_now)
    changed["noted"] &= ~who[:, None] | ~_IS_SPOT
    return changed


def prompted_recording(seed, recording: dict, who) -> dict:
    """The same recordings, but some people keep no diary: after a run-in of days with every slot
    asked about they are asked a few questions a day, each person mostly the same ones.

    Their answers say all that a policy's own questions of earlier evenings would have said.

    Args:
        seed: int32 [2].
        recording: of `sample_recording`.
        who: bool [B].
    """
    rows = who.shape[0]
    unit = draws.uniform(seed, [REPORTS + 4, rows])
    preference = tf.exp(1.5 * tf.math.ndtri(unit[:REPORTS]))
    rate = FEW_PROMPTS * (MANY_PROMPTS / FEW_PROMPTS) ** unit[REPORTS]
    probability = tf.minimum(rate * preference / tf.reduce_sum(preference, axis=0), 1.0)
    run_in = tf.where(unit[REPORTS + 1] < 0.5, unit[REPORTS + 2] * (RUN_IN + 1), 0.0)
    # Half of them wear everything, as in a study.
    equipped = unit[REPORTS + 3] < 0.5
    changed = {
        "passive": recording["passive"] | equipped[:, None],
        "noted": tf.ones_like(recording["noted"]),
        "prompted": tf.ones_like(recording["prompted"]),
        "style": tf.fill([rows], PROMPTS),
        "run_in": tf.cast(run_in, tf.int32),
        "prompt_probability": tf.transpose(probability),
        "device_start": tf.where(equipped, 0.0, recording["device_start"]),
        "diary_start": tf.zeros([rows]),
    }
    return recording | {
        name: tf.where(who[:, None] if value.shape.rank == 2 else who, value, recording[name])
        for name, value in changed.items()
    }


def recorded_context(seed, recording: dict, value, tried, days_ago, known_days) -> tuple:
    """What records kept in this manner say at 20:00 of the last day.

    Args:
        seed: int32 [2].
        recording: from `sample_recording`.
        value, tried: [B, C, F] values, and what an attempt to get each would give.
        days_ago: [B, C] int32, 0 today; negative rows lie in the future and stay unknown.
        known_days: [B] int32, the length of the history.

    Returns:
        (outcome [B, C, F], status [B, C, F] int32): outcome is 0 where the status is not 1.
    """
    reading_seed, report_seed = draws.split(seed, 2)
    past = (days_ago >= 0) & (days_ago < known_days[:, None])

    def since(start):
        share = 1.0 - recording[start][:, None]
        length = tf.cast(known_days[:, None], tf.float32)
        return past & (tf.cast(days_ago, tf.float32) < length * share)

    read = _readings(reading_seed, recording, tried, days_ago, since("device_start"))
    reported = _reports(report_seed, recording, value, tried, days_ago, since("diary_start"))
    status = tf.concat([tf.where(read, OBSERVED, MISSING), reported], axis=2)
    status = tf.where(not_yet(value, days_ago), MISSING, status)
    value = _as_noted(value, recording)
    return tf.where(status == OBSERVED, value, 0.0), status


def _readings(seed, recording, tried, days_ago, days) -> tf.Tensor:
    """Which readings are there: bool [B, C, 11]. `days` bool [B, C]: the devices are in use.

    Half of the episodes hold back many of the latest ones, for the policy to fetch.
    """
    rows, capacity = days.shape
    hold_seed, which_seed = draws.split(seed, 2)
    recent = (days_ago < RECENT_DAYS)[:, :, None]
    holds_back = draws.uniform(hold_seed, [rows, 1, 1]) < 0.5
    which = draws.uniform(which_seed, [rows, capacity, len(PASSIVE_NAMES)]) < 0.5
    held = days[:, :, None] & recording["passive"][:, None, :]
    return held & ~(recent & holds_back & which) & (tried[:, :, : which.shape[2]] == OBSERVED)


def _reports(seed, recording, value, tried, days_ago, days) -> tf.Tensor:
    """Status of every self-report: int32 [B, C, 24]. `days` bool [B, C]: a diary is kept."""
    seeds = draws.split(seed, 4)
    rows, capacity = days.shape
    style = recording["style"][:, None, None]
    regularity = recording["regularity"][:, None]
    evening = tf.range(SLOTS) == NOW_SLOT
    in_attack = tf.gather(value, list(places("attack")), axis=2) > 0.5

    # A day's entry is answered or not as a whole; today's may not be written by 20:00.
    wrote = days & (draws.uniform(seeds[0], [rows, capacity]) < regularity)
    wrote &= (days_ago > 0) | (draws.uniform(seeds[1], [rows, 1]) < 0.5)
    entry = tried[:, :, FIELD_INDEX[field_name("attack", NOW_SLOT)]]
    day_status = tf.where(wrote, entry, MISSING)[:, :, None]
    # Slots are answered one by one; the evening of today is what a prompt now would ask about.
    moment = draws.uniform(seeds[2], [rows, capacity, SLOTS]) < regularity[:, :, None]
    already = (days_ago > 0) | recording["prompted_now"][:, None]
    moment &= days[:, :, None] & (already[:, :, None] | ~evening)

    some_parts = draws.uniform(seeds[3], [rows, capacity, SLOTS]) < [0.05, 0.8, 0.8, 0.9]
    noted_slots = {
        "attack": tf.ones_like(in_attack),
        # The worst pain of a day is noted with its attack.
        "pain": in_attack | (evening & ~tf.reduce_any(in_attack, axis=2, keepdims=True)),
        "stress": tf.where(recording["by_part"][:, None, None], some_parts, evening),
    }
    columns = []
    for index, name in enumerate(DIARY_SHARE):
        if name in DAILY_REPORT_NAMES:
            by_day = (style == DAY_DIARY) | (style == SLOT_DIARY)
            status = tf.where(by_day, day_status, MISSING)
        else:
            attempt = tf.gather(tried, list(places(name)), axis=2)
            of_day = tf.where(noted_slots.get(name, evening), day_status, MISSING)
            of_attack = wrote[:, :, None] & in_attack & (name in ("attack", "pain", "medication"))
            status = tf.where(style == DAY_DIARY, of_day, MISSING)
            status = tf.where((style == SLOT_DIARY) & moment, attempt, status)
            status = tf.where((style == ATTACK_DIARY) & of_attack, OBSERVED, status)
        columns.append(tf.where(recording["noted"][:, index, None, None], status, MISSING))
    status = tf.where(
        style == PROMPTS,
        _prompts(draws.fold_in(seed, 4), recording, tried, days_ago, days),
        tf.concat(columns, axis=2),
    )
    silent = ~recording["prompted"][:, None, None]
    return tf.where((status == NO_ANSWER) & silent, MISSING, status)


def _prompts(seed, recording, tried, days_ago, days) -> tf.Tensor:
    """Status of the reports of people who answer prompts: int32 [B, C, 24].

    What is asked this evening is not known yet.
    """
    attempt = tried[:, :, len(PASSIVE_NAMES) :]
    # `days` holds the days of the history, oldest first.
    day = tf.cumsum(tf.cast(days, tf.int32), axis=1) - 1
    run_in = (day < recording["run_in"][:, None])[:, :, None] & ~_IS_SPOT_FIELD
    drawn = draws.uniform(seed, tf.shape(attempt)) < recording["prompt_probability"][:, None]
    prompted = (run_in | drawn) & (days & (days_ago > 0))[:, :, None]
    return tf.where(prompted, attempt, MISSING)


def settled_cycles(value, days_ago) -> tf.Tensor:
    """Whether the last three days of the menstrual window can be known by now: bool [B, 1].

    The window is cycle day 1 plus or minus 2, so a 0 of the last days could still become a 1 when
    bleeding begins tomorrow. Soon after a window it cannot.
    """
    window = value[:, :, FIELD_INDEX["menstrual_window"]] > 0.5
    near = (days_ago >= RECENT_DAYS - 1) & (days_ago <= CYCLE_LOOK_BACK)
    return tf.reduce_any(window & near, axis=1, keepdims=True)


def not_yet(value, days_ago) -> tf.Tensor:
    """Fields that nobody can know at 20:00: bool [B, C, F]."""
    today = days_ago == 0
    unsettled = (days_ago < RECENT_DAYS) & ~settled_cycles(value, days_ago)
    never = tf.zeros_like(today)
    by_name = dict.fromkeys(END_OF_DAY_NAMES, today) | {"menstrual_window": unsettled}
    return tf.stack([by_name.get(name, never) for name in FIELD_NAMES], axis=2)


def _as_noted(value, recording: dict) -> tf.Tensor:
    """Values as a diary of days states them: the worst pain; often, any sign, any medication."""
    by_day = (recording["style"] == DAY_DIARY)[:, None, None]
    whole_day = by_day & recording["summary"][:, None, None]
    blocks = [value[:, :, : FIELD_INDEX[field_name(SLOT_REPORT_NAMES[0], 0)]]]
    for name in SLOT_REPORT_NAMES:
        block = tf.gather(value, list(places(name)), axis=2)
        worst = tf.reduce_max(block, axis=2, keepdims=True)
        if name == "pain":
            block = tf.where(by_day, worst, block)
        elif name in ("medication", "prodrome"):
            block = tf.where(whole_day, worst, block)
        blocks.append(block)
    return tf.concat(blocks, axis=2)
