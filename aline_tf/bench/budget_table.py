"""Equal budgets: which recipe learns how much, seed by seed. The parent's side; no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

from aline_tf.bench import isolation
from aline_tf.bench.planning import StepCosts, planned
from aline_tf.bench.speed import aligned
from aline_tf.evaluation.bars import Bar
from aline_tf.experiments.lookup import experiment_by_name
from aline_tf.training.recipe import Recipe

_THREADS = 1


#: The budget that the bars were set for.
BAR_SECONDS = 440


def bar_of(task: str, metric: str, target: str) -> Bar | None:
    """What the figure is held against, if anything."""
    return experiment_by_name(task).bars.get((metric, target))


@dataclasses.dataclass(frozen=True)
class Trained:
    """One training run and its figures.

    Attributes:
        task, rule, seed: which; `rule` names the recipe among others.
        recipe: as planned; its steps are the whole schedule.
        cpu_seconds, steps: what was used of the budget, and how far it went.
        rows: figures, each with target, step, metric, mean, ci95, n.

    Example:
        >>> from aline_tf.bench.budget_table import Trained
        >>> Trained("ces", "shipped", 0, {}, cpu_seconds=440.0, steps=100, rows=[]).seed
        0
    """

    task: str
    rule: str
    seed: int
    recipe: dict
    cpu_seconds: float
    steps: int
    rows: list[dict]


def train_all(
    task: str,
    recipes: Mapping[str, Recipe],
    sizes: dict,
    seconds: float,
    seeds: Sequence[int],
    runs: int,
    report: Callable[[str], None] = lambda line: None,
) -> Iterable[Trained]:
    """One training run after another: every recipe with every seed.

    Args:
        task: its name.
        recipes: by name; a recipe that cannot train the task is reported and left out.
        sizes: of the model.
        seconds: the budget of each run.
        seeds: of the runs.
        runs: simulated runs of each figure.

    Raises:
        InputError: the budget does not pay for a step of each phase.
    """
    candidates = experiment_by_name(task).budget_candidates
    for rule, recipe in recipes.items():
        settings = {"task": task, "sizes": sizes}
        costs = isolation.measure("plan", _THREADS, recipe=recipe.to_dict(), **settings)
        if "refused" in costs:
            report(f"{task}, {rule}: left out. {costs['refused']}")
            continue
        costs.pop("peak_bytes")
        fitted = planned(recipe, StepCosts(**costs), seconds).to_dict()
        for seed in seeds:
            report(
                f"{task}, {rule}, seed {seed}: {fitted['phases']['warmup_steps']} warm-up and "
                f"{fitted['phases']['joint_steps']} joint steps"
            )
            settings |= {"recipe": fitted, "seed": seed, "seconds": seconds}
            found = isolation.measure(
                "budget", _THREADS, runs=runs, candidates=candidates, **settings
            )
            kept = {name: found[name] for name in ("cpu_seconds", "steps", "rows")}
            yield Trained(task, rule, seed, fitted, **kept)


def format_trained(trained: Sequence[Trained], seconds: float, marks: Mapping[str, str]) -> str:
    """A table: one line for each task, recipe and figure; one column for each seed.

    Args:
        seconds: the budget; bars are shown where it is the one they were set for.
        marks: remarks on recipes, by name.
    """
    seeds = sorted({run.seed for run in trained})
    lines: dict[tuple, dict[int, tuple[dict, Trained]]] = {}
    for run in trained:
        for row in run.rows:
            key = (run.task, run.rule, row["metric"], row["target"], row["step"])
            lines.setdefault(key, {})[run.seed] = (row, run)
    header = ["task", "recipe", "figure", "step", *(f"seed {seed}" for seed in seeds)]
    header += ["mean", "CPU s", "schedule", "bar", "aim", "", "PyTorch"]
    body = [
        [key[0], key[1] + marks.get(key[1], ""), f"{key[2]} {key[3]}", str(key[4])]
        + [_seed_cell(cells.get(seed)) for seed in seeds]
        + _summary(key, list(cells.values()), seconds)
        for key, cells in lines.items()
    ]
    return aligned(header, body)


def _seed_cell(cell) -> str:
    return "" if cell is None else f"{cell[0]['mean']:.3f} +- {cell[0]['ci95']:.3f}"


def _summary(key, cells, seconds) -> list[str]:
    mean = sum(row["mean"] for row, _ in cells) / len(cells)
    used = max(run.cpu_seconds for _, run in cells)
    whole = min(run.steps / Recipe.from_dict(run.recipe).steps for _, run in cells)
    figures = [f"{mean:.3f}", f"{used:.0f}", f"{100 * whole:.0f}%"]
    bar = bar_of(key[0], key[2], key[3])
    if bar is None or seconds != BAR_SECONDS:
        return [*figures, "", "", "", ""]
    verdict = "met" if bar.met(mean) else "missed"
    return [*figures, f"{bar.bar:g}", f"{bar.aim:g}", verdict, f"{bar.other:g}"]


def trained_dicts(trained: Sequence[Trained]) -> list[dict]:
    """One dict for each figure of each run, flat."""
    return [
        {
            "task": run.task,
            "rule": run.rule,
            "seed": run.seed,
            **row,
            "cpu_seconds": run.cpu_seconds,
            "steps": run.steps,
            "recipe": run.recipe,
        }
        for run in trained
        for row in run.rows
    ]
