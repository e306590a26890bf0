"""The table of information collected, from the command line."""

import contextlib
import io
import json

import numpy as np
import pytest

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.cli import main
from aline_tf.evaluation.simulated_runs import SimulatedRuns
from aline_tf.experiments import LocationFindingExperiment
from aline_tf.experiments import known_likelihood as information
from aline_tf.models.aline import ALINE
from aline_tf.models.presets import save_preset
from aline_tf.tasks.ces import CES
from aline_tf.tasks.location_finding import LocationFinding
from tests.seeds import seed_weights

TINY = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8, "components": 2}
BOTH = "source1_x1,source1_x2"


def preset_of(task, directory):
    seed_weights(1)
    model = ALINE.for_task(task, **TINY)
    model.build()
    save_preset(model, directory)
    return str(directory)


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return preset_of(LocationFinding(), tmp_path_factory.mktemp("models") / "preset")


@pytest.fixture(scope="module")
def evaluated(preset, tmp_path_factory):
    """One run of the command with all it can do: (what it printed, its file, its figures)."""
    directory = tmp_path_factory.mktemp("evaluated")
    file, plots, printed = directory / "rows.json", directory / "plots", io.StringIO()
    command = ["eval", "location_finding", "--policy", "learned,random,greedy", "--model", preset]
    sizes = ["--runs", "4", "--candidates", "40", "--contrastive", "500"]
    with contextlib.redirect_stdout(printed):
        assert main([*command, *sizes, "--joint", "--plots", str(plots), "--json", str(file)]) == 0
    return printed.getvalue(), json.loads(file.read_text()), list(plots.iterdir())


def test_a_run_prints_a_table_and_writes_its_rows(evaluated):
    printed, found, _ = evaluated
    assert found["task"] == "location_finding"
    rows = {(r["policy"], r["target"], r["step"], r["metric"]): r for r in found["rows"]}
    assert len(rows) == len(found["rows"])
    for policy in ("learned", "random", "greedy"):
        for step in (5, 10, 20, 30):
            low, high = (rows[policy, BOTH, step, metric]["mean"] for metric in ("spce", "snmc"))
            assert low <= min(high, np.log(501))
            assert rows[policy, BOTH, step, "spce"]["ci95"] > 0
            for metric in ("rmse", "log_prob", "coverage_90"):
                assert rows[policy, BOTH, step, metric]["n"] == 4
                assert (policy, "source1_x2", step, metric) in rows
    assert ("learned/exact", BOTH, 30, "rmse") in rows
    assert "greedy" in printed


def test_ces_is_judged_by_the_network_and_by_the_bounds(tmp_path):
    file = tmp_path / "rows.json"
    model = preset_of(CES(), tmp_path / "preset")
    command = ["eval", "ces", "--policy", "learned", "random", "--model", model, "--runs", "2"]
    command += ["--candidates", "12", "--contrastive", "300", "--plots", str(tmp_path / "plots")]
    assert main([*command, "--json", str(file)]) == 0
    drawn = {path.stem for path in (tmp_path / "plots").iterdir() if path.suffix == ".svg"}
    assert drawn == {"curves", "queries", "answers", "posterior", "ranks"}
    rows = json.loads(file.read_text())["rows"]
    found = {(r["policy"], r["step"], r["metric"]): r["mean"] for r in rows}
    for policy in ("learned", "random"):
        for step in (5, 10):
            assert np.isfinite(found[policy, step, "spce"])
            assert found[policy, step, "spce"] <= np.log(301)
    assert ("learned", 10, "coverage_90") in found
    assert {r["target"] for r in rows} >= {"rho", "alpha_3", "log_u"}
    # The slider's side is predicted as an event, so it is scored and has no interval.
    assert ("learned", "outcomes", "log_prob") in {
        (r["policy"], r["target"], r["metric"]) for r in rows
    }


