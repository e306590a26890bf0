"""The forecast as plain text for a terminal: risks, triggers, what-ifs, what to find out next."""

from __future__ import annotations

from aline_tf.migraine.forecast import wording
from aline_tf.migraine.report import plan_wording

SHOWN_TRIGGERS = 4
SHOWN_OBSERVATIONS = 3


def console_text(outlook, supposed=()) -> str:
    """An outlook in plain text.

    Args:
        outlook: an `aline_tf.migraine.forecast.Outlook`.
        supposed: the suppositions made by hand, whose what-ifs are shown.
    """
    summary = outlook.summary
    lines = [
        *wording.notes(outlook),
        f"Read {wording.records_read(outlook)}.",
        *filter(None, (wording.diary(outlook),)),
    ]
    if summary.skipped:
        lines.append(f"Skipped {sum(summary.skipped.values()):,}; the report says why.")
    lines += ["", wording.risks(outlook.history.now, outlook.risks)]
    moved = [c for c in outlook.attributions if abs(c.change) >= 0.005][:SHOWN_OBSERVATIONS]
    if moved:
        observations = [f"{wording.observation(c)} {wording.points(c.change)}" for c in moved]
        lines.append(f"  moved most by: {'; '.join(observations)}")
    own = [trigger for trigger in outlook.triggers if trigger.days_recorded]
    evident = own and outlook.tells_of_triggers
    lines += [
        "",
        "Triggers (odds of an attack starting, if it is one of yours;"
        f" {wording.trigger_yardstick()})"
        if evident
        else "Triggers",
        f"  {wording.strongest_trigger(own, outlook.tells_of_triggers)}"
        if own
        else f"  {wording.NO_TRIGGER_RECORDED}",
    ]
    for trigger in own[:SHOWN_TRIGGERS] if evident else ():
        lines.append(
            f"  {wording.trigger_title(trigger.name)}: {wording.percent(trigger.probability)}"
            f" likely one of yours, x {wording.odds(trigger.odds_ratio)} (90% interval"
            f" {wording.odds(trigger.low)} to {wording.odds(trigger.high)})"
            f" {wording.trigger_unit(trigger.name)}"
        )
    shown = [each for each in outlook.what_ifs if each.supposition in supposed]
    if supposed:
        lines += ["", "What if"]
        lines += [f"  {_supposed_text(each, outlook.risks)}" for each in shown]
        if len(shown) < len(supposed):
            lines.append("  What is recorded already, or lies before the records, is left out.")
    lines += ["", "Most worth finding out next"]
    if not outlook.next_candidates:
        lines.append("  Everything that can be asked or read this evening is known already.")
    elif outlook.next_candidates[0].value <= 0:
        lines.append(f"  {wording.nothing_worth_it(outlook.cost_weight)}")
    for place, valued in enumerate(outlook.next_candidates, 1):
        lines.append(f"  {place}. {valued.candidate.label}: {wording.worth(valued)}")
        reason = wording.reason(valued, outlook.risks[0].probability, outlook.history)
        lines.append(f"     {reason}")
    if outlook.plan is not None:
        lines += ["", *plan_wording.recommendation(outlook.plan[0])]
    lines += ["", wording.NOT_A_DEVICE, wording.RED_FLAGS]
    return "\n".join(lines)


def _supposed_text(each, risks) -> str:
    pairs = ((24, each.risk_24h), (48, each.risk_48h))
    moves = [
        f"{hours} h {wording.percent(risk.probability)} -> {wording.percent(supposed)}"
        for (hours, supposed), risk in zip(pairs, risks, strict=True)
    ]
    return f"{wording.supposition(each.supposition)}: {', '.join(moves)}"
