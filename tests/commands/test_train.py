"""`aline-tf train`: what it writes, and what it refuses in one line."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest

from aline_tf.cli import main
from aline_tf.commands import train
from aline_tf.models.presets import load_preset, preset_metadata
from aline_tf.training.recipe import Phases

TASK = "tests.training.small_tasks:Coin"
TINY = [
    "--warmup-steps", "1", "--joint-steps", "1", "--steps-per-epoch", "2",
    "--set", "batch=4", "--set", "warmup_batch=4", "--set", "rollout.group_size=2",
    "--set", "pool=4", "--set", "candidates_per_step=3", "--set", "steps_per_episode=2",
    "--set", "entropy=[0.1, 0.0]",
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("module_without_graphs", "small_models")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, module_without_graphs, small_models):
    out = tmp_path_factory.mktemp("train") / "coin"
    assert main(["train", TASK, "--out", str(out), "--seed", "7", *TINY]) == 0
    return out


def test_a_task_of_ones_own_trains_from_the_command_line(trained):
    network = load_preset(trained, task="coin")
    assert all(np.isfinite(weight).all() for weight in network.get_weights())
    metadata = preset_metadata(trained)
    assert metadata["task"] == "coin"
    assert metadata["seed"] == 7
    assert metadata["steps"] == 2
    assert metadata["recipe"]["policy_loss"]["entropy"] == [0.1, 0.0]
    assert metadata["parameters"] == network.count_params()


def test_the_log_has_a_row_per_epoch(trained):
    header, *rows = (trained / "training_log.csv").read_text().splitlines()
    assert {"epoch", "loss", "inference", "reward"} <= set(header.split(","))
    assert len(rows) == 1


def test_no_backup_is_left_behind(trained):
    assert sorted(path.name for path in trained.iterdir()) == ["preset", "training_log.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "bach=4"], "expected --set with a setting of warmup_steps, "),
        (["--set", "batch"], "expected --set batch=VALUE in JSON"),
        (["--set", "batch=four"], "expected --set batch=VALUE in JSON"),
        (["--set", 'batch="4"'], "batch='4'"),
        (["--set", "batch=0"], "batch=0"),
        (["--set", "group_size=0"], "group_size=0"),
        (["--set", "group_size=3"], "multiple of group_size"),
        (["--set", "phases.gradient_accumulation_steps=3"], "multiple of gradient_acc"),
        (["--set", "rollout.batch=3"], "expected --set with a setting of"),
        (["--set", "pool=2", "--set", "candidates_per_step=2"], "horizon=3, pool=2"),
        (["--set", "teacher=[1, 0]"], "log_likelihood"),
        (["--set", "teacher=1"], "teacher=1"),
        (["--set", "temperature=[1, 0]"], "temperature"),
        (["--warmup-steps", "-1"], "warmup_steps of 0 or more; received -1"),
        (["--warmup-steps", "0", "--joint-steps", "0"], "at least one step"),
        (["--steps-per-epoch", "0"], "--steps-per-epoch of 1 or more; received 0"),
        (["--from-model", "nowhere"], "expected a preset"),
        (["--threads", "-1"], "--threads of 1 or more; received -1"),
        (["--threads", "0"], "--threads of 1 or more; received 0"),
        (["--set", "learning_rate=0"], "learning_rate=0"),
        (["--set", "learning_rate=NaN"], "learning_rate=nan"),
        (["--set", "warmup_batch=0"], "warmup_batch=0"),
        (["--steps", "0"], "--steps of 2 or more, one for each phase; received 0"),
        (["--steps", "1"], "expected --steps of 2 or more, one for each phase; received 1"),
        (["--steps", "9", "--joint-steps", "4"], "received --steps and --joint-steps"),
        (["--validation-episodes", "0"], "--validation-episodes of 1 or more; received 0"),
    ],
    ids=" ".join,
)
def test_bad_settings_end_in_one_line_and_code_2(tmp_path, capsys, arguments, message):
    out = tmp_path / "out"
    assert main(["train", TASK, "--out", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("phases", "steps", "expected"),
    [((2000, 1000), 300, (200, 100)), ((0, 50), 7, (0, 7)), ((999, 1), 10, (9, 1))],
)
def test_steps_in_all_keep_the_proportion_of_the_phases(phases, steps, expected):
    asked = SimpleNamespace(steps=steps, warmup_steps=None, joint_steps=None)
    found = train._steps(asked, Phases(warmup_steps=phases[0], joint_steps=phases[1]))
    assert (found["warmup_steps"], found["joint_steps"]) == expected


def test_an_unknown_task_ends_in_one_line_and_code_2(tmp_path, capsys):
    assert main(["train", "psychometrics", "--out", str(tmp_path / "out")]) == 2
    assert "expected a task among psychometric" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_preset_of_another_task_is_not_trained_on(trained, tmp_path, capsys):
    arguments = ["--from-model", str(trained), "--out", str(tmp_path / "out")]
    assert main(["train", "psychometric", *arguments]) == 2
    assert "received one of 'coin'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        ("tests.tasks.test_contract:Divided", [], "finite numbers from simulate of Divided"),
        ("tests.tasks.test_contract:Narrow", [], "sample_theta of Narrow to return shape"),
        ("tests.training.small_tasks:SIZES", [], "expected a class of tasks at"),
        (
            TASK,
            ["--set", "horizon=1", "--set", "pool=1", "--set", "candidates_per_step=1"],
            "pool of at least 2",
        ),
    ],
    ids=["outcomes that are NaN", "wrong shape", "no class", "a pool of one"],
)
def test_a_task_or_pool_of_no_use_ends_before_any_work(tmp_path, capsys, task, settings, message):
    out = tmp_path / "out"
    assert main(["train", task, "--out", str(out), *TINY, *settings]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_metadata_is_json(trained):
    json.loads((trained / "preset" / "metadata.json").read_text())


def test_numbers_that_are_not_finite_end_in_one_line_and_code_1(tmp_path, capsys):
    out = tmp_path / "out"
    task = "tests.training.small_tasks:SometimesBroken"
    settings = ["--warmup-steps", "40", "--joint-steps", "0"]
    assert main(["train", task, "--out", str(out), *TINY, *settings]) == 1
    error = capsys.readouterr().err
    assert "received a loss of nan at step" in error
    assert error.count("\n") == 1
    assert not (out / "preset").exists() or load_preset(out)


def test_another_seed_does_not_go_on_with_a_run(tmp_path, capsys, trained):
    out = tmp_path / "out"
    (out / "backup").mkdir(parents=True)
    about = {"epoch": 1, "sha256": hashlib.sha256(b"state").hexdigest(), "run": {"seed": 3}}
    (out / "backup" / "latest.weights.h5").write_bytes(b"state")
    (out / "backup" / "latest.json").write_text(json.dumps(about))
    assert main(["train", TASK, "--out", str(out), "--seed", "7", *TINY]) == 2
    assert "with seed=3 (--restart forgets it); received seed=7" in capsys.readouterr().err
