"""Figures: which files an evaluation draws, and what is in them."""

import numpy as np

from aline_tf.cli import main
from aline_tf.evaluation.plots.curves import draw_curves
from aline_tf.evaluation.plots.rank_histograms import draw_rank_histograms
from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments import LocationFindingExperiment
from aline_tf.experiments.psychometric.plots import query_shares_by_trial
from aline_tf.plots.style import new_figure, policy_style, save
from aline_tf.tasks.location_finding import LocationFinding


def rows(policies=("learned", "random"), targets=("a", "b"), metrics=("rmse", "sbc_ks")):
    return [
        Result(policy, target, step, metric, step / 10, 0.1 if metric == "rmse" else np.nan, 9)
        for policy in policies
        for target in targets
        for metric in metrics
        for step in (1, 2, 3)
    ]


def test_curves_have_a_panel_for_each_metric_and_target_and_a_line_for_each_policy():
    figure = draw_curves(rows(), ("rmse", "log_prob", "sbc_ks"), ("a", "b"))
    assert len(figure.axes) == 2 * 2  # log_prob was not measured
    for axis in figure.axes:
        assert [line.get_label() for line in axis.lines] == ["learned", "random"]
        np.testing.assert_allclose(axis.lines[0].get_xydata(), [[1, 0.1], [2, 0.2], [3, 0.3]])
    assert len(figure.axes[0].collections) == 2
    assert not figure.axes[2].collections  # no interval, no band
    assert len({policy_style(policy) for policy in ("learned", "random", "greedy")}) == 3


def test_metrics_of_a_single_target_stand_side_by_side():
    figure = draw_curves(rows(targets=("a",)), ("rmse", "sbc_ks"), ("a",))
    first, second = (axis.get_position() for axis in figure.axes)
    assert first.y0 == second.y0
    assert first.x1 < second.x0


def test_rank_histograms_show_every_run():
    pit = np.random.default_rng(0).random((40, 2, 3))
    figure = draw_rank_histograms(pit, ("a", "b", "c"), (5, 10))
    assert len(figure.axes) == 6
    for axis in figure.axes:
        assert axis.patches[-1].get_data().values.sum() == 40


def data_of(stimulus):
    """Runs that showed these stimuli [R, T]."""
    design = stimulus[..., None]
    return RunData(np.zeros((len(design), 4)), design, np.zeros_like(design))


def test_shares_of_queries_sum_to_one_in_each_trial():
    design = np.random.default_rng(0).uniform(-5, 5, (20, 6))
    shares = query_shares_by_trial(data_of(design))
    np.testing.assert_allclose(shares.sum(0), 1.0)
    assert query_shares_by_trial(data_of(np.full((3, 1), -4.99)))[0, 0] == 1.0


def test_distances_are_to_the_nearest_source():
    found = RunData(
        np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[[0.0, 0.1], [1.0, 0.8]]]), np.zeros((1, 2, 1))
    )
    experiment = LocationFindingExperiment("location_finding", LocationFinding(sources=2))
    away, _ = experiment.query_quantities(found)["distance to the nearest source"]
    np.testing.assert_allclose(away, [[0.1, 0.2]])


def test_a_figure_is_written_whole_in_both_formats_and_equal_ones_are_equal(tmp_path):
    for name in ("one", "two"):
        figure = new_figure(2, 2)
        figure.subplots().plot([1, 2], [3, 4])
        paths = save(figure, tmp_path / "made" / name, "line")
        assert [path.suffix for path in paths] == [".png", ".svg"]
    for kind in ("png", "svg"):
        one, two = (tmp_path / "made" / name / f"line.{kind}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in (tmp_path / "made" / "one").iterdir()) == [
        "line.png",
        "line.svg",
    ]


def test_targets_that_switch_are_drawn(tmp_path, capsys):
    command = ["eval", "psychometric", "--policy", "random", "--runs", "3", "--candidates", "32"]
    assert main([*command, "--switch", "12", "--plots", str(tmp_path / "plots")]) == 0
    drawn = {path.name for path in (tmp_path / "plots").iterdir()}
    assert drawn == {"switch.png", "switch.svg", "queries.png", "queries.svg"}
    assert capsys.readouterr().out.count("drawn: ") == len(drawn)
