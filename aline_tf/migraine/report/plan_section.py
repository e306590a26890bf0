"""The plan for two weeks as a section of the report, and as plain text."""

from __future__ import annotations

from html import escape

from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.plan import Plan
from aline_tf.migraine.report import plan_wording

#: Options by themselves that plain text shows.
SHOWN = 12


def plan_section(plan: Plan, twins: int) -> str:
    """The body of the section, as HTML.

    Args:
        plan: of one person.
        twins: how many simulated people it rests on.
    """
    first, *parts = plan_wording.recommendation(plan)
    chosen = f"<p>{escape(first)}</p>" + _list(parts)
    rows = "".join(
        f"<tr><td>{escape(label)}</td><td>{escape(text)}</td></tr>"
        for label, text in plan_wording.alone(plan)
    )
    return (
        f"<p>{escape(plan_wording.basis(plan, twins))}</p>"
        f'<div class="card"><h3>Worth recording</h3>{chosen}</div>'
        f'<div class="card"><h3>When to be asked</h3>{_list(plan_wording.when(plan))}</div>'
        f'<div class="card"><h3>Each device</h3>{_list(plan_wording.devices(plan))}'
        "<details><summary>Each reading and question alone</summary>"
        f"<table>{rows}</table></details></div>\n"
    )


def plan_text(plan: Plan, twins: int) -> str:
    """The plan as plain text. Arguments as for `plan_section`."""
    first, *parts = plan_wording.recommendation(plan)
    lines = [plan_wording.basis(plan, twins), "", first, *(f"  {part}" for part in parts)]
    lines += ["", "When to be asked", *(f"  {line}" for line in plan_wording.when(plan))]
    lines += ["", "Each device", *(f"  {line}" for line in plan_wording.devices(plan))]
    lines += ["", "Each reading and question alone"]
    lines += [f"  {label}: {text}" for label, text in plan_wording.alone(plan)[:SHOWN]]
    lines += ["", wording.NOT_A_DEVICE]
    return "\n".join(lines)


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""
