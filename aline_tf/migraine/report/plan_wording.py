"""Wording of a plan for two weeks: what to record, when to be asked, and what each would add."""

from __future__ import annotations

from aline_tf.migraine.forecast.plan import Gain, Plan
from aline_tf.migraine.forecast.twins import AHEAD
from aline_tf.migraine.forecast.wording import burden
from aline_tf.migraine.schema.channels import SLOT_NAMES

#: A gain smaller than this many standard errors cannot be told from none.
CLEAR = 1.0
_HOURS = tuple(f"{6 * slot:02d}:00 to {6 * slot + 6:02d}:00" for slot in range(len(SLOT_NAMES)))
_DEVICES = {
    "look-up": "A weather record",
    "calendar": "A calendar",
    "cycle": "A record of cycles",
    "watch": "A watch or ring, with all its readings",
    "phone": "A phone: steps, screen time, a minute at the camera",
}


def gain_text(gain: Gain) -> str:
    """What a set adds, with its error: "+85.5 \u00b1 30.5 millinats, Brier score \u22120.0350"."""
    text = f"{1000 * gain.log_score:+.1f} \u00b1 {1000 * gain.error:.1f} millinats"
    text += f", Brier score {-gain.brier:+.4f}"
    return text.replace("-", "\u2212")


def is_clear(gain: Gain) -> bool:
    """Whether a gain can be told from none."""
    return gain.log_score > CLEAR * gain.error


def basis(plan: Plan, twins: int) -> str:
    """What the figures are, in two sentences."""
    log_score = f"{plan.log_score:.3f}".replace("-", "\u2212")
    return (
        f"Over the next {AHEAD} days, for {twins} simulated people with parameters that your"
        " records allow and records kept as yours were: the expected log score of the 24 h forecast"
        f" is {log_score} and its Brier score {plan.brier:.3f} when nothing more is recorded. Gains"
        " are per evening, with standard errors over these people; prompts that would stay"
        " unanswered are in them."
    )


def recommendation(plan: Plan) -> list[str]:
    """The recommended set, a sentence each: what it costs, what it adds, what each part adds."""
    chosen = plan.chosen
    if not chosen.options or not is_clear(chosen):
        return [
            f"Within {burden(plan.budget)} a day nothing is expected to add so much to the forecast"
            " that it could be told from none."
        ]
    lines = [
        f"Recommended within {burden(plan.budget)} a day ({burden(chosen.cost)} used):"
        f" {gain_text(chosen)}."
    ]
    lines += [
        f"{option.label}: {burden(option.cost)} a day; without it {gain_text(left)}."
        for option, left in zip(chosen.options, plan.without, strict=True)
    ]
    return lines


def devices(plan: Plan) -> list[str]:
    """What every device adds by itself."""
    return [
        f"{_DEVICES[name]}: {gain_text(gain)}, {burden(gain.cost)} a day."
        for name, gain in sorted(plan.devices.items(), key=lambda pair: -pair[1].log_score)
    ]


def when(plan: Plan) -> list[str]:
    """When to prompt: for every part of the day the question that adds most, and its answers."""
    lines = []
    for slot, gains in plan.by_slot().items():
        best = max(gains, key=lambda gain: gain.log_score)
        if not is_clear(best):
            lines.append(f"{_HOURS[slot]}: no question about it adds what could be told from none.")
            continue
        (option,) = best.options
        name = option.label.partition(", asked")[0].lower()
        lines.append(
            f"{_HOURS[slot]}: best asked about is {name}, {gain_text(best)};"
            f" {100 * best.answered:.0f}% of such prompts are answered."
        )
    return lines


def alone(plan: Plan) -> list[tuple[str, str]]:
    """Every option by itself, largest gain first: what it is, and what it adds for which burden."""
    return [
        (gain.options[0].label, f"{gain_text(gain)}, {burden(gain.cost)} a day")
        for gain in plan.alone
    ]
