"""Plots of a session: the posterior, the predicted curve, the queries. They draw on axes that are
given or made, and return them; matplotlib is imported when something is drawn."""

from __future__ import annotations

import numpy as np

from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError

_COLOUR, _OTHER = "#D55E00", "#0072B2"


def plot_posterior(session: Session, names=None, axes=None):
    """Quantiles of each marginal: the line from 5 to 95%, thick from 25 to 75%, a dot at the
    median, in units of the prior's range or scale.

    Args:
        session: a `Session`.
        names: of the parameters, from top to bottom; the targets when None.
        axes: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: a parameter that the task does not have.
    """
    names = list(session.target if names is None else names)
    unknown = [name for name in names if name not in session.spec.parameter_names]
    if unknown or not names:
        raise InputError(
            f"expected parameters of {', '.join(session.spec.parameter_names)}; received {names}"
        )
    axes = _axes(axes)
    posterior = session.posterior()
    # The prior's range in the units that the posterior has now.
    now = session.parameter_units.spec(session.model.spec)
    parameters = {parameter.name: parameter for parameter in now.parameters}
    for row, name in enumerate(names):
        parameter, found = parameters[name], posterior[name]
        low, width = parameter.loc, parameter.scale
        if parameter.kind == "interval":
            low, width = parameter.low, parameter.high - parameter.low
        unit = (np.array(found.quantiles) - low) / width
        axes.plot(unit[[0, -1]], [row, row], color=_COLOUR, lw=1)
        axes.plot(unit[[1, -2]], [row, row], color=_COLOUR, lw=4)
        axes.plot(unit[2], row, "o", color=_COLOUR)
    labels = [f"{name} = {posterior[name].mean:.3g} ± {posterior[name].sd:.2g}" for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("within the prior's range")
    return axes


def plot_curve(session: Session, axes=None, points: int = 101):
    """The predicted outcome along the design, with its answers: mean, and the 5 to 95% band of a
    continuous outcome.

    Args:
        session: a `Session` of one design dimension and one outcome.
        axes: matplotlib axes; new ones when None.
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
    axes = _axes(axes)
    low, high = session.candidates.min(), session.candidates.max()
    places = np.linspace(low, high, points)
    found = session.predict(places[:, None])
    axes.plot(places, [marginal.mean for marginal in found], color=_COLOUR)
    if spec.outcomes[0].kind == "continuous":
        band = np.array([marginal.quantiles for marginal in found])[:, [0, -1]]
        axes.fill_between(places, *band.T, color=_COLOUR, alpha=0.2, lw=0)
    table = _answered(session)
    axes.plot(table[:, 0], table[:, 1], "o", color=_OTHER, alpha=0.6)
    axes.set_xlabel(spec.design_names[0])
    axes.set_ylabel(spec.outcomes[0].name)
    return axes


def plot_queries(session: Session, axes=None):
    """What was queried: the first design dimension against the trial, or against the second one
    where there is one, coloured by the trial.

    Args:
        session: a `Session`.
        axes: matplotlib axes; new ones when None.

    Returns:
        the axes.
    """
    axes = _axes(axes)
    names, trial = session.spec.design_names, np.arange(1, session.steps + 1)
    design = np.array([answer.design for answer in session.answers]).reshape(-1, len(names))
    if len(names) == 1:
        axes.plot(trial, design[:, 0], "o-", color=_OTHER, lw=0.8)
        axes.set_xlabel("trial")
        axes.set_ylabel(names[0])
    else:
        axes.scatter(design[:, 0], design[:, 1], c=trial, cmap="viridis")
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
    return axes


def _axes(axes):
    if axes is not None:
        return axes
    from matplotlib.figure import Figure

    return Figure(layout="constrained").add_subplot()


def _answered(session) -> np.ndarray:
    """Design and outcome [n, 2] of all that was answered."""
    pairs = [
        (float(answer.design[0]), float(answer.outcome[0]))
        for answer in session.answers
        if answer.status[0] == 1
    ]
    return np.array(pairs).reshape(-1, 2)
