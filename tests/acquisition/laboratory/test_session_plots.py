"""Plots draw what the session says, on axes that are given or made."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from aline_tf.acquisition import Session
from aline_tf.acquisition.laboratory import plot_curve, plot_posterior, plot_queries
from aline_tf.errors import InputError


@pytest.fixture(scope="module")
def session(psychometric_model):
    session = Session(psychometric_model, np.linspace(-5, 5, 21)[:, None], target="threshold,slope")
    session.tell(3, 1)
    session.tell(8, 0)
    return session


def test_each_draws_on_the_axes_it_is_given(session):
    for draw in (plot_posterior, plot_curve, plot_queries):
        axes = Figure().add_subplot()
        assert draw(session, axes=axes) is axes
        assert axes.lines
        assert draw(session).figure is not axes.figure


def test_curve_and_queries_show_the_numbers(session):
    curve = plot_curve(session, points=11).lines
    means = [marginal.mean for marginal in session.predict(curve[0].get_xdata()[:, None])]
    np.testing.assert_allclose(curve[0].get_ydata(), means, rtol=1e-6)
    assert curve[1].get_ydata().tolist() == [1.0, 0.0]
    queries = plot_queries(session).lines[0]
    np.testing.assert_allclose(queries.get_ydata(), [-3.5, -1.0], rtol=1e-6)


def test_a_parameter_that_is_not_there_is_refused(session):
    with pytest.raises(InputError, match="received"):
        plot_posterior(session, ["bias"])
