"""Settings of an experiment: defaults filled in, what cannot be used refused in one sentence."""

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Settings, chosen_targets
from aline_tf.experiments import experiment_by_name
from aline_tf.tasks import TASKS


def test_defaults_fill_what_nobody_said():
    settings = experiment_by_name("location_finding").complete(Settings(runs=7))
    assert (settings.runs, settings.candidates, settings.contrastive) == (7, 2000, 100_000)
    assert settings.policies == ("learned", "random")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"runs": 0}, "at least 1 run; received runs 0"),
        ({"candidates": 3}, "received candidates 3"),
        ({"seed": -1}, "received seed -1"),
        ({"contrastive": 0}, "received contrastive 0"),
        ({"steps": [31]}, "steps from 1 to 30; received 31"),
        ({"policies": ["psychic"]}, "'psychic'"),
        ({"targets": ["source1_x1"]}, "no target with location_finding"),
        ({"functions": ["prior"]}, "no function with location_finding"),
        ({"runs": 0, "prefix": "--"}, "received --runs 0"),
        ({"runs": "2", "prefix": "--"}, "--runs as a whole number; received '2'"),
        ({"runs": 2.5}, "runs as a whole number; received 2.5"),
        ({"runs": True}, "runs as a whole number; received True"),
        ({"candidates": "many"}, "candidates as a whole number"),
        ({"seed": None}, "seed as a whole number; received None"),
        ({"seed": float("nan")}, "seed as a whole number; received nan"),
        ({"steps": 3}, "steps as a list; received 3"),
        ({"steps": [1.5]}, "steps as a whole number; received 1.5"),
        ({"policies": 3}, "policies as names, a list; received 3"),
        ({"targets": [0]}, r"target as names, a list; received \[0\]"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(settings, complaint):
    with pytest.raises(InputError, match=complaint):
        experiment_by_name("location_finding").complete(Settings(**settings))


def test_targets_stand_once_in_the_order_of_the_parameters():
    assert chosen_targets(["b,a", "a,b", "c"], ("a", "b", "c")) == ["a,b", "c"]
    with pytest.raises(InputError, match="received 'd'"):
        chosen_targets("a,d", ("a", "b"))


@pytest.mark.parametrize("name", list(TASKS))
def test_every_task_answers_what_is_asked_before_work(name):
    experiment = experiment_by_name(name)
    assert set(experiment.default_policies) <= set(experiment.policies)
    assert {"runs", "candidates"} <= set(experiment.defaults)
    sizes, recipe = experiment.recipe()
    assert sizes["hidden_dim"] >= 32 and recipe.steps > 0
    assert all(deployment.horizon <= deployment.candidates for deployment in experiment.deployments)


def test_migraine_is_measured_by_its_own_command():
    with pytest.raises(InputError, match="expected `aline-tf migraine evaluate`"):
        experiment_by_name("migraine").evaluate(Settings())


def test_a_whole_number_is_one_however_it_is_written():
    settings = Settings(runs=2.0, candidates=np.int64(30), seed=np.array(7), steps=(3.0, 30))
    assert settings == Settings(runs=2, candidates=30, seed=7, steps=[3, 30])
    assert type(settings.runs) is int
