"""A task of one's own is measured by what it offers: a simulator, a likelihood, or records."""

import math

import numpy as np
import pytest
import tensorflow as tf

import aline_tf
from aline_tf import draws
from aline_tf.cli import main
from aline_tf.errors import InputError
from aline_tf.models.presets import save_preset
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task
from tests.seeds import seed_weights

OWN = "tests.experiments.test_own_task"
NOISE = 0.3


class Line(Task):
    """y ~ N(a x, .3^2), a ~ N(0, 1), x in [-1, 1]."""

    spec = TaskSpec(
        name="line",
        design_names=("x",),
        design_low=(-1.0,),
        design_high=(1.0,),
        fields=(Channel("y"),),
        outcomes=(Channel("y"),),
        parameters=(Parameter("slope", "real", loc=0.0, scale=1.0),),
        horizon=4,
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 1])

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, 1], -1.0, 1.0)

    def simulate(self, theta, design, seed):
        mean = theta[:, None] * design
        return mean + draws.normal(seed, tf.shape(mean), 0.0, NOISE)


class KnownLine(Line):
    """The same with its likelihood."""

    def log_likelihood(self, theta, design, outcome):
        z = (outcome[..., 0] - theta[..., 0] * design[..., 0]) / NOISE
        return -0.5 * tf.square(z) - math.log(NOISE) - 0.5 * math.log(2.0 * math.pi)

    def log_prior(self, theta):
        return -0.5 * tf.square(theta[..., 0]) - 0.5 * math.log(2.0 * math.pi)


class RecordedLine(Line):
    """Records alone: every line was drawn beforehand, and some outcomes were not written down."""

    simulate = Task.simulate
    sample_theta = Task.sample_theta

    def sample_episodes(self, seed, batch, candidates):
        episode = dict(Line().sample_episodes(seed, batch, candidates))
        recorded = np.ones(episode["target_observed"].shape, bool)
        recorded[:, 2:] = False
        episode["target_observed"] = tf.constant(recorded)
        episode["theta_observed"] = tf.zeros_like(episode["theta_observed"])
        return episode


@pytest.fixture(scope="module")
def model():
    seed_weights(1)
    made = aline_tf.ALINE(
        Line.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    made.build()
    return made


def keyed(table):
    return {(row.policy, row.target, row.metric, row.step): row.mean for row in table.itertuples()}


def test_a_simulator_alone_gives_posterior_scores_of_every_policy(model):
    names = ("learned", "random", "uncertainty")
    found = keyed(aline_tf.evaluate(model, Line(), names, runs=4, candidates=9))
    metrics = {(policy, metric) for policy, target, metric, _ in found if target == "slope"}
    scores = ("rmse", "log_prob", "coverage_90", "sbc_ks", "sbc_ks_95", "sbc_chi2_p")
    assert metrics == {(policy, metric) for policy in names for metric in scores}
    assert {key[2] for key in found if key[1] == "outcomes"} >= {"log_prob", "pit_ks"}
    assert {key[3] for key in found} == {4}


def test_a_likelihood_gives_bounds_and_a_greedy_policy_too(model):
    names = ("greedy", "random")
    table = aline_tf.evaluate(
        None, KnownLine(), names, runs=48, candidates=30, contrastive=2000, steps=[2, 4]
    )
    found = keyed(table)
    # Where the slope is largest it tells most: the ends beat a draw from the pool.
    for step in (2, 4):
        assert found["greedy", "slope", "spce", step] > found["random", "slope", "spce", step]
        assert found["random", "slope", "spce", step] <= found["random", "slope", "snmc", step]
    with pytest.raises(InputError, match="'greedy'"):
        aline_tf.evaluate(model, Line(), "greedy", runs=2)


def test_records_alone_are_judged_where_they_were_written_down(model):
    found = keyed(aline_tf.evaluate(model, RecordedLine(), runs=5, candidates=6, steps=[0, 4]))
    assert {(key[0], key[1], key[3]) for key in found} == {
        (policy, "outcomes", step) for policy in ("learned", "random") for step in (0, 4)
    }
    assert found["learned", "outcomes", "rmse", 0] == found["random", "outcomes", "rmse", 0]
    with pytest.raises(InputError, match="no contrastive"):
        aline_tf.evaluate(model, RecordedLine(), runs=2, contrastive=10)


@pytest.mark.parametrize("name", ["Line", "KnownLine"])
def test_the_command_line_measures_and_draws_it(name, model, tmp_path, capsys):
    save_preset(model, tmp_path / "preset")
    command = ["eval", f"{OWN}:{name}", "--model", str(tmp_path / "preset"), "--runs", "3"]
    if name == "KnownLine":
        command += ["--contrastive", "50", "--joint"]
    assert main([*command, "--plots", str(tmp_path / "plots")]) == 0
    drawn = {path.name for path in (tmp_path / "plots").glob("*.png")}
    assert drawn == {"curves.png", "queries.png", "posterior.png", "ranks.png"}
    assert f"{OWN}:{name}: 3 runs of 4 steps" in capsys.readouterr().out


def test_without_a_preset_it_is_one_sentence(capsys):
    assert main(["eval", f"{OWN}:Line", "--runs", "2"]) == 2
    assert "expected --model, one of" in capsys.readouterr().err
