"""Every plot takes what it draws and axes, returns the axes, and shows the numbers."""

from datetime import date, timedelta
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from aline_tf import plots
from aline_tf.acquisition import Session
from aline_tf.acquisition.laboratory import plot_curve, plot_posterior, plot_queries, replay
from aline_tf.errors import InputError
from aline_tf.evaluation import Result, calibration
from aline_tf.models.aline import ALINE
from aline_tf.plots import style
from aline_tf.plots.uniform_bands import count_band
from aline_tf.tasks.psychometric import SPEC
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def session():
    seed_weights(4)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    session = Session(model, np.linspace(-5, 5, 21)[:, None], target="threshold,slope")
    session.tell(3, 1)
    session.tell(8, 0)
    return session


SHARES = np.random.default_rng(0).random(60)
RESULTS = [
    Result(policy, "a,b", step, metric, step / 10, 0.05 if metric == "spce" else np.nan, 9)
    for policy in ("learned", "random")
    for metric in ("spce", "snmc", "rmse")
    for step in (2, 1, 3)
]
HISTORY = {"loss": [3.0, 2.0], "val_loss": [3.5, 2.5], "reward": [0.0, 1.0]}


def evening(day, probability, followed):
    chance = SimpleNamespace(
        hours=24, probability=probability, low=probability / 2, high=2 * probability
    )
    return SimpleNamespace(
        day=date(2025, 4, 1) + timedelta(day), risks=(chance,), followed=followed
    )


EVENINGS = [evening(0, 0.1, False), evening(1, 0.2, True), evening(2, 0.3, None)]
DRAW = {
    "posterior": lambda session, ax: plots.posterior(session, ax=ax),
    "posterior_over_steps": lambda session, ax: plots.posterior_over_steps(
        replay(session), "slope", truth=1.0, ax=ax
    ),
    "prediction": lambda session, ax: plots.prediction(session, ax=ax),
    "queries": lambda session, ax: plots.queries(session, ax=ax),
    "rank_histogram": lambda _, ax: plots.rank_histogram(SHARES, ax=ax),
    "rank_difference": lambda _, ax: plots.rank_difference(SHARES, ax=ax),
    "scores": lambda _, ax: plots.scores(RESULTS, "rmse", ax=ax),
    "information": lambda _, ax: plots.information(RESULTS, ax=ax),
    "learning_curve": lambda _, ax: plots.learning_curve(HISTORY, ax=ax),
    "risk": lambda _, ax: plots.risk(EVENINGS, ax=ax),
}


def test_every_plot_of_the_room_is_drawn_here():
    assert set(DRAW) == set(plots.__all__) - {"plot_style", "policy_style", "save"}


@pytest.mark.parametrize("name", DRAW)
def test_it_draws_on_the_axes_it_is_given_or_on_its_own_in_colours_that_can_be_told_apart(
    name, session
):
    ax = Figure().add_subplot()
    assert DRAW[name](session, ax) is ax
    assert ax.lines and ax.get_xlabel() + ax.get_ylabel()
    own = DRAW[name](session, None)
    assert own.figure is not ax.figure
    drawn = [line.get_color() for line in ax.lines]
    drawn += [patch.get_facecolor() for patch in (*ax.patches, *ax.collections)]
    known = {to_hex(colour).upper() for colour in (*style.CYCLE, style.YELLOW, style.GREY)}
    assert {to_hex(np.ravel(colour)[:3] if not isinstance(colour, str) else colour).upper()
            for colour in drawn} <= known  # fmt: skip


