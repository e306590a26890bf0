"""The generative model of migraine: triggers, an onset hazard, attack phases, day by day.

The generative model, for one person:

    phase: Interictal -> Prodrome -> Attack -> Postdrome -> Interictal (15% of prodromes abort)
    onset, only when interictal: logit h_t = alpha + c_slot + sum_k beta_k x_{k,d} + beta_V V_d
    hidden vulnerability: V_d = .75 V_{d-1} + sqrt(1 - .75^2) eps

Triggers x depend on the calendar, stress, sleep, weather, the cycle and habits, never on the phase;
so they are computed for all days at once (first-order recursions in log2(days) doubling steps), and
one loop over slots decides only which hits of the hazard start an episode. Everything else follows
from the starts. Numbers are those of diary and wearable studies (Houle 2017, Lipton 2014, Bertisch
2020, Zhang 2021, Giffin 2003, Ono 2019); where nobody has published one, it is assumed. Runs inside
`tf.function`; the same seed gives the same people.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from aline_tf import draws
from aline_tf.migraine.schema.channels import SLOTS
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX, TRIGGERS
from aline_tf.migraine.simulation.measurement import measure
from aline_tf.migraine.simulation.population import WorldSettings, sample_people

INTERICTAL, PRODROME, ATTACK, POSTDROME = 0, 1, 2, 3
#: Chances per slot that a prodrome and a postdrome end; share of prodromes that lead to an attack.
PRODROME_ENDS, POSTDROME_ENDS, GOES_ON = 0.6, 0.4, 0.85
WARM_UP_DAYS = 10
VULNERABILITY_MEMORY = 0.75
PRESSURE_MEMORY, PRESSURE_SD = 0.75, 8.0
EFFICIENCY_SD = 0.04
# Fitted: inputs here are taken from usual days, and an attack fills whole slots. With these two the
# simulated days reproduce 2.1 / 4.8 / 8.6 migraine days a month and .40 / .13 from day to day.
HAZARD_OFFSET = 0.10
SLOT_ROUNDING = 0.5
_DAY_UNIFORMS = 14
#: What of a person, beside the parameters, decides on attacks and on answers about them: [B], and
#: [B, 4] for the slot effect.
TRAITS = (
    "slot_effect",
    "median_hours",
    "treats",
    "pain_level",
    "prodrome_sensitivity",
    "prodrome_false",
)


def simulate_people(
    seed,
    people: int,
    days: int,
    settings: WorldSettings | None = None,
    given: Mapping | None = None,
) -> dict:
    """Draw people from the prior and live their days.

    Args:
        seed: int32 [2] (see `aline_tf.draws`).
        people: B, a Python int.
        days: a Python int, at least 1.
        settings: shifts of the simulated world.
        given: what of the people is not drawn: see `sample_people`.

    Returns:
        dict of tensors:
        theta [B, P]; value [B, days, F], what each field is, or would be answered;
        status_if_tried [B, days, F] int32, what an attempt to obtain it gives (OBSERVED; MISSING
        for a device that was off; NO_ANSWER for a prompt); attack [B, days, 4] and
        phase [B, days, 4] int32; trigger [B, days, 9], the inputs of the hazard;
        vulnerability [B, days]; weekday [B, days] int32 (0 is Monday); female, cycling [B];
        answer_logit [B, days, 4], the logit of answering a prompt in that slot; and what an attack
        depends on: hazard [B, days, 4], the chance that an episode starts in a slot, of somebody
        interictal; attack_age [B, days, 4] int32, treated [B, days, 4]; and `TRAITS` of the people.
    """
    settings = settings or WorldSettings()
    population_seed, day_seed, phase_seed, measurement_seed = draws.split(seed, 4)
    population = sample_people(population_seed, people, settings, given)
    world = live_days(day_seed, population, days + WARM_UP_DAYS)
    world |= live_phases(phase_seed, population, world)
    # The warm-up let phases and lags settle; nobody sees it.
    world = {name: value[:, WARM_UP_DAYS:] for name, value in world.items()}
    world |= measure(measurement_seed, population, world, settings)
    of_days = ("value", "status_if_tried", "attack", "phase", "trigger", "vulnerability")
    of_days += ("weekday", "answer_logit", "hazard", "attack_age", "treated")
    of_people = ("theta", "female", "cycling", *TRAITS)
    return {n: world[n] for n in of_days} | {n: population[n] for n in of_people}


def autoregression(noise, memory) -> tf.Tensor:
    """A stationary AR(1) with unit variance, by recursive doubling.

    y_t = sum_k memory^k e_{t-k}: after j steps the sum holds its first 2^j terms, so log2(days)
    shifts replace a loop over days.

    Args:
        noise: standard normal [B, days].
        memory: coefficient in [0, 1): a float or a tensor [B].

    Returns:
        [B, days].
    """
    memory = tf.reshape(tf.convert_to_tensor(memory, tf.float32), [-1, 1])
    series = tf.concat([noise[:, :1], tf.sqrt(1.0 - memory**2) * noise[:, 1:]], axis=1)
    step, power = 1, memory
    while step < noise.shape[1]:
        series += power * lag(series, step)
        step, power = 2 * step, power * power
    return series


def lag(series, days: int = 1) -> tf.Tensor:
    """A daily series [B, days] shifted into the future; the first days become zero."""
    return tf.pad(series[:, :-days], [[0, 0], [days, 0]])


def live_days(seed, population: dict, days: int) -> dict:
    """Everything about the days that no attack changes: calendar, weather, stress, sleep, habits.

    Args:
        seed: int32 [2].
        population: from `sample_people`.
        days: how many, a Python int.

    Returns:
        dict of [B, days] tensors, and `trigger` [B, days, 9] in the order of `TRIGGERS`.
    """
    people = population["theta"].shape[0]
    shape = [people, days]
    unit = iter(tf.unstack(draws.uniform(seed, [_DAY_UNIFORMS, *shape])))

    def uniform():
        return next(unit)

    def normal():
        return tf.math.ndtri(next(unit))

    weekday = (population["first_weekday"][:, None] + tf.range(days)) % 7
    weekend = tf.cast(weekday >= 5, tf.float32)

    busy_mean = tf.where(weekend > 0.5, 0.3, population["busy_mean"][:, None])
    busy = tf.maximum(busy_mean + 1.2 * normal(), 0.0)
    busy = tf.where(uniform() < 0.08 + 0.6 * weekend, 0.0, busy)

    stress = autoregression(normal(), population["stress_memory"])
    # Busy hours are taken against a usual day, so that alpha keeps its meaning.
    stress += 0.2 - 0.7 * weekend + 0.3 * (busy - 1.7)
    pressure = PRESSURE_SD * autoregression(normal(), PRESSURE_MEMORY)
    pressure_change = pressure - lag(pressure)

    sleep = population["sleep_mean"][:, None] + population["sleep_sd"][:, None] * normal()
    sleep += 0.5 * weekend - 0.25 * lag(stress)
    sleep = tf.clip_by_value(sleep, 2.0, 13.0)
    efficiency = (
        population["efficiency_mean"][:, None] + EFFICIENCY_SD * normal() - 0.008 * lag(stress)
    )
    efficiency = tf.clip_by_value(efficiency, 0.5, 0.99)

    # Cycles differ in length between people and, from cycle to cycle, by a slow drift of phase.
    drift = tf.cumsum(0.3 * normal(), axis=1)
    cycle = population["cycle_phase"][:, None] * population["cycle_length"][:, None]
    cycle_day = tf.math.floormod(
        cycle + tf.range(days, dtype=tf.float32) + drift, population["cycle_length"][:, None]
    )
    window = (cycle_day < 3.0) | (cycle_day >= population["cycle_length"][:, None] - 2.0)
    menstrual = population["cycling"][:, None] * tf.cast(window, tf.float32)
    luteal = population["cycling"][:, None] * tf.cast(
        cycle_day >= population["cycle_length"][:, None] - 13.0, tf.float32
    )

    drank = uniform() < population["drink_probability"][:, None] * (1.0 + weekend)
    more = tf.maximum(0.0, population["drink_more"][:, None] * -tf.math.log(uniform()))
    alcohol = tf.where(drank, 1.0 + tf.floor(more), 0.0)
    caffeine = population["caffeine_mean"][:, None] * tf.exp(0.35 * normal() - 0.15 * weekend)
    caffeine = tf.minimum(tf.round(caffeine), 12.0)
    missed_meal = tf.cast(uniform() < population["meal_probability"][:, None], tf.float32)

    shortfall = (population["efficiency_mean"][:, None] - efficiency) / EFFICIENCY_SD
    inputs = {
        "stress": stress,
        "stress_fall": tf.maximum(lag(stress) - stress, 0.0),
        "sleep_deviation": tf.abs(sleep - population["sleep_mean"][:, None]),
        "low_efficiency": tf.maximum(lag(shortfall), 0.0),
        "pressure": tf.abs(pressure_change) / 5.7,
        "menstrual": menstrual,
        "caffeine_drop": tf.clip_by_value(lag(caffeine) - caffeine, 0.0, 4.0),
        "alcohol": tf.cast(lag(alcohol) >= 5.0, tf.float32),
        "missed_meal": missed_meal,
    }
    return {
        "weekday": weekday,
        "busy": busy,
        "stress": stress,
        "pressure_change": pressure_change,
        "sleep": sleep,
        "efficiency": efficiency,
        "menstrual": menstrual,
        "luteal": luteal,
        "alcohol": alcohol,
        "caffeine": caffeine,
        "missed_meal": missed_meal,
        "vulnerability": autoregression(normal(), VULNERABILITY_MEMORY),
        "trigger": tf.stack([inputs[trigger.name] for trigger in TRIGGERS], axis=2),
    }


def onset_probability(population: dict, world: dict) -> tf.Tensor:
    """The hazard of an episode starting in a slot, given that the person is interictal.

    Returns:
        [B, days, 4] probabilities.
    """
    theta = population["theta"]
    first = PARAMETER_INDEX[f"beta_{TRIGGERS[0].name}"]
    beta = theta[:, first : first + len(TRIGGERS)]
    logit = theta[:, PARAMETER_INDEX["alpha"], None] + HAZARD_OFFSET
    logit += tf.einsum("bdk,bk->bd", world["trigger"], beta)
    logit += theta[:, PARAMETER_INDEX["beta_vulnerability"], None] * world["vulnerability"]
    return tf.sigmoid(logit[:, :, None] + population["slot_effect"][:, None, :])


def live_phases(seed, population: dict, world: dict) -> dict:
    """Episodes: when they start, how long their phases last, whether they are treated.

    The lengths of an episode that would start in each slot are drawn beforehand, so the loop over
    slots only decides whether the person is free to start one.

    Returns:
        dict: phase, attack, treated, attack_age, hazard [B, days, 4]; int32 but for treated and
        hazard (float32). attack_age counts slots since the attack began, -1 outside attacks.
    """
    people, days = world["weekday"].shape
    slots = days * SLOTS
    shape = [people, slots]
    strike, sign, abort, treat, length_u, rounding, tail = tf.unstack(
        draws.uniform(seed, [7, *shape])
    )
    hazard = onset_probability(population, world)
    hit = strike < tf.reshape(hazard, shape)

    def geometric(unit, probability):
        length = tf.math.ceil(tf.math.log(unit) / tf.math.log(1.0 - probability))
        return tf.cast(tf.clip_by_value(length, 1.0, 40.0), tf.int32)

    prodrome = geometric(sign, PRODROME_ENDS)
    goes_on = abort < GOES_ON
    treated = treat < population["treats"][:, None]
    hours = population["median_hours"][:, None] * tf.exp(0.6 * tf.math.ndtri(length_u))
    hours = tf.clip_by_value(hours * tf.where(treated, 0.45, 1.0), 2.0, 72.0)
    # Random rounding; an attack fills at least the slot it begins in.
    filled = tf.clip_by_value(tf.floor(SLOT_ROUNDING * rounding + hours / 6.0), 1.0, 12.0)
    length = tf.where(goes_on, tf.cast(filled, tf.int32), 0)
    postdrome = tf.where(goes_on, geometric(tail, POSTDROME_ENDS), 0)

    start = latest_start(hit, prodrome + length + postdrome)
    safe = tf.maximum(start, 0)

    def of_episode(table):
        return tf.gather(table, safe, batch_dims=1)

    age = tf.range(slots) - start
    prodrome, length, postdrome = map(of_episode, (prodrome, length, postdrome))
    inside = start >= 0
    attack_age = age - prodrome
    attack = inside & (attack_age >= 0) & (attack_age < length)
    phase = tf.where(
        inside & (attack_age < 0),
        PRODROME,
        tf.where(
            attack,
            ATTACK,
            tf.where(inside & (attack_age < length + postdrome), POSTDROME, INTERICTAL),
        ),
    )
    by_slot = {
        "phase": phase,
        "attack": tf.cast(attack, tf.int32),
        "treated": tf.cast(of_episode(treated) & attack, tf.float32),
        "attack_age": tf.where(attack, attack_age, -1),
    }
    by_slot = {name: tf.reshape(value, [people, days, SLOTS]) for name, value in by_slot.items()}
    return by_slot | {"hazard": hazard}


def latest_start(hit, duration) -> tf.Tensor:
    """The slot in which the latest episode began, for each slot: int32 [B, slots], -1 before any.

    Args:
        hit: bool [B, slots], whether the hazard strikes, should the person be interictal.
        duration: int32 [B, slots], length of an episode that begins there, in slots.
    """
    people, slots = hit.shape
    hit_t, duration_t = tf.transpose(hit), tf.transpose(duration)
    record = tf.TensorArray(tf.int32, size=slots, element_shape=[people])
    nobody = tf.fill([people], -1)

    def body(t, free_at, start, record):
        begins = hit_t[t] & (free_at <= t)
        free_at = tf.where(begins, t + duration_t[t], free_at)
        start = tf.where(begins, t, start)
        return t + 1, free_at, start, record.write(t, start)

    *_, record = tf.while_loop(
        lambda t, *_: t < slots,
        body,
        (tf.constant(0), tf.zeros([people], tf.int32), nobody, record),
        maximum_iterations=slots,
    )
    return tf.transpose(record.stack())
