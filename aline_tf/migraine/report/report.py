"""The report of a forecast: one HTML file that needs nothing else and reads well on a phone.

No script, no request to anywhere, no font of its own. Every text that came from an input is
escaped.
"""

from __future__ import annotations

from html import escape

from aline_tf import __version__
from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.outlook import Outlook
from aline_tf.migraine.forecast.triggers import TriggerPosterior
from aline_tf.migraine.forecast.unlikeness import LIMIT
from aline_tf.migraine.forecast.value_of_information import ValuedCandidate
from aline_tf.migraine.report import plots
from aline_tf.migraine.report.plan_section import plan_section
from aline_tf.migraine.report.style_sheet import STYLE

#: Ends of the scale of odds ratios, and where it is labelled.
_ODDS = (0.4, 6.0)
_ODDS_LABELS = (0.5, 1.0, 2.0, 4.0)
_BARS = 14
_MOVED = 6
#: Recorded days before their share with an attack is drawn.
_ENOUGH_DAYS = 28
#: Changes of the risk smaller than this are not worth a line.
_LEAST_CHANGE = 0.001


def render(outlook: Outlook) -> str:
    """The whole report as HTML."""
    now = outlook.history.now
    sections = (
        _summary(outlook),
        _risk_now(outlook),
        _what_moved_it(outlook),
        _next_questions(outlook),
        _plan(outlook),
        _over_time(outlook),
        _triggers(outlook),
        _what_if(outlook),
        _information(outlook),
        _what_was_read(outlook),
        _what_this_is_not(),
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Migraine forecast, {now.day} {now:%B %Y}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Migraine forecast</h1>
<p class="soft">Made for {now:%A}, {now.day} {now:%B %Y}, {now:%H:%M}, from what was known then.</p>
</header>
<main>
{"".join(sections)}
</main>
<footer class="soft">aline_tf {escape(__version__)}</footer>
</body>
</html>
"""


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>\n{body}</section>\n'


def _summary(outlook: Outlook) -> str:
    day, two_days = outlook.risks
    lines = [
        f"The risk of an attack is <strong>{wording.percent(day.probability)}</strong> within 24"
        f" hours and <strong>{wording.percent(two_days.probability)}</strong> within 48 hours."
    ]
    if counts := wording.diary(outlook):
        lines.append(escape(counts))
    own = [trigger for trigger in outlook.triggers if trigger.days_recorded]
    if own:
        lines.append(escape(wording.strongest_trigger(own, outlook.tells_of_triggers)))
    if outlook.next_candidates:
        best = outlook.next_candidates[0]
        lines.append(
            f"Most worth knowing next: {_lower(best.candidate.label)}."
            if best.value > 0
            else "Nothing that could be found out this evening is worth its burden."
        )
    body = "".join(f"<p>{line}</p>" for line in lines)
    notes = "".join(f"<p>{escape(note)}</p>" for note in wording.notes(outlook))
    caveats = f'<div class="card caution">{notes}</div>\n' if notes else ""
    return _section("summary", "Summary", f'{caveats}<div class="card">{body}</div>\n')


def _risk_now(outlook: Outlook) -> str:
    usual = outlook.attack_share if outlook.attack_days[1] >= _ENOUGH_DAYS else None
    cards = []
    for risk in outlook.risks:
        span = wording.percent_range(risk.low, risk.high)
        label = (
            f"Risk within {risk.hours} hours: {wording.percent(risk.probability)}, 90% interval"
            f" {span}, on a scale from 0 to 100%"
        )
        marks = plots.interval(risk.low, risk.high) + plots.dot(risk.probability)
        if risk.hours == 24 and usual is not None:
            marks += plots.tick(usual)
        cards.append(
            f'<div class="card"><h3>Within {risk.hours} hours</h3>'
            f'<p class="number">{wording.percent(risk.probability)}</p>'
            f'<p class="soft">90% interval {span}</p>{plots.track(label, marks)}'
            '<div class="ends"><span>0%</span><span>100%</span></div></div>'
        )
    explained = (
        '<p class="soft">The chance that an attack begins or goes on in the next calendar day (24'
        " hours) or the next two (48 hours). The interval says how far it depends on what is not"
        " yet known about you: the more is known, the narrower it gets."
        f"{_tick_explained(outlook, usual)}</p>"
    )
    return _section(
        "risk", "Risk now", f'<div class="pair">\n{"".join(cards)}</div>\n{explained}\n'
    )


def _tick_explained(outlook: Outlook, usual: float | None) -> str:
    if usual is None:
        return ""
    attacks, reported = outlook.attack_days
    return (
        " The thin line marks the share of days with an attack, of those of the last"
        f" {len(outlook.history.dates)} of which your diary tells ({attacks} of {reported})."
    )


def _what_moved_it(outlook: Outlook) -> str:
    shown = [c for c in outlook.attributions if abs(c.change) >= _LEAST_CHANGE][:_MOVED]
    if not shown:
        return ""
    top = max(abs(attribution.change) for attribution in shown)
    rows = []
    for attribution in shown:
        what, change = wording.observation(attribution), wording.points(attribution.change)
        chart = plots.signed_bar(f"{what}: {change}", attribution.change / top)
        rows.append(
            f'<div class="row"><div class="head"><h3>{escape(what)}</h3>'
            f'<span class="soft">{change}</span></div>{chart}</div>\n'
        )
    explained = (
        "<p>The observations of the last three days without which the 24 h risk would differ most."
        " To the right: they raise it. What is known from before sets the level they start from."
        "</p>"
    )
    return _section("moved", "What moved it", f'{explained}<div class="card">{"".join(rows)}</div>')


def _next_questions(outlook: Outlook) -> str:
    if not outlook.next_candidates:
        body = "<p>Everything that can be asked or read this evening is known already.</p>"
        return _section("next", "What to find out next", body)
    now = outlook.risks[0].probability
    items = []
    for valued in outlook.next_candidates:
        reason = escape(wording.reason(valued, now, outlook.history))
        items.append(
            f'<li class="card"><h3>{escape(valued.candidate.label)}</h3><p>{reason}</p>'
            f'<p class="soft">{_worth(valued)}</p></li>\n'
        )
    remark = ""
    if outlook.next_candidates[0].value <= 0:
        remark = f'<p class="soft">{escape(wording.nothing_worth_it(outlook.cost_weight))}</p>'
    return _section(
        "next", "What to find out next", f'{remark}<ol class="next">\n{"".join(items)}</ol>\n'
    )


def _plan(outlook: Outlook) -> str:
    if outlook.plan is None:
        return ""
    return _section("plan", "The next two weeks", plan_section(*outlook.plan))


def _worth(valued: ValuedCandidate) -> str:
    text = wording.worth(valued)
    return f"{text[0].upper()}{text[1:]} (number {valued.policy_rank} in the policy\u2019s order)"


def _over_time(outlook: Outlook) -> str:
    evenings = outlook.evenings
    if not evenings:
        return _section(
            "over-time",
            "Risk over time",
            "<p>There is no evening with records to look back on.</p>",
        )
    attacks = sum(evening.followed is True for evening in evenings)
    label = (
        f"Risk of an attack on each of {wording.counted(len(evenings), 'day')}, as given at 20:00"
        " the evening before,"
        f" from {wording.percent(min(e.risks[0].probability for e in evenings))} to"
        f" {wording.percent(max(e.risks[0].probability for e in evenings))};"
        f" {attacks or 'none'} of these days with a recorded attack"
    )
    drawings = "".join(
        f'<div class="{name}">{plots.risk_over_time(evenings, width, height, label)}</div>'
        for name, width, height in (("narrow", 340, 260), ("wide", 700, 300))
    )
    legend = (
        '<p class="legend"><span class="key-line">risk for that day, given at 20:00 the evening'
        ' before</span><span class="key-band">90% interval</span><span class="key-attack">attack'
        ' recorded</span><span class="key-none">no attack recorded</span></p>'
    )
    record = f"<p>{escape(wording.track_record(outlook.score))}</p>"
    caveat = (
        '<p class="soft">Each point uses only what was known that evening. Days without a mark are'
        " days of which no diary tells.</p>"
    )
    return _section(
        "over-time",
        "Risk over time",
        f'<div class="card">{drawings}{legend}</div>\n{record}\n{caveat}\n',
    )


def _triggers(outlook: Outlook) -> str:
    if not outlook.tells_of_triggers:
        # What a model makes of records that cannot tell is no finding about anybody.
        return _section("triggers", "Your triggers", f"<p>{escape(_told_of_triggers(outlook))}</p>")
    place = plots.log_scale(*_ODDS)
    rows = "".join(_trigger_row(trigger, place) for trigger in outlook.triggers)
    labels = "".join(
        f'<span style="left:{100 * place(odds):.2f}%">\u00d7 {odds:g}</span>'
        for odds in _ODDS_LABELS
    )
    explained = (
        "<p>How much each trigger multiplies the odds that an attack starts within six hours, if it"
        " is one of yours: the dot is the best guess, the thick line holds the truth with 90%"
        " probability, and the thin line at \u00d7 1 means no effect. Before anything is recorded,"
        f" {wording.trigger_yardstick()}: a share near that says that your records have not told"
        f" yet.</p><p>{escape(_told_of_triggers(outlook))}</p>"
    )
    caveat = (
        '<p class="soft">What goes before an attack need not cause it: an attack on its way can'
        " bring stress, hunger or restless nights of its own.</p>"
    )
    return _section(
        "triggers",
        "Your triggers",
        f'{explained}<div class="card">{rows}<div class="scale">{labels}</div></div>\n{caveat}\n',
    )


def _told_of_triggers(outlook: Outlook) -> str:
    own = [trigger for trigger in outlook.triggers if trigger.days_recorded]
    if not own:
        return wording.NO_TRIGGER_RECORDED
    return wording.strongest_trigger(own, outlook.tells_of_triggers)


def _what_if(outlook: Outlook) -> str:
    if not outlook.what_ifs:
        return ""
    now = outlook.risks[0].probability
    changes = [each.risk_24h - now for each in outlook.what_ifs]
    top = max(max(map(abs, changes)), _LEAST_CHANGE)
    rows = []
    for each, change in zip(outlook.what_ifs, changes, strict=True):
        what, moved = wording.supposition(each.supposition), wording.points(change)
        text = f"{wording.percent(each.risk_24h)} ({moved})"
        chart = plots.signed_bar(f"{what}: {text}", change / top)
        rows.append(
            f'<div class="row"><div class="head"><h3>{escape(what)}</h3>'
            f'<span class="soft">{text}</span></div>{chart}</div>\n'
        )
    explained = (
        f"<p>The 24 h risk, {wording.percent(now)} now, had one thing been otherwise and all else"
        " as recorded.</p>"
    )
    caveat = (
        '<p class="soft">What such days are followed by, not what changing them would do: the risk'
        " may move because an attack on its way changes the day.</p>"
    )
    return _section(
        "what-if", "What if", f'{explained}<div class="card">{"".join(rows)}</div>\n{caveat}\n'
    )


def _trigger_row(trigger: TriggerPosterior, place) -> str:
    title = wording.trigger_title(trigger.name)
    odds = (
        f"\u00d7 {trigger.odds_ratio:.2g} ({wording.odds(trigger.low)} to"
        f" {wording.odds(trigger.high)})"
    )
    known = (
        f"recorded on {wording.counted(trigger.days_recorded, 'day')}"
        if trigger.days_recorded
        else "nothing recorded: this is what holds of people in general"
    )
    label = (
        f"{title}: {wording.percent(trigger.probability)} likely to be one of yours; odds ratio if"
        f" it is {trigger.odds_ratio:.2g}, 90% interval {wording.odds(trigger.low)} to"
        f" {wording.odds(trigger.high)}"
    )
    marks = (
        plots.tick(place(1.0))
        + plots.interval(place(trigger.low), place(trigger.high))
        + plots.dot(place(trigger.odds_ratio))
    )
    faint = "" if trigger.days_recorded else " faint"
    return (
        f'<div class="row{faint}"><div class="head"><h3>{escape(title)}</h3><span>'
        f"{wording.percent(trigger.probability)} likely one of yours</span></div>"
        f"{plots.track(label, marks)}"
        f'<p class="soft">{odds} {escape(wording.trigger_unit(trigger.name))}; {known}.</p></div>\n'
    )


def _information(outlook: Outlook) -> str:
    if not outlook.valued_candidates:
        return ""
    top = max(max(q.gain, outlook.cost_weight * q.cost) for q in outlook.valued_candidates) or 1.0
    shown = sorted(outlook.valued_candidates, key=lambda valued: -valued.gain)
    rows = [_information_row(valued, top, outlook.cost_weight) for valued in shown]
    more = ""
    if len(rows) > _BARS:
        more = (
            f"<details><summary>{len(rows) - _BARS} more</summary>{''.join(rows[_BARS:])}</details>"
        )
    explained = (
        "<p>How much each answer is expected to tell about the next 48 hours (bar), and what it has"
        f" to tell to be worth its burden at {wording.millinats(outlook.cost_weight)} a prompt"
        " (outline).</p>"
    )
    legend = (
        '<p class="legend"><span class="key-gain">expected gain</span>'
        '<span class="key-cost">price of its burden</span></p>'
    )
    return _section(
        "information",
        "Information per question",
        f'{explained}<div class="card">{legend}{"".join(rows[:_BARS])}{more}</div>\n',
    )


def _information_row(valued: ValuedCandidate, top: float, cost_weight: float) -> str:
    gain, burden = wording.millinats(valued.gain), wording.burden(valued.cost)
    label = f"{valued.candidate.label}: expected gain {gain}, cost {burden}"
    chart = plots.bar(label, valued.gain / top, cost_weight * valued.cost / top)
    return (
        f'<div class="row"><div class="head"><h3>{escape(valued.candidate.label)}</h3>'
        f'<span class="soft">{gain} \u00b7 {burden} \u00b7 policy #{valued.policy_rank}</span>'
        f"</div>{chart}</div>\n"
    )


def _what_was_read(outlook: Outlook) -> str:
    summary = outlook.summary
    read = _table(summary.read)
    skipped = _table(summary.skipped) if summary.skipped else "<p>No record was left out.</p>"
    notes = "".join(
        f"<p>{escape(note[:1].upper() + note[1:].rstrip('.'))}.</p>" for note in summary.notes
    )
    body = (
        f"<p>{wording.records_read(outlook)}.{_how_like(outlook)}</p>"
        f'<div class="card"><h3>Read</h3>{read}</div>'
        f'<div class="card"><h3>Left out</h3>{skipped}{notes}</div>\n'
    )
    return _section("read", "What was read", body)


def _how_like(outlook: Outlook) -> str:
    found = outlook.unlikeness
    if not found.features:
        return (
            " Of nothing do they tell on so many days that it can be compared with the records of"
            " simulated people."
        )
    than = "more" if found.is_unlike else "no more"
    return (
        f" In {wording.counted(found.features, 'feature')} that can be compared, they differ from"
        f" those of simulated people by a distance of {found.distance:.2f}, {than} than the"
        f" {LIMIT:g} that 99% of those stay within."
    )


def _table(counts) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(name).replace('_', ' '))}</td><td>{count:,}</td></tr>"
        for name, count in sorted(counts.items())
    )
    return f"<table>{rows}</table>"


def _what_this_is_not() -> str:
    body = (
        f'<div class="card caution"><p>{wording.NOT_A_DEVICE}</p><p>{wording.RED_FLAGS}</p>'
        "<p>A risk is not an announcement: evenings with a raised risk pass without an attack,"
        " and attacks come after evenings with a low one. Do not start, stop or change any"
        " treatment because of this report; talk to a clinician.</p>"
        '<p class="soft">Everything was computed on this machine and nothing was sent'
        " anywhere.</p></div>\n"
    )
    return _section("safety", "What this is not", body)


def _lower(label: str) -> str:
    return escape(label[0].lower() + label[1:])
