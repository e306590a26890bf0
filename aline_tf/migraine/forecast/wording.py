"""Wording of a forecast: values with units, reasons, and what it is not. No TensorFlow.

Nothing here promises an attack, and nothing here advises on treatment.
"""

from __future__ import annotations

import math

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.forecast.backtest import ENOUGH_EVENINGS
from aline_tf.migraine.forecast.unlikeness import LIMIT, describe
from aline_tf.migraine.schema.candidates import Candidate
from aline_tf.migraine.schema.channels import CHANNEL, SPOT_READING, places
from aline_tf.migraine.simulation.population import WorldSettings

NOT_A_DEVICE = (
    "Research software, not a medical device: it does not diagnose, and it is no advice on"
    " treatment. It was trained on simulated people only."
)
RED_FLAGS = (
    "Seek urgent care for a sudden, severe (thunderclap) headache, a first or worst-ever headache,"
    " or a headache with weakness, numbness, confusion, fainting, fever, a stiff neck, or trouble"
    " speaking or seeing."
)

NO_TRIGGER_RECORDED = "Nothing is recorded that could tell of a trigger."
#: How far above its share among all people a trigger's probability has to be to be named first.
STANDS_OUT = 0.1
#: A change of a risk smaller than this may come of rounding alone, and is none.
LEAST_MOVE = 0.005
#: Days with records below which most of what is said holds of people in general.
FEW_DAYS = 14


def percent(probability: float) -> str:
    """A probability in whole per cent; never 0% or 100%, which no forecast can be."""
    if probability < 0.01:
        return "under 1%"
    if probability > 0.99:
        return "over 99%"
    return f"{100 * probability:.0f}%"


def percent_range(low: float, high: float) -> str:
    """An interval in per cent: "8% to 23%"; with a decimal where it would be empty without."""
    if percent(low) == percent(high) and 0.01 <= low <= high <= 0.99:
        return f"{100 * low:.1f}% to {100 * high:.1f}%"
    return f"{percent(low)} to {percent(high)}"


def millinats(nats: float) -> str:
    """Information with its unit: "3.2 millinats"."""
    return f"{1000 * nats:.1f} millinats"


def burden(cost: float) -> str:
    """A cost in words: "1 prompt", "0.05 prompts"."""
    return f"{cost:g} {'prompt' if cost == 1 else 'prompts'}"


def worth(valued) -> str:
    """What a data point gives and takes: "expected gain 3.2 millinats, cost 1 prompt"."""
    text = f"expected gain {millinats(valued.gain)}, cost {burden(valued.cost)}"
    return text if valued.value > 0 else f"{text}: less than its burden is worth"


def odds(ratio: float) -> str:
    """An odds ratio with two significant digits: "0.86", "1.3", "12"."""
    return f"{ratio:.2g}" if ratio < 100 else "over 99"


def value_text(channel: str, value: float) -> str:
    """A value as a person would say it: ("ln_sdnn", 3.8) is "45 ms"."""
    if CHANNEL[channel].kind == "binary":
        return "yes" if value > 0.5 else "no"
    return _FORMAT[channel](value)


def reason(valued, now: float, history) -> str:
    """Why a data point is worth acquiring, in one sentence.

    For a number, the two answers shown are those at the 10th and the 90th percentile of what the
    model expects.

    Args:
        valued: a `ValuedCandidate`.
        now: the present 24 h risk.
        history: the `DayHistory` it is asked about.
    """
    outcomes = valued.outcomes
    channel = valued.candidate.channel
    if CHANNEL[channel].kind == "binary":
        low, high, words = outcomes[0], outcomes[-1], ("if no", "if yes")
    else:
        reached = np.cumsum([outcome.probability for outcome in outcomes])
        low = outcomes[int(np.argmax(reached >= 0.1 - 1e-9))]
        high = outcomes[int(np.argmax(reached >= 0.9 - 1e-9))]
        words = tuple(f"at {value_text(channel, outcome.value)}" for outcome in (low, high))
    since = last_known(valued.candidate, history)
    before = percent(now)
    if not _moves(now, low.risk_24h) and not _moves(now, high.risk_24h):
        rare = any(_moves(now, outcome.risk_24h) for outcome in outcomes)
        which = "With most answers" if rare else "Whatever the answer"
        return f"{which}, the 24 h risk would stay near {before} ({since})."
    moved = f"the 24 h risk would {_move(now, high.risk_24h, 'from ' + before + ' ')}"
    if words[0] == words[1]:
        return f"{words[1][0].upper()}{words[1][1:]}, the likeliest answer, {moved} ({since})."
    first, second = f"{words[1]}, {moved}", f"{words[0]}, it would {_move(now, low.risk_24h)}"
    return f"{first[0].upper()}{first[1:]}; {second} ({since})."


