"""The channels of a migraine diary: what a day can hold, and what can be asked or forecast.

One context token is one day. It carries F typed, masked fields: daily passive readings, daily
self-reports, and self-reports for each of four six-hour slots (0 is 00-06, 3 is 18-24, local time).
A nightly value belongs to the day of waking. No TensorFlow here: importers read this too.

`CHANNELS` are the things one can measure; `FIELDS` are their places in a token (a slot channel has
four); `OUTCOMES` are what a predictive target can be. Costs are in units of one prompt and assumed.
"""

from __future__ import annotations

import dataclasses

from aline_tf.spec import Channel

SLOTS = 4
SLOT_NAMES = ("night", "morning", "afternoon", "evening")

#: Read by a device or looked up: one value a day, obtainable for any past day.
PASSIVE = (
    Channel(
        "pressure_change",
        loc=0.0,
        scale=5.7,
        unit="hPa",
        cost=0.02,
        description="mean air pressure against the day before",
    ),
    Channel(
        "busy_hours",
        loc=2.5,
        scale=2.0,
        unit="h",
        cost=0.02,
        description="hours taken by calendar appointments",
    ),
    Channel(
        "menstrual_window",
        "binary",
        loc=0.5,
        scale=0.5,
        cost=0.02,
        description="cycle day 1, plus or minus 2",
    ),
    Channel(
        "ln_rmssd",
        loc=3.4,
        scale=0.5,
        unit="ln ms",
        cost=0.05,
        description="nightly heart rate variability, RMSSD",
    ),
    Channel(
        "ln_sdnn",
        loc=3.75,
        scale=0.5,
        unit="ln ms",
        cost=0.05,
        description="heart rate variability of the day, SDNN",
    ),
    Channel(
        "resting_hr",
        loc=62.0,
        scale=8.0,
        unit="bpm",
        cost=0.05,
        description="resting heart rate",
    ),
    Channel(
        "sleep_hours",
        loc=7.2,
        scale=1.2,
        unit="h",
        cost=0.05,
        description="sleep of the night that ended this day",
    ),
    Channel(
        "sleep_efficiency",
        loc=0.89,
        scale=0.06,
        unit="fraction",
        cost=0.05,
        description="share of the time in bed spent asleep",
    ),
    Channel(
        "skin_temperature",
        loc=0.0,
        scale=0.3,
        unit="C",
        cost=0.05,
        description="nightly skin temperature against the person's own mean",
    ),
    Channel("ln_steps", loc=8.7, scale=0.7, unit="ln steps", cost=0.05, description="steps"),
    Channel(
        "ln_screen_time",
        loc=1.1,
        scale=0.6,
        unit="ln h",
        cost=0.05,
        description="time in front of a screen",
    ),
)

#: A reading that a person has to take part in: a minute with a finger on the phone's camera.
SPOT_READING = "ln_rmssd_spot"

#: Asked once for a whole day, or measured at once when asked for.
DAILY_REPORTS = (
    Channel(
        "alcohol",
        "ordered",
        levels=9,
        loc=1.0,
        scale=1.6,
        unit="drinks",
        description="drinks that day; 8 stands for 8 or more",
    ),
    Channel(
        "caffeine",
        "ordered",
        levels=9,
        loc=2.0,
        scale=1.6,
        unit="cups",
        description="cups of coffee or the like; 8 stands for 8 or more",
    ),
    Channel("missed_meal", "binary", loc=0.5, scale=0.5, description="a meal was skipped"),
    Channel(
        SPOT_READING,
        loc=3.4,
        scale=0.5,
        unit="ln ms",
        cost=0.3,
        description="heart rate variability (RMSSD) of one minute of rest in the evening",
    ),
)

#: Asked for one six-hour slot.
SLOT_REPORTS = (
    Channel(
        "stress",
        "ordered",
        levels=11,
        loc=4.0,
        scale=2.5,
        unit="0-10",
        description="how stressed, 0 to 10",
    ),
    Channel(
        "pain",
        "ordered",
        levels=11,
        loc=1.0,
        scale=2.5,
        unit="0-10",
        description="worst head pain, 0 to 10",
    ),
    Channel(
        "attack",
        "binary",
        loc=0.5,
        scale=0.5,
        description="a migraine attack at any time in the slot",
    ),
    Channel(
        "prodrome",
        "binary",
        loc=0.5,
        scale=0.5,
        description="warning signs that an attack may be coming",
    ),
    Channel("medication", "binary", loc=0.5, scale=0.5, description="acute medication taken"),
)

CHANNELS = PASSIVE + DAILY_REPORTS + SLOT_REPORTS
CHANNEL = {channel.name: channel for channel in CHANNELS}


def field_name(channel: str, slot: int | None = None) -> str:
    """The name of a channel's place in a day: "stress" in slot 2 is "stress_2".

    Args:
        channel: its name.
        slot: 0 to 3; None for a channel of whole days.
    """
    return channel if slot is None else f"{channel}_{slot}"


#: The F fields of a day token, in order.
FIELDS = (
    PASSIVE
    + DAILY_REPORTS
    + tuple(
        dataclasses.replace(
            channel,
            name=field_name(channel.name, slot),
            description=f"{channel.description} ({SLOT_NAMES[slot]})",
        )
        for channel in SLOT_REPORTS
        for slot in range(SLOTS)
    )
)
FIELD_NAMES = tuple(field.name for field in FIELDS)
FIELD_INDEX = {name: index for index, name in enumerate(FIELD_NAMES)}
COSTS = tuple(field.cost for field in FIELDS)

#: What a forecast is about. The slot under way does not count.
FORECASTS = (
    Channel(
        "attack_24h",
        "binary",
        cost=0.0,
        description="an attack in any of the 4 slots after the present one",
    ),
    Channel(
        "attack_48h",
        "binary",
        cost=0.0,
        description="an attack in any of the 8 slots after the present one",
    ),
)
#: What a predictive target can be; the last columns of a design are the one-hot code of these.
OUTCOMES = FORECASTS + CHANNELS
OUTCOME_INDEX = {channel.name: index for index, channel in enumerate(OUTCOMES)}

PASSIVE_NAMES = tuple(channel.name for channel in PASSIVE)
DAILY_REPORT_NAMES = tuple(channel.name for channel in DAILY_REPORTS)
SLOT_REPORT_NAMES = tuple(channel.name for channel in SLOT_REPORTS)

# Today's totals are not complete in the evening: they become known tomorrow.
END_OF_DAY_NAMES = ("alcohol", "ln_steps", "ln_screen_time")
#: What a wearable gives, as opposed to a phone, a calendar or a person.
WEARABLE_NAMES = (
    "ln_rmssd",
    "ln_sdnn",
    "resting_hr",
    "sleep_hours",
    "sleep_efficiency",
    "skin_temperature",
)


def places(channel: str) -> tuple[int, ...]:
    """Field indices of a channel: one for a daily channel, four for a slot channel.

    Raises:
        KeyError: no such channel.
    """
    if channel in SLOT_REPORT_NAMES:
        return tuple(FIELD_INDEX[field_name(channel, slot)] for slot in range(SLOTS))
    return (FIELD_INDEX[channel],)


#: The first field of every channel of `CHANNELS`, and whether it has one for each slot.
FIELD_OF_CHANNEL = tuple(places(channel.name)[0] for channel in CHANNELS)
HAS_SLOTS = tuple(channel.name in SLOT_REPORT_NAMES for channel in CHANNELS)
