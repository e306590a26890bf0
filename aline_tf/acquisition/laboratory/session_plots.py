"""Plots of a session by their older names; `aline_tf.plots` has these and others."""

from __future__ import annotations

from aline_tf import plots
from aline_tf.acquisition.session import Session


def plot_posterior(session: Session, names=None, axes=None):
    """`aline_tf.plots.posterior`: quantiles of each marginal.

    Args:
        session: a `Session`.
        names: of the parameters, from top to bottom; the targets when None.
        axes: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: a parameter that the task does not have.
    """
    return plots.posterior(session, names, axes)


def plot_curve(session: Session, axes=None, points: int = 101):
    """`aline_tf.plots.prediction`: the predicted outcome along the design, with its answers.

    Args:
        session: a `Session` of one design dimension and one outcome.
        axes: matplotlib axes; new ones when None.
        points: of the curve.

    Returns:
        the axes.

    Raises:
        InputError: several design dimensions or outcomes.
    """
    return plots.prediction(session, axes, points)


def plot_queries(session: Session, axes=None):
    """`aline_tf.plots.queries`: what was queried, trial by trial.

    Args:
        session: a `Session`.
        axes: matplotlib axes; new ones when None.

    Returns:
        the axes.
    """
    return plots.queries(session, axes)