def observation(attribution) -> str:
    """An observation of the last days and its value: "Stress today (8 out of 10)"."""
    channel, ago = attribution.channel, attribution.days_ago
    if channel == "menstrual_window":
        label = f"Menstrual window {('today', 'yesterday', 'two days ago')[ago]}"
    else:
        label = Candidate(channel, ago).label
    if attribution.highest is None:
        return f"{label} (not answered)"
    most = "up to " if channel in ("stress", "pain") else ""
    return f"{label} ({most}{value_text(channel, attribution.highest)})"


def risks(now, risks) -> str:
    """The risks of an evening, with their intervals, a line each."""
    lines = [f"Risk of an attack, at {now:%H:%M} on {now:%A}, {now.day} {now:%B %Y}"]
    lines += [
        f"  within {risk.hours} h: {percent(risk.probability)}"
        f"  (90% interval {percent_range(risk.low, risk.high)})"
        for risk in risks
    ]
    return "\n".join(lines)


def supposition(supposed) -> str:
    """What is supposed of a day: "Drinks yesterday: 6"."""
    label = Candidate(supposed.channel, supposed.days_ago).label
    return f"{label}: {value_text(supposed.channel, supposed.value)}"


def points(change: float) -> str:
    """A difference of probabilities: "+3.2 points"."""
    text = f"{100 * change:+.1f} points"
    return "0.0 points" if text[1:] == "0.0 points" else text.replace("-", "\u2212")


def last_known(candidate, history) -> str:
    """How long ago the channel was last known: "last read 5 days ago"."""
    known = (history.status[:, list(places(candidate.channel))] == OBSERVED).any(axis=1)
    verb = "answered" if candidate.is_prompt else "read"
    if not known.any():
        # Before these days it may have been.
        return f"not {verb} in the last {counted(len(known), 'day')}"
    ago = int(np.argmax(known[::-1]))
    return f"last {verb} {({0: 'today', 1: 'yesterday'}).get(ago, f'{ago} days ago')}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 day", "1,204 days"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def records_read(outlook) -> str:
    """How many records were read, and of how many days they tell: "42 records, telling of 58 of the
    last 112 days". A calendar tells of days without an appointment too."""
    return (
        f"{counted(sum(outlook.summary.read.values()), 'record')}, telling of"
        f" {outlook.days_recorded} of the last {counted(len(outlook.history.dates), 'day')}"
    )


def notes(outlook) -> list[str]:
    """What the reader should know before any number: sentences, possibly none."""
    found = list(outlook.remarks)
    days = len(outlook.history.dates)
    _, reported = outlook.attack_days
    if not outlook.days_recorded:
        return [
            *found,
            f"Nothing is recorded in the last {days} days: this is what holds of people in"
            " general.",
        ]
    if not reported:
        # Before anything else: no figure of this report rests on attacks of this person.
        found.insert(
            0,
            f"No diary tells of attacks in the last {days} days: how often you have them is not"
            " known, and the risk is what holds of people in general with such readings.",
        )
    elif outlook.attacks_alone:
        found.append(
            "The diary notes attacks alone: whether the days between were free of them is not"
            " known, and the risk may be too high or too low."
        )
    if outlook.unlikeness.is_unlike:
        found.append(unlike(outlook.unlikeness))
    if outlook.silent_days:
        found.append(
            f"The last record is {counted(outlook.silent_days, 'day')} old: nothing newer is known."
        )
    if outlook.days_recorded < FEW_DAYS:
        found.append(
            f"Only {counted(outlook.days_recorded, 'day')} with records: most of this is what holds"
            " of people in general, not yet of you."
        )
    if any(outlook.attacks_today):
        found.append("An attack is recorded today; one that lasts into tomorrow counts.")
    return found


