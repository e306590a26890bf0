"""The population prior: parameters to be inferred, and nuisance traits, of simulated people.

The parameters theta [B, P] are what the model infers. The traits (how a person sleeps, drinks,
answers, treats attacks) differ between people too, but nobody asks for them: they are nuisance.

Gamma, beta and Poisson samplers do not compile under XLA. Beta variables with whole-number
parameters are drawn exactly instead, as order statistics of uniforms. Every other draw is a
monotone transform of one uniform.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import tensorflow as tf

from aline_tf import draws
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX, TRIGGERS

#: Uniforms that one person takes; `sample_people` counts on it.
_UNIFORMS = 80


@dataclasses.dataclass(frozen=True)
class WorldSettings:
    """What can be shifted about the simulated world; the defaults are the fitted one.

    Attributes:
        slab_probability: chance that a person has a given trigger (3 to 4 of 9).
        alpha_shift: added to everybody's alpha, on the logit scale.
        effect_scale: multiplies every trigger effect.
        answer_shift: added to the logit of answering a prompt.
        informative_missingness: whether attacks make readings and answers go missing; published
            data disagree.

    Example:
        >>> from aline_tf.migraine.simulation import SHIFTED, WorldSettings
        >>> SHIFTED.effect_scale / WorldSettings().effect_scale
        1.4
    """

    slab_probability: float = 0.35
    alpha_shift: float = 0.0
    effect_scale: float = 1.0
    answer_shift: float = 0.0
    informative_missingness: bool = True


#: A world that no training meets: more triggers of greater effect, more attacks, fewer answers, and
#: readings that go missing whatever happens.
SHIFTED = WorldSettings(
    slab_probability=0.5,
    alpha_shift=0.35,
    effect_scale=1.4,
    answer_shift=-0.7,
    informative_missingness=False,
)


def beta_from_uniforms(uniforms, a: int, b: int) -> tf.Tensor:
    """Exact Beta(a, b) draws for whole a and b: the b-th largest of n = a + b - 1 uniforms.

    The largest is U_1^(1/n), the next one U_2^(1/(n-1)) times that, and so on.

    Args:
        uniforms: [..., b] on (0, 1).

    Returns:
        [...].
    """
    powers = tf.constant([1.0 / (a + b - 1 - index) for index in range(b)])
    return tf.exp(tf.reduce_sum(powers * tf.math.log(uniforms), axis=-1))


def sample_people(
    seed, people: int, settings: WorldSettings | None = None, given: Mapping | None = None
) -> dict:
    """People from the prior.

    Args:
        seed: int32 [2].
        people: B.
        settings: shifts of the world; the fitted one when omitted.
        given: `theta` [B, P], on which the traits that follow from it depend, and any trait [B],
            taken as they are.

    Returns:
        dict of tensors [B] (or [B, ...]): theta [B, P] in the order of `PARAMETERS`; female and
        cycling (0 or 1); slot_effect [B, 4]; and the traits used by the simulator.
    """
    settings, given = settings or WorldSettings(), given or {}
    # One draw serves everything: XLA compiles many small random kernels slowly.
    unit = iter(tf.unstack(draws.uniform(seed, [_UNIFORMS, people])))

    def uniform(low=0.0, high=1.0):
        return low + (high - low) * next(unit)

    def normal(loc=0.0, scale=1.0):
        return loc + scale * tf.math.ndtri(next(unit))

    def take(count):
        return tf.stack([next(unit) for _ in range(count)], axis=1)

    def beta(a, b):
        return beta_from_uniforms(take(b), a, b)

    def flag(probability):
        return tf.cast(uniform() < probability, tf.float32)

    female = flag(0.85)
    cycling = female * flag(0.75)

    alpha = normal(-3.75 + settings.alpha_shift, 0.55)
    slab = tf.constant([[trigger.mean, trigger.sd] for trigger in TRIGGERS], tf.float32)
    effects = slab[:, 0] + slab[:, 1] * tf.math.ndtri(take(len(TRIGGERS)))
    has_trigger = tf.cast(take(len(TRIGGERS)) < settings.slab_probability, tf.float32)
    # A menstrual effect belongs to people with a cycle.
    is_menstrual = tf.constant([trigger.name == "menstrual" for trigger in TRIGGERS])
    has_trigger *= tf.where(is_menstrual, cycling[:, None], 1.0)
    effects *= settings.effect_scale * has_trigger
    beta_vulnerability = tf.abs(normal(0.6, 0.25))
    hrv_baseline = normal(3.4, 0.45)
    hrv_responder, feels_coming = flag(0.4), flag(0.4)
    hrv_stress = normal(-0.08, 0.04)

    theta = tf.concat(
        [
            alpha[:, None],
            effects,
            tf.stack(
                [beta_vulnerability, hrv_baseline, hrv_responder, feels_coming, hrv_stress], axis=1
            ),
        ],
        axis=1,
    )
    if "theta" in given:
        theta = tf.cast(given["theta"], tf.float32)
        hrv_baseline, feels_coming = (
            theta[:, PARAMETER_INDEX[name]] for name in ("hrv_baseline", "feels_coming")
        )
    sensitive = beta(8, 2)
    insensitive = 1.0 - beta(9, 1)
    drinks = 1.0 - flag(0.25)
    return {
        "theta": theta,
        "female": female,
        "cycling": cycling,
        # the attack process
        "slot_effect": tf.constant([-0.10, 0.45, 0.05, -0.40]) + 0.2 * tf.math.ndtri(take(4)),
        "median_hours": tf.exp(normal(math.log(18.0), 0.35)),
        "treats": beta(3, 2) / 2.0,
        "pain_level": normal(2.2, 0.5),
        "prodrome_sensitivity": tf.where(feels_coming > 0.5, sensitive, insensitive),
        "prodrome_false": tf.where(feels_coming > 0.5, 0.06, 0.12),
        # days: work, sleep, cycle, habits
        "first_weekday": tf.cast(uniform(0.0, 7.0), tf.int32),
        "stress_memory": uniform(0.3, 0.7),
        "stress_report": normal(4.0, 1.0),
        "busy_mean": uniform(0.5, 4.0),
        "sleep_mean": normal(7.2, 0.7),
        "sleep_sd": uniform(0.6, 1.3),
        "efficiency_mean": normal(0.89, 0.025),
        "cycle_length": normal(28.5, 1.5),
        "cycle_phase": uniform(),
        "drink_probability": drinks * uniform(0.05, 0.45),
        "drink_more": tf.exp(normal(math.log(1.2), 0.5)),
        "caffeine_mean": (1.0 - flag(0.15)) * tf.exp(normal(math.log(2.2), 0.5)),
        "meal_probability": 0.5 * (1.0 - beta(4, 1)),
        # what devices read
        "sdnn_baseline": 3.75 + 0.8 * (hrv_baseline - 3.4) + normal(0.0, 0.2),
        "resting_hr_mean": 62.0 - 6.0 * (hrv_baseline - 3.4) + normal(0.0, 6.0),
        "steps_mean": normal(8.75, 0.45),
        "screen_mean": normal(1.15, 0.4),
    } | {name: value for name, value in given.items() if name != "theta"}
