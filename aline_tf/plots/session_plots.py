"""Plots of a session: the posterior now and on the way, the predicted curve, the queries.

A session is whatever has the attributes of `aline_tf.Session`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aline_tf.errors import InputError
from aline_tf.plots.style import MODEL, OBSERVED, TRUTH, axes_or_new


def posterior(session, names=None, ax=None):
    """Quantiles of each marginal: the line from 5 to 95%, thick from 25 to 75%, a dot at the
    median, in units of the prior's range or scale.

    Args:
        session: a `Session`.
        names: of the parameters, from top to bottom; the targets when None.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: a parameter that the task does not have.
    """
    names = _parameters(session, names)
    ax = axes_or_new(ax)
    found = session.posterior()
    # The prior's range in the units that the posterior has now.
    now = session.parameter_units.spec(session.model.spec)
    parameters = {parameter.name: parameter for parameter in now.parameters}
    for row, name in enumerate(names):
        parameter = parameters[name]
        low, width = parameter.loc, parameter.scale
        if parameter.kind == "interval":
            low, width = parameter.low, parameter.high - parameter.low
        unit = (np.array(found[name].quantiles) - low) / width
        ax.plot(unit[[0, -1]], [row, row], color=MODEL, lw=1)
        ax.plot(unit[[1, -2]], [row, row], color=MODEL, lw=4)
        ax.plot(unit[2], row, "o", color=MODEL)
    labels = [f"{name} = {found[name].mean:.3g} ± {found[name].sd:.2g}" for name in names]
    ax.set_yticks(range(len(names)), labels)
    ax.invert_yaxis()
    ax.set_xlabel("within the prior's range")
    return ax


def posterior_over_steps(states: Sequence, name: str, truth: float | None = None, ax=None):
    """One parameter's posterior answer by answer: the median, and bands from 25 to 75% and from 5
    to 95%.

    Args:
        states: sessions on the way, as `aline_tf.acquisition.laboratory.replay` gives them.
        name: of the parameter.
        truth: drawn as a line where it is known.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: no state, or a parameter that the task does not have.
    """
    if not isinstance(states, Sequence) or not len(states):
        received = "none" if isinstance(states, Sequence) else type(states).__name__
        raise InputError(
            f"expected states of a session on the way, replay(session); received {received}"
        )
    _parameters(states[-1], [name])
    ax = axes_or_new(ax)
    steps = [state.steps for state in states]
    quantiles = np.array([state.posterior()[name].quantiles for state in states])
    for low, high, alpha in ((0, -1, 0.15), (1, -2, 0.3)):
        ax.fill_between(
            steps, quantiles[:, low], quantiles[:, high], color=MODEL, alpha=alpha, lw=0
        )
    ax.plot(steps, quantiles[:, 2], color=MODEL, label="posterior")
    if truth is not None:
        ax.axhline(truth, color=TRUTH, lw=0.9, ls=":", label="truth")
    ax.set_xlabel("answers")
    ax.set_ylabel(name)
    return ax


def prediction(session, ax=None, points: int = 101):
    """The predicted outcome along the design, with its answers: mean, and the 5 to 95% band of a
    continuous outcome.

    Args:
        session: a `Session` of one design dimension and one outcome.
        ax: matplotlib axes; new ones when None.
        points: of the curve.

    Returns:
        the axes.

    Raises:
        InputError: several design dimensions or outcomes.
    """
    spec = session.spec
    if spec.sizes["D"] != 1 or spec.sizes["F"] != 1 or len(spec.outcomes) != 1:
        raise InputError(
            f"expected a session of one design dimension and one outcome; received {spec.sizes}"
        )
    ax = axes_or_new(ax)
    low, high = session.candidates.min(), session.candidates.max()
    designs = np.linspace(low, high, points)
    found = session.predict(designs[:, None])
    ax.plot(designs, [marginal.mean for marginal in found], color=MODEL)
    if spec.outcomes[0].kind == "continuous":
        band = np.array([marginal.quantiles for marginal in found])[:, [0, -1]]
        ax.fill_between(designs, *band.T, color=MODEL, alpha=0.2, lw=0)
    table = _answered(session)
    ax.plot(table[:, 0], table[:, 1], "o", color=OBSERVED, alpha=0.6)
    ax.set_xlabel(spec.design_names[0])
    ax.set_ylabel(spec.outcomes[0].name)
    return ax


def queries(session, ax=None):
    """What was queried: the first design dimension against the trial, or against the second one
    where there is one, coloured by the trial.

    Args:
        session: a `Session`.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.
    """
    ax = axes_or_new(ax)
    names, trial = session.spec.design_names, np.arange(1, session.steps + 1)
    design = np.array([answer.design for answer in session.answers]).reshape(-1, len(names))
    if len(names) == 1:
        ax.plot(trial, design[:, 0], "o-", color=OBSERVED, lw=0.8)
        ax.set_xlabel("trial")
        ax.set_ylabel(names[0])
    else:
        ax.scatter(design[:, 0], design[:, 1], c=trial, cmap="viridis")
        ax.set_xlabel(names[0])
        ax.set_ylabel(names[1])
    return ax


def _parameters(session, names) -> list[str]:
    known = session.spec.parameter_names
    names = [names] if isinstance(names, str) else list(session.target if names is None else names)
    if not names or any(name not in known for name in names):
        raise InputError(f"expected parameters of {', '.join(known)}; received {names}")
    return names


def _answered(session) -> np.ndarray:
    """Design and outcome [n, 2] of all that was answered."""
    pairs = [
        (float(answer.design[0]), float(answer.outcome[0]))
        for answer in session.answers
        if answer.status[0] == 1
    ]
    return np.array(pairs).reshape(-1, 2)