def unlike(found) -> str:
    """That records are unlike any the model was taught, by how much, and in what."""
    value, low, high = (
        feature_text(found.feature, number) for number in (found.value, found.low, found.high)
    )
    return (
        "These records are unlike those of the simulated people that the model was taught with:"
        f" their distance is {found.distance:.2f}, that of 99% of those people at most {LIMIT:g}."
        f" The {describe(found.feature)} is {value}, among those people {low} to {high}. Trust the"
        " figures less."
    )


def feature_text(feature: str, value: float) -> str:
    """A feature's value as a person would say it: ("ln_sdnn, level", 3.8) is "45 ms"."""
    name, _, what = feature.partition(", ")
    if what == "run":
        return counted(round(value), "day")
    channel = CHANNEL[name]
    if channel.kind == "binary":
        return f"{100 * value:.0f}%"
    if what == "level":
        return value_text(name, value)
    unit = "points" if channel.unit == "0-10" else channel.unit
    return f"{value:.2g} {unit}".rstrip()


def diary(outlook) -> str | None:
    """What the diary says of attacks so far, as counts, and as a share where there is one.

    None where it tells of no day.
    """
    attacks, reported = outlook.attack_days
    if not reported:
        return None
    last = f"In the last {counted(len(outlook.history.dates), 'day')} the diary"
    if outlook.attacks_alone:
        return (
            f"{last} notes an attack on {counted(attacks, 'day')}, and tells of no day without"
            " one: no share follows from that."
        )
    sentence = f"{last} tells of {counted(reported, 'day')}"
    if reported == 1:
        sentence += ", with an attack" if attacks else ", without an attack"
    elif not attacks:
        sentence += ", none of them with an attack"
    elif attacks == reported:
        sentence += ", each of them with an attack"
    else:
        sentence += f"; {attacks} of {reported} had an attack"
    if outlook.attack_share is None:
        return f"{sentence}: too few for a share."
    if 0 < attacks < reported:
        return f"{sentence} ({percent(outlook.attack_share)})."
    return f"{sentence}."


def track_record(score) -> str:
    """How the 24 h forecasts did, or that this cannot be said yet, and why."""
    if score is None:
        return "None of these forecasts can be checked: no diary tells of the days after them."
    number = "One" if score.evenings == 1 else f"{score.evenings}"
    checked = f"{number} of these forecasts can be checked against the diary"
    without = score.evenings - score.attacks
    if score.evenings < ENOUGH_EVENINGS:
        return f"{checked} so far: too few to say how good they are."
    if not score.enough:
        return (
            f"{checked}; an attack followed {score.attacks} of them and none followed {without}:"
            " too few of one kind to say how good they are."
        )
    better = "below" if score.brier < score.base_brier else "not below"
    return (
        f"{checked}; an attack followed"
        f" {score.attacks} of them ({percent(score.attacks / score.evenings)}). Brier score"
        f" {score.brier:.3f} (0 is perfect), {better} the {score.base_brier:.3f} of saying"
        f" {percent(score.attacks / score.evenings)} every evening, a share known only afterwards."
        " So few evenings of one person cannot tell skill from luck."
    )


def nothing_worth_it(cost_weight: float) -> str:
    """When even the best question is not worth its burden."""
    weight = millinats(cost_weight)
    return f"Nothing is worth its burden this evening at {weight} a prompt; the best are:"


def trigger_title(name: str) -> str:
    """A trigger in two or three words: "Fall in stress"."""
    return _TRIGGERS[name][0]


