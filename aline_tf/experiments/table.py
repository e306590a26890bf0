"""A model against baselines on simulated runs, as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Evaluation, Settings, check_plots
from aline_tf.experiments.lookup import experiment_of

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    model=None,
    task=None,
    policies: Sequence[str] | str | None = ("learned", "random"),
    runs: int | None = None,
    candidates: int | None = None,
    steps: Sequence[int] | None = None,
    seed: int = 0,
    plots: str | Path | None = None,
    *,
    report: Callable[[str], None] = lambda line: None,
    **settings,
) -> pd.DataFrame:
    """Measures policies on simulated runs of a task.

    Args:
        model: an `ALINE` model, or the name or directory of its preset; None is the packaged model
            of the task.
        task: a name, `package.module:ClassName` or a `Task`; None is the model's own.
        policies: names; None takes those that `aline-tf eval` takes.
        runs: R, 1 or more; None is the experiment's default.
        candidates: N, designs to choose from, at least as many as steps.
        steps: numbers of outcomes after which figures are reported; None is the experiment's few.
        seed: of the runs, 0 or more; equal seeds give every model and policy the same runs.
        plots: directory to draw figures into, as PNG and SVG; they need every step, so the table
            has every step too unless `steps` says otherwise.
        report: called with a line whenever a part is done.
        **settings: others of `Settings`: contrastive, targets, functions, pool, switch, joint.

    Returns:
        pandas DataFrame with columns policy, target, step, metric, mean, ci95 (half-width of the
        95% interval of the mean over n runs; NaN where there is none) and n.

    Raises:
        InputError: something cannot be used; nothing has been computed or written.

    >>> import aline_tf
    >>> table = aline_tf.evaluate(None, "location_finding", policies="random", runs=2,
    ...                           candidates=30, steps=[30], contrastive=100)
    >>> sorted(set(table["metric"]))[:3]
    ['coverage_90', 'log_prob', 'rmse']
    """
    unknown = [name for name in settings if name not in Settings.__dataclass_fields__]
    if unknown:
        raise InputError(
            f"expected settings among {', '.join(Settings.__dataclass_fields__)}; received "
            f"{unknown[0]!r}"
        )
    check_plots(plots)
    if task is None:
        task = _task_of(model)
    experiment = experiment_of(task)
    # Checked beside the others, and kept where figures need every step.
    steps = Settings(steps=steps).steps
    chosen = Settings(
        policies=policies,
        model=model,
        runs=runs,
        candidates=candidates,
        steps=steps if plots is None else None,
        every_step=plots is not None,
        seed=seed,
        **settings,
    )
    measured: Evaluation = experiment.evaluate(chosen, report)
    if plots is not None:
        experiment.draw(plots, measured)
    frame = measured.frame()
    return frame if steps is None else frame[frame["step"].isin(steps)].reset_index(drop=True)


def _task_of(model):
    """The name of the task that a model is of."""
    from aline_tf.tasks.registry import TASKS

    if isinstance(model, str) and model in TASKS:
        return model
    name = getattr(getattr(model, "spec", None), "name", None)
    if name in TASKS:
        return name
    received = "none" if model is None else f"a model of {name!r}" if name else repr(str(model))
    raise InputError(
        f"expected a task: a name among {', '.join(TASKS)}, package.module:ClassName or a Task; "
        f"received {received}"
    )
