"""The measurement model: what sensors read and people answer, given days and phases.

Continuous channels are normal around a person's own level; 0-10 scales are ordered logits with
evenly spaced cut-points; yes/no answers are Bernoulli; drinks and cups are counts, under-reported.
Readings and answers go missing more often in attacks (a switch: published data disagree), and
answering tires: its log-odds fall by .01 a day.
"""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.migraine.schema.channels import (
    DAILY_REPORT_NAMES,
    FIELD_NAMES,
    PASSIVE_NAMES,
    SLOTS,
    SPOT_READING,
    WEARABLE_NAMES,
)
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX
from aline_tf.migraine.simulation.population import WorldSettings

PRODROME, ATTACK = 1, 2
#: The log-odds of an answer fall by this for every prompt already sent that day.
PROMPT_FATIGUE = 0.15
REPORTED_SHARE = 0.8
#: What an attack does to ln RMSSD, and what a prodrome does: in responders, in the others.
ATTACK_DIP, PRODROME_DIPS = -0.25, (-0.30, -0.02)
#: Noise of a reading of one minute, and how often somebody would rather not take it.
SPOT_NOISE, SPOT_REFUSED = 0.25, 0.15


def measure(seed, population: dict, world: dict, settings: WorldSettings) -> dict:
    """Readings and answers.

    Args:
        seed: int32 [2].
        population: from `sample_people`.
        world: days and phases of the simulator, [B, days, ...].
        settings: of the simulated world.

    Returns:
        dict: value [B, days, F], status_if_tried [B, days, F] int32, answer_logit [B, days, 4].
    """
    passive_seed, daily_seed, slot_seed, status_seed = draws.split(seed, 4)
    columns = passive_readings(passive_seed, population, world)
    columns |= daily_reports(daily_seed, population, world)
    daily = tf.stack([columns[name] for name in PASSIVE_NAMES + DAILY_REPORT_NAMES], axis=2)
    value = tf.concat([daily, slot_reports(slot_seed, population, world)], axis=2)
    return {"value": value} | attempts(status_seed, population, world, settings)


def passive_readings(seed, population: dict, world: dict) -> dict:
    """Daily readings that need no answer: a dict of [B, days], natural units."""
    shape = world["weekday"].shape
    noise = iter(tf.unstack(draws.normal(seed, [8, *shape])))
    theta = population["theta"]

    def of(name):
        return population[name][:, None]

    stress, vulnerability = world["stress"], world["vulnerability"]
    in_attack = tf.cast(world["phase"] == ATTACK, tf.float32)
    dip, load = hrv_dip(population, world), hrv_load(population, world)
    night, awake = dip[:, :, 0], tf.reduce_mean(dip[:, :, :3], axis=2)
    attack_share = tf.reduce_mean(in_attack, axis=2)
    weekend = tf.cast(world["weekday"] >= 5, tf.float32)
    rmssd_level = theta[:, PARAMETER_INDEX["hrv_baseline"], None]
    return {
        "pressure_change": world["pressure_change"],
        "busy_hours": world["busy"],
        "menstrual_window": world["menstrual"],
        "ln_rmssd": rmssd_level + load + night + 0.18 * next(noise),
        # Apple reads SDNN here and there through the day: noisier, and it sees waking hours.
        "ln_sdnn": of("sdnn_baseline") + 0.8 * load + awake + 0.20 * next(noise),
        "resting_hr": of("resting_hr_mean")
        + 0.7 * stress
        + 0.5 * vulnerability
        - 8.0 * night
        + 0.8 * world["luteal"]
        + 2.0 * next(noise),
        "sleep_hours": world["sleep"],
        "sleep_efficiency": world["efficiency"],
        "skin_temperature": 0.25 * (world["luteal"] - 0.45)
        + 0.10 * in_attack[:, :, 0]
        + 0.15 * next(noise),
        "ln_steps": of("steps_mean") - 0.1 * weekend - 0.6 * attack_share + 0.35 * next(noise),
        "ln_screen_time": of("screen_mean") - 0.5 * attack_share + 0.3 * next(noise),
    }


def hrv_dip(population: dict, world: dict) -> tf.Tensor:
    """What attacks and, in some people, what comes before them do to ln RMSSD: [B, days, 4]."""
    responder = population["theta"][:, PARAMETER_INDEX["hrv_responder"], None, None] > 0.5
    in_attack, in_prodrome = (
        tf.cast(world["phase"] == phase, tf.float32) for phase in (ATTACK, PRODROME)
    )
    return ATTACK_DIP * in_attack + tf.where(responder, *PRODROME_DIPS) * in_prodrome


def hrv_load(population: dict, world: dict) -> tf.Tensor:
    """What stress and vulnerability do to ln RMSSD: [B, days]."""
    coupling = population["theta"][:, PARAMETER_INDEX["hrv_stress"], None]
    return coupling * world["stress"] - 0.10 * world["vulnerability"]