def test_learned_runs_tell_of_calibration_and_of_the_joint_at_every_step(evaluated):
    _, table, figures = evaluated
    assert {path.stem for path in figures if path.suffix == ".png"} == {
        "curves",
        "queries",
        "posterior",
        "ranks",
    }
    found = {(r["policy"], r["target"], r["metric"], r["step"]): r["mean"] for r in table["rows"]}
    for step in range(1, 31):
        for target in (BOTH, "source1_x1"):
            assert 0.0 <= found["learned", target, "sbc_ks", step] <= 1.0
            assert 0.0 <= found["learned", target, "sbc_chi2_p", step] <= 1.0
        gain = found["learned", BOTH, "joint_gain", step]
        joint, marginal, exact = (
            found["learned", BOTH, f"{name}_log_prob", step]
            for name in ("joint", "marginal", "exact")
        )
        assert gain == pytest.approx(joint - marginal, abs=1e-4)
        # With every prior draw and the truth at hand the exact joint is what the bounds are of.
        spce, snmc = (found["learned", BOTH, metric, step] for metric in ("spce", "snmc"))
        assert spce <= np.log(501)
        assert np.isfinite([exact, snmc]).all()
        assert ("learned", "outcomes", "coverage_90", step) in found


def test_a_sampled_greedy_policy_learns_more_of_ces_than_chance(tmp_path):
    file = tmp_path / "rows.json"
    command = ["eval", "ces", "--policy", "greedy", "random", "--runs", "12", "--candidates", "300"]
    assert main([*command, "--contrastive", "20000", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    found = {(r["policy"], r["step"], r["metric"]): r["mean"] for r in rows}
    assert found["greedy", 5, "spce"] > found["random", 5, "spce"] + 1.0


def test_the_exact_posterior_is_calibrated_and_agrees_with_the_gain():
    runs = SimulatedRuns(LocationFinding(), 64, 30, seed=2, horizon=10)
    table = LocationFindingExperiment("location_finding").measure(
        {"random": RandomPolicy(2)}, runs, contrastive=4000
    )
    rows = {(row.target, row.step, row.metric): row for row in table}
    both = rows[BOTH, 10, "coverage_90"]
    assert abs(both.mean - 0.9) < 2 * both.ci95
    # The joint gain is at least what the marginals show: log densities against a prior of zero.
    marginal = 2 * rows[BOTH, 10, "log_prob"].mean
    assert rows[BOTH, 10, "snmc"].mean > marginal - 0.1
    assert rows[BOTH, 10, "spce"].mean > rows[BOTH, 5, "spce"].mean


def test_reported_steps_end_with_the_horizon():
    assert information.report_steps(30) == (5, 10, 20, 30)
    assert information.report_steps(10) == (5, 10)
    assert information.report_steps(3) == (3,)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--policy", "psi-marginal"], "'psi-marginal'"),
        (["--policy", "random", "--runs", "0"], "--runs 0"),
        (["--policy", "random", "--candidates", "1"], "at least 30"),
        (["--policy", "random", "--contrastive", "0"], "--contrastive 0"),
        (["--policy", "random", "--target", "source1_x1"], "no --target"),
        (["--policy", "random", "--pool", "grid"], "no --pool"),
        (["--policy", "random", "--switch", "15"], "no --switch with location_finding"),
        (["--policy", "random", "--joint"], "the learned policy with --joint"),
        (["--policy", "random", "--plots", __file__], "received the file"),
        (["--model", "/no/such/place"], "/no/such/place"),
    ],
)
def test_bad_input_is_refused_before_any_work(tmp_path, capsys, monkeypatch, arguments, complaint):
    def no_work(*_, **__):
        raise AssertionError("work was started")

    monkeypatch.setattr(SimulatedRuns, "play", no_work)
    file = tmp_path / "rows.json"
    assert main(["eval", "location_finding", *arguments, "--json", str(file)]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert not file.exists()


def test_a_preset_of_another_number_of_sources_is_refused(tmp_path, capsys):
    other = preset_of(LocationFinding(sources=2), tmp_path / "preset")
    assert main(["eval", "location_finding", "--policy", "learned", "--model", other]) == 2
    assert "source2_x1" in capsys.readouterr().err


def test_contrastive_parameters_are_refused_where_posteriors_are_exact(capsys):
    assert main(["eval", "psychometric", "--contrastive", "10"]) == 2
    assert "--contrastive" in capsys.readouterr().err
