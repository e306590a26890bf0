"""`aline-tf eval` from the command line: its table, its file, its refusals."""

import json

import pytest

from aline_tf.cli import main
from aline_tf.experiments.psychometric import estimates as psychometric
from aline_tf.experiments.psychometric import runs as psychometric_runs
from aline_tf.models.aline import ALINE
from aline_tf.models.packaged_presets import weights_digest
from aline_tf.models.presets import save_preset
from aline_tf.tasks.psychometric import SPEC
from tests.seeds import seed_weights

pytestmark = pytest.mark.usefixtures("presets_read_once")


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    seed_weights(1)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    directory = tmp_path_factory.mktemp("models") / "preset"
    save_preset(model, directory)
    return directory


def test_a_run_prints_a_table_and_writes_its_rows(tmp_path, capsys, preset):
    file = tmp_path / "rows.json"
    command = ["eval", "psychometric", "--policy", "learned,random", "--model", str(preset)]
    assert main([*command, "--runs", "3", "--candidates", "40", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert found["task"] == "psychometric"
    rows = {(r["policy"], r["target"], r["step"], r["metric"]): r for r in found["rows"]}
    for target in psychometric.TARGETS:
        for metric in ("rmse", "log_prob", "coverage_90"):
            assert rows["learned", target, 30, metric]["n"] == 3
    for step in psychometric.GAP_STEPS:
        assert ("learned", "guess,lapse", step, "gap") in rows
        assert ("learned", "guess,lapse", step, "gap_given_one") in rows
    assert len(rows) == len(found["rows"])
    assert "learned/exact" in capsys.readouterr().out


def test_every_step_is_in_the_file_and_a_few_in_the_table(tmp_path, capsys, preset):
    file = tmp_path / "rows.json"
    command = ["eval", "psychometric", "--policy", "learned", "--model", str(preset), "--runs", "4"]
    command += ["--target", "guess,lapse", "--plots", str(tmp_path / "plots")]
    assert main([*command, "--json", str(file)]) == 0
    drawn = {path.stem for path in (tmp_path / "plots").iterdir()}
    assert drawn == {"curves", "queries", "posterior_guess_lapse", "ranks_guess_lapse"}
    rows = json.loads(file.read_text())["rows"]
    for metric in ("rmse", "coverage_90", "sbc_ks", "sbc_chi2_p_slope", "y_log_prob"):
        steps = [r["step"] for r in rows if (r["policy"], r["metric"]) == ("learned", metric)]
        assert steps == list(range(1, 31))
    header = capsys.readouterr().out.splitlines()[2]
    assert "step 30" in header
    assert "step 29" not in header
    # A figure that is no average has no interval.
    assert {r["ci95"] for r in rows if r["metric"] == "sbc_ks"} == {None}


def test_a_preset_of_another_task_is_refused(tmp_path, capsys, preset):
    command = ["eval", "ces", "--policy", "learned", "--model", str(preset)]
    assert main([*command, "--json", str(tmp_path / "rows.json")]) == 2
    assert "expected a preset of task 'ces'; received one of 'psychometric'" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "rows.json").exists()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("ces:2", "expected another argument of task ces; received '2': Expected close in [0, 1]"),
        ("ces:x", "expected another argument of task ces; received 'x'"),
        ("location_finding:2", "expected a task among psychometric,"),
    ],
)
def test_pools_of_no_such_kind_are_refused(task, message, tmp_path, capsys):
    assert main(["eval", task, "--json", str(tmp_path / "rows.json")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "rows.json").exists()


def test_pools_of_close_pairs_are_another_task_for_the_same_model(tmp_path):
    file = tmp_path / "rows.json"
    command = ["eval", "ces:0.6", "--policy", "random", "--runs", "2", "--candidates", "12"]
    assert main([*command, "--contrastive", "100", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["task"] == "ces:0.6"


def test_equal_seeds_give_equal_rows(tmp_path):
    def rows(name):
        command = ["eval", "psychometric", "--policy", "random", "--target", "lapse,guess"]
        main([*command, "--runs", "2", "--json", str(tmp_path / name)])
        return (tmp_path / name).read_text()

    assert rows("one") == rows("two")
    assert '"guess,lapse"' in rows("one")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["juggling"], "'juggling'"),
        (["psychometric", "--policy", "psychic"], "'psychic'"),
        (["psychometric", "--policy", ","], "received none"),
        (["psychometric", "--runs", "0"], "--runs 0"),
        (["psychometric", "--candidates", "29"], "--candidates 29"),
        (["psychometric", "--candidates", "1"], "at least 30"),
        (["psychometric", "--pool", "swimming"], "'swimming'"),
        (["psychometric", "--seed", "-1"], "--seed -1"),
        (["psychometric", "--target", "guess,height"], "'height'"),
        (["psychometric", "--model", "/no/such/place"], "/no/such/place"),
        (["psychometric", "--switch", "0"], "1 to 29 trials; received 0"),
        (["psychometric", "--switch", "30"], "1 to 29 trials; received 30"),
        (["psychometric", "--switch", "15", "--target", "slope"], "no --target with --switch"),
        (["psychometric", "--joint"], "no --joint with psychometric"),
        (["psychometric", "--plots", __file__], "received the file"),
    ],
)
def test_bad_input_is_refused_before_any_work(tmp_path, capsys, monkeypatch, arguments, complaint):
    def no_work(*_, **__):
        raise AssertionError("work was started")

    monkeypatch.setattr(psychometric_runs, "simulate_runs", no_work)
    file = tmp_path / "rows.json"
    assert main(["eval", *arguments, "--json", str(file)]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert not file.exists()


def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path, capsys):
    command = ["eval", "psychometric", "--policy", "random", "--json", str(tmp_path)]
    assert main(command) == 2
    assert "received the directory" in capsys.readouterr().err