def daily_reports(seed, population: dict, world: dict) -> dict:
    """What a person says about a whole day, and a reading at 20:00: a dict of [B, days]."""
    shape = world["weekday"].shape
    rounding = iter(tf.unstack(draws.uniform(seed, [2, *shape])))

    def reported(count):
        # Unbiased rounding of the reported share keeps small counts under-reported too.
        return tf.minimum(tf.floor(REPORTED_SHARE * count + next(rounding)), 8.0)

    return {
        "alcohol": reported(world["alcohol"]),
        "caffeine": reported(world["caffeine"]),
        "missed_meal": world["missed_meal"],
        # A minute is short: noisier than a night.
        SPOT_READING: population["theta"][:, PARAMETER_INDEX["hrv_baseline"], None]
        + hrv_load(population, world)
        + hrv_dip(population, world)[:, :, -1]
        + SPOT_NOISE * draws.normal(draws.fold_in(seed, 1), shape),
    }


def slot_reports(seed, population: dict, world: dict) -> tf.Tensor:
    """Answers about single slots [B, days, 20]: stress, pain, attack, prodrome, medication."""
    people, days, _ = shape = world["phase"].shape
    stress_noise, pain_noise, attack_u, prodrome_u, medication_u = tf.unstack(
        draws.uniform(seed, [5, *shape])
    )

    def of(name):
        return population[name][:, None, None]

    def scale_0_10(latent, unit):
        # An ordered logit: logistic noise around the latent value, cut at the half integers.
        noise = tf.math.log(unit) - tf.math.log1p(-unit)
        return tf.clip_by_value(tf.round(latent + 0.55 * noise), 0.0, 10.0)

    attack = tf.cast(world["attack"], tf.float32)
    in_prodrome = world["phase"] == PRODROME
    severity = of("pain_level") * tf.where(world["treated"] > 0.5, 2.2, 2.9) - 0.4
    pain = tf.where(attack > 0.5, severity, tf.where(in_prodrome, 0.6, -0.6))
    early = (world["attack_age"] >= 0) & (world["attack_age"] <= 1)
    takes = tf.where((world["treated"] > 0.5) & early, 0.85, tf.where(attack > 0.5, 0.15, 0.015))
    signs = tf.where(in_prodrome, of("prodrome_sensitivity"), of("prodrome_false"))
    answers = (
        scale_0_10(of("stress_report") + 1.6 * world["stress"][:, :, None], stress_noise),
        scale_0_10(pain, pain_noise),
        tf.cast(attack_u < 0.005 + 0.965 * attack, tf.float32),
        tf.cast(prodrome_u < signs, tf.float32),
        tf.cast(medication_u < takes, tf.float32),
    )
    return tf.reshape(tf.stack(answers, axis=2), [people, days, 5 * SLOTS])


def attempts(seed, population: dict, world: dict, settings: WorldSettings) -> dict:
    """What an attempt to obtain each field gives: observed, device off, or not answered.

    A watch that is off takes all its channels with it, night by night.
    """
    people, days, _ = world["phase"].shape
    seeds = draws.split(seed, 4)
    in_attack = tf.cast(world["phase"] == ATTACK, tf.float32)
    any_attack = tf.reduce_max(in_attack, axis=2)
    term = 1.0 if settings.informative_missingness else 0.0
    study_day = tf.range(days, dtype=tf.float32)

    off = tf.sigmoid(-2.2 + 0.5 * term * any_attack + 0.01 * study_day)
    watch_on = draws.uniform(seeds[0], [people, days]) >= off
    phone_on = draws.uniform(seeds[1], [people, days]) >= 0.03
    always = tf.ones([people, days], tf.bool)
    cycling = tf.broadcast_to(population["cycling"][:, None] > 0.5, [people, days])

    def device(name):
        if name in WEARABLE_NAMES:
            return watch_on
        if name == "menstrual_window":
            return cycling
        return phone_on if name.startswith("ln_") else always

    passive = tf.stack([device(name) for name in PASSIVE_NAMES], axis=2)

    base = 1.9 + settings.answer_shift - 0.01 * study_day
    answer_logit = base[None, :, None] - 0.4 * term * in_attack
    daily_logit = base[None, :, None] - 0.4 * term * any_attack[:, :, None]
    logit = tf.concat(
        [tf.tile(daily_logit, [1, 1, len(DAILY_REPORT_NAMES)]), tf.tile(answer_logit, [1, 1, 5])],
        axis=2,
    )
    chance = tf.sigmoid(logit)
    is_spot = tf.range(chance.shape[2]) == DAILY_REPORT_NAMES.index(SPOT_READING)
    chance = tf.where(is_spot, 1.0 - SPOT_REFUSED, chance)
    answered = draws.uniform(seeds[2], tf.shape(logit)) < chance
    status = tf.concat(
        [tf.where(passive, OBSERVED, MISSING), tf.where(answered, OBSERVED, NO_ANSWER)], axis=2
    )
    assert status.shape[2] == len(FIELD_NAMES)
    return {"status_if_tried": status, "answer_logit": answer_logit}
