"""Tables of the evaluation as text: forecasts, subgroups, parameters, burden, prompting."""

from __future__ import annotations

import math

from aline_tf.evaluation.results import format_table

#: Shown beside the table. Other people, other records: no figure here is a target for another.
PUBLISHED = (
    ("diary regression, next day", "AUC .65, Brier .202 (base rate .237)", "Houle 2017, 95 people"),
    ("within-person, onsets", "AUC .56 (.54 to .58)", "Holsteen 2020, 178 people"),
    ("wearable and app, random forest", "AUC .62", "Stubberud 2023, 18 people"),
)
ORACLES = """\
particle filter: knows how the simulator works, learns each person from the same records.
told filter: the known-parameter filter, which is given every parameter of the person."""


def beside_the_tables() -> str:
    """Published figures on real people, and what the oracle filters know."""
    lines = ["Published, on real people (other records, other people: not the same test)"]
    lines += [f"  {what}: {figure} ({source})" for what, figure, source in PUBLISHED]
    return "\n".join([*lines, ORACLES])


def tables(measured: list) -> str:
    """The rows as tables: forecasts, subgroups (24 h only), parameters, burden, prompting."""
    forecasts = [row for row in measured if row.target in ("attack_24h", "attack_48h")]
    groups = [row for row in measured if row.target.startswith("attack_24h | ")]
    burden = [row for row in measured if row.target.startswith("burden")]
    prompting = [row for row in measured if row.target.startswith("prompting")]
    others = ("attack_", "burden", "prompting")
    parameters = [row for row in measured if not row.target.startswith(others)]
    parts = [
        f"Forecasts at 20:00\n{side_by_side(forecasts)}",
        "Subgroups; the Brier skill is against the share of events in the group itself\n"
        + by_metric(groups),
        f"Parameters\n{side_by_side(parameters)}",
    ]
    if burden:
        title = "Burden: log_prob of what followed, after each acquisition"
        parts.append(f"{title}\n{format_table(burden)}")
    if prompting:
        title = "Prompting: weeks of so many prompts every evening"
        parts.append(f"{title}\n{format_table(prompting)}")
    return "\n\n".join(parts)


def side_by_side(rows: list) -> str:
    """A table: one line for each target and metric, one column for each policy."""
    policies = list(dict.fromkeys(row.policy for row in rows))
    cells = {(row.target, row.metric, row.policy): row for row in rows}
    lines = [["target", "metric", *policies]]
    for target, metric in dict.fromkeys((row.target, row.metric) for row in rows):
        found = (cells.get((target, metric, policy)) for policy in policies)
        lines.append([target, metric, *map(_cell, found)])
    return _aligned(lines)


def by_metric(rows: list) -> str:
    """A table: one line for each target, one column for each metric, and the number of people."""
    metrics = list(dict.fromkeys(row.metric for row in rows))
    cells = {(row.target, row.metric): row for row in rows}
    lines = [["target", "people", *metrics]]
    for target in dict.fromkeys(row.target for row in rows):
        found = [cells.get((target, metric)) for metric in metrics]
        people = max(row.n for row in found if row is not None)
        lines.append([target, str(people), *map(_cell, found)])
    return _aligned(lines)


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [lines[0], ["-" * width for width in widths], *lines[1:]]
    )


def _cell(row) -> str:
    if row is None or not math.isfinite(row.mean):
        return "-"
    # Without an interval when there is none, or when it has no width (a constant).
    spread = f" +- {row.ci95:.3f}" if math.isfinite(row.ci95) and row.ci95 > 0 else ""
    return f"{row.mean:.3f}{spread}"