def test_colours_differ_to_those_who_see_no_red_or_no_green():
    """Luminance and the blue-yellow axis are what is left to them."""
    seen = []
    for colour in style.CYCLE:
        red, green, blue = to_rgb(colour)
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        seen.append((light, blue - (red + green) / 2))
    gaps = [np.hypot(*np.subtract(a, b)) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(gaps) > 0.1


def test_a_session_is_shown_as_it_is(session):
    curve = plots.prediction(session, points=11).lines
    means = [marginal.mean for marginal in session.predict(curve[0].get_xdata()[:, None])]
    np.testing.assert_allclose(curve[0].get_ydata(), means, rtol=1e-6)
    assert curve[1].get_ydata().tolist() == [1.0, 0.0]
    asked = plots.queries(session).lines[0]
    np.testing.assert_allclose(asked.get_ydata(), [-3.5, -1.0], rtol=1e-6)
    median, truth = plots.posterior_over_steps(replay(session), "slope", truth=1.0).lines
    assert median.get_xdata().tolist() == [0, 1, 2]
    assert median.get_ydata()[-1] == session.posterior()["slope"].quantiles[2]
    assert set(truth.get_ydata()) == {1.0}


def test_older_names_still_draw(session):
    for draw in (plot_posterior, plot_curve, plot_queries):
        ax = Figure().add_subplot()
        assert draw(session, axes=ax) is ax
        assert ax.lines


def test_calibration_is_shown_with_its_bands():
    ax = plots.rank_histogram(SHARES)
    assert ax.patches[-1].get_data().values.sum() == len(SHARES)
    low, high = count_band(len(SHARES))
    np.testing.assert_allclose(ax.patches[0].get_bbox().intervaly, [low, high])
    ax = plots.rank_difference(SHARES, label="model")
    largest = np.abs(ax.lines[0].get_ydata()).max()
    assert calibration.uniformity(SHARES).ks == pytest.approx(largest, abs=1 / len(SHARES))
    plots.rank_difference(SHARES, ax)
    assert len(ax.patches) == 1  # one band for all lines


def test_results_are_shown_in_order_of_their_step():
    ax = plots.scores(RESULTS, "spce")
    assert [line.get_label() for line in ax.lines] == ["learned", "random"]
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1, 0.1], [2, 0.2], [3, 0.3]])
    assert len(ax.collections) == 2
    assert len(plots.information(RESULTS).lines) == 4  # both bounds of both policies


def test_a_history_and_its_log_look_the_same(tmp_path):
    log = tmp_path / "training_log.csv"
    rows = zip(*HISTORY.values(), strict=True)
    lines = [f"{epoch}," + ",".join(map(str, row)) for epoch, row in enumerate(rows)]
    log.write_text("\n".join(["epoch," + ",".join(HISTORY), *lines, ""]))
    for history in (HISTORY, SimpleNamespace(history=HISTORY), log, str(log)):
        loss, of_validation = plots.learning_curve(history).lines
        np.testing.assert_allclose(loss.get_xydata(), [[1, 3.0], [2, 2.0]])
        np.testing.assert_allclose(of_validation.get_ydata(), [3.5, 2.5])
        assert loss.get_color() == of_validation.get_color()
        assert loss.get_linestyle() != of_validation.get_linestyle()


def test_risks_are_percents_with_what_followed():
    middle, attack, none = plots.risk(EVENINGS).lines
    np.testing.assert_allclose(middle.get_ydata(), [10, 20, 30])
    assert list(attack.get_xdata()) == [EVENINGS[1].day]
    assert list(none.get_xdata()) == [EVENINGS[0].day]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: plots.posterior(s, ["bias"]), "parameters of threshold.*received .'bias'."),
        (lambda s: plots.posterior_over_steps(s, "slope"), r"replay\(session\); received Session"),
        (lambda s: plots.posterior_over_steps([], "slope"), "received none"),
        (lambda s: plots.posterior_over_steps([s], "bias"), "received .'bias'."),
        (lambda s: plots.rank_histogram([]), r"shares .R. in .0, 1.*received an array .0."),
        (lambda s: plots.rank_difference([[0.5]]), r"of one parameter.*\[1, 1\]"),
        (lambda s: plots.rank_histogram([0.5, np.nan]), "shares"),
        (lambda s: plots.scores(RESULTS, "auc"), "metric of spce, snmc, rmse; received 'auc'"),
        (lambda s: plots.scores(RESULTS, "rmse", "c"), "target of a,b; received 'c'"),
        (lambda s: plots.information(RESULTS[-3:]), "metric of rmse; received 'spce'"),
        (lambda s: plots.learning_curve(HISTORY, "auc"), "figures of loss, .*received .'auc'."),
        (lambda s: plots.learning_curve({}), "figures of no epoch"),
        (lambda s: plots.learning_curve("nowhere.csv"), "a training log; received nowhere.csv"),
        (lambda s: plots.learning_curve(3), "History, its dict"),
        (lambda s: plots.risk([]), "at least one evening"),
        (lambda s: plots.risk(EVENINGS, 48), "hours of 24; received 48"),
    ],
)
def test_what_cannot_be_drawn_is_refused(session, call, message):
    with pytest.raises(InputError, match=message):
        call(session)


def test_a_drawn_plot_leaves_the_style_of_others_alone(session):
    before = dict(matplotlib.rcParams)
    with plots.plot_style():
        plots.queries(session)
    assert dict(matplotlib.rcParams) == before