def test_the_preset_may_be_named_and_migraine_has_a_command_of_its_own(capsys):
    command = ["eval", "psychometric", "--policy", "learned", "--model", "psychometric"]
    assert main([*command, "--runs", "2", "--target", "slope"]) == 0
    assert "psychometric: 2 subjects, 30 trials" in capsys.readouterr().out
    assert main(["eval", "migraine"]) == 2
    assert "expected `aline-tf migraine evaluate`" in capsys.readouterr().err


def test_promises_are_printed_and_written_with_what_they_are_of(tmp_path, capsys, preset):
    file = tmp_path / "promises.json"
    command = ["eval", "psychometric", "--promises", "--model", str(preset), "--runs", "3"]
    assert main([*command, "--only", "known", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "threshold: share of the exact shift" in printed
    assert "of 16 figures hold" in printed
    found = json.loads(file.read_text())
    assert found["task"] == "psychometric"
    assert found["weights"] == weights_digest(preset)
    assert {row["by"] for row in found["promises"]} == {"model", "refined"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--only", "known"], "expected --promises with --only; received known alone"),
        (["--promises", "--policy", "random"], "with --promises; received --policy"),
        (["--promises", "--joint"], "with --promises; received --joint"),
        (["--promises", "--only", "knwon"], "received 'knwon'"),
        (["--promises", "--runs", "1"], "expected at least 2 runs; received --runs 1"),
    ],
)
def test_options_that_mean_nothing_beside_promises_are_refused(capsys, preset, options, sentence):
    assert main(["eval", "psychometric", "--model", str(preset), *options]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_false_alarms_are_counted_with_their_interval(capsys, preset):
    command = ["eval", "psychometric", "--model", str(preset), "--candidates", "40"]
    assert main([*command, "--false-alarms", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["session", "exact"]
    assert all("of 3 with p < .01" in line for line in lines[-2:])


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("psychometric", ["--false-alarms", "0"], "at least 1 run to count false alarms in"),
        ("psychometric", ["--false-alarms", "9", "--runs", "3"], "with --false-alarms; received"),
        ("psychometric", ["--false-alarms", "9", "--promises"], "received both"),
        ("ces", ["--false-alarms", "9"], "one binary or continuous outcome"),
    ],
)
def test_false_alarms_that_cannot_be_counted(capsys, task, options, message):
    assert main(["eval", task, *options]) == 2
    assert message in capsys.readouterr().err