def trigger_unit(name: str) -> str:
    """What its odds ratio is for: "for each cup less than the day before"."""
    return _TRIGGERS[name][1]


def _moves(now: float, risk: float) -> bool:
    """Whether a risk is another one: rounding apart, and by half a point at least."""
    return percent(now) != percent(risk) and abs(risk - now) >= LEAST_MOVE


def _move(now: float, risk: float, origin: str = "") -> str:
    if not _moves(now, risk):
        return f"stay near {percent(now)}"
    return f"{'rise' if risk > now else 'fall'} {origin}to {percent(risk)}"


_TRIGGERS = {
    "stress": ("Stress", "for each standard deviation of stress above usual"),
    "stress_fall": ("Fall in stress", "for each standard deviation below the day before"),
    "sleep_deviation": ("Unusual sleep length", "for each hour longer or shorter than usual"),
    "low_efficiency": ("Restless sleep", "for each standard deviation of efficiency below usual"),
    "pressure": ("Air pressure change", "for each 5.7 hPa of change since the day before"),
    "menstrual": ("Menstrual window", "on cycle day 1, plus or minus 2"),
    "caffeine_drop": ("Less caffeine", "for each cup less than the day before"),
    "alcohol": ("Alcohol", "after 5 drinks or more the day before"),
    "missed_meal": ("Missed meal", "on a day with a missed meal"),
}


def _signed(value: float, unit: str, digits: int) -> str:
    return f"{value:+.{digits}f} {unit}".replace("-", "\u2212")


_FORMAT = {
    "pressure_change": lambda v: _signed(v, "hPa", 0),
    "busy_hours": lambda v: f"{max(v, 0.0):.1f} busy hours",
    "ln_rmssd": lambda v: f"{math.exp(v):.0f} ms",
    "ln_sdnn": lambda v: f"{math.exp(v):.0f} ms",
    SPOT_READING: lambda v: f"{math.exp(v):.0f} ms",
    "resting_hr": lambda v: f"{v:.0f} bpm",
    "sleep_hours": lambda v: f"{v:.1f} h of sleep",
    "sleep_efficiency": lambda v: f"{100 * min(v, 1.0):.0f}%",
    "skin_temperature": lambda v: _signed(v, "\u00b0C", 1),
    "ln_steps": lambda v: f"{round(math.exp(v), -2):,.0f} steps",
    "ln_screen_time": lambda v: f"{math.exp(v):.1f} h",
    "alcohol": lambda v: f"{v:.0f} {'drink' if round(v) == 1 else 'drinks'}",
    "caffeine": lambda v: f"{v:.0f} {'cup' if round(v) == 1 else 'cups'}",
    "stress": lambda v: f"{v:.0f} out of 10",
    "pain": lambda v: f"{v:.0f} out of 10",
}


def trigger_yardstick() -> str:
    """What a trigger's probability is to be compared with: its share among all people."""
    return (
        f"of all people, {percent(WorldSettings().slab_probability)} have any one of them, of those"
        " with a cycle where it is the menstrual window"
    )


def strongest_trigger(triggers, evidence: bool = True) -> str:
    """The strongest of the triggers that stand out from what holds of people in general.

    Args:
        triggers: those with records, strongest first.
        evidence: whether there are days enough with attacks and without, to tell anything by.
    """
    if not evidence:
        return (
            "No trigger can be told from your records yet: that takes days with attacks and days"
            " without, side by side."
        )
    if found := outstanding(triggers):
        title = trigger_title(found[0].name).lower()
        return f"Strongest trigger: {title} ({percent(found[0].probability)} likely to be yours)."
    return "No trigger stands out from your records yet."


def outstanding(triggers) -> list:
    """Triggers more likely than not a person's own, and likelier by what was recorded than they
    are of anybody; in the order given."""
    usual = WorldSettings().slab_probability
    return [
        trigger
        for trigger in triggers
        if trigger.days_recorded >= FEW_DAYS
        and trigger.probability >= max(0.5, usual + STANDS_OUT, trigger.usual + STANDS_OUT)
    ]
