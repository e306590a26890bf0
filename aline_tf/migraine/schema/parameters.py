"""Parameters of one person: base rate, trigger effects, vulnerability, physiology; with priors.

    theta = (alpha, beta_1 .. beta_9, beta_V, HRV baseline, HRV responder, feels coming, HRV slope)

A trigger has an effect in some people and none in the others: a spike at 0 and a slab. No
TensorFlow here.
"""

from __future__ import annotations

import dataclasses

from aline_tf.spec import Parameter


@dataclasses.dataclass(frozen=True)
class Trigger:
    """One input of the onset hazard and the slab of its effect over people.

    Attributes:
        name: the parameter is "beta_" + name.
        mean, sd: of the effect on the logit hazard per slot, among people who have the trigger.
        unit, description: one unit of the input, and what it is, for people.

    Example:
        >>> from aline_tf.migraine.schema import TRIGGERS
        >>> [trigger.name for trigger in TRIGGERS[:3]]
        ['stress', 'stress_fall', 'sleep_deviation']
    """

    name: str
    mean: float
    sd: float
    unit: str
    description: str


TRIGGERS = (
    Trigger("stress", 0.12, 0.25, "SD of stress", "stress"),
    Trigger("stress_fall", 0.25, 0.25, "SD of stress", "a fall in stress since yesterday"),
    Trigger("sleep_deviation", 0.12, 0.20, "h", "sleep longer or shorter than usual"),
    Trigger("low_efficiency", 0.18, 0.20, "SD of efficiency", "restless sleep the night before"),
    Trigger("pressure", 0.05, 0.25, "5.7 hPa", "a change of air pressure"),
    Trigger("menstrual", 0.55, 0.50, "in the window", "the days around menstruation"),
    Trigger("caffeine_drop", 0.12, 0.20, "cups", "less caffeine than yesterday"),
    Trigger("alcohol", 0.60, 0.40, "5 drinks or more", "5 drinks or more the day before"),
    Trigger("missed_meal", 0.35, 0.35, "a meal", "a missed meal"),
)

PARAMETERS = (
    Parameter(
        "alpha",
        "real",
        loc=-3.75,
        scale=0.55,
        unit="logit per slot",
        description="how easily an attack starts when nothing else is going on",
    ),
    *(
        Parameter(
            f"beta_{trigger.name}",
            "spike_slab",
            loc=trigger.mean,
            scale=trigger.sd,
            unit=f"logit per {trigger.unit}",
            description=f"effect of {trigger.description}",
        )
        for trigger in TRIGGERS
    ),
    Parameter(
        "beta_vulnerability",
        "real",
        loc=0.6,
        scale=0.25,
        unit="logit per SD",
        description="effect of hidden, slowly changing vulnerability",
    ),
    Parameter(
        "hrv_baseline",
        "real",
        loc=3.4,
        scale=0.45,
        unit="ln ms",
        description="usual nightly heart rate variability (RMSSD)",
    ),
    Parameter("hrv_responder", "binary", description="heart rate variability falls before attacks"),
    Parameter("feels_coming", "binary", description="feels attacks coming"),
    Parameter(
        "hrv_stress",
        "real",
        loc=-0.08,
        scale=0.04,
        unit="ln ms per SD of stress",
        description="how heart rate variability follows stress",
    ),
)
PARAMETER_INDEX = {parameter.name: index for index, parameter in enumerate(PARAMETERS)}
