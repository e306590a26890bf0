"""Which experiment measures a task."""

import subprocess
import sys

import pytest

from aline_tf.errors import InputError
from aline_tf.experiments import (
    GP1DExperiment,
    OwnTaskExperiment,
    PsychometricExperiment,
    experiment_by_name,
    experiment_of,
)
from aline_tf.tasks import LocationFinding
from aline_tf.tasks.gp import GaussianProcess
from aline_tf.tasks.psychometric import Psychometric


def test_a_task_of_the_package_has_the_experiment_of_its_line():
    assert isinstance(experiment_of(Psychometric()), PsychometricExperiment)
    assert isinstance(experiment_of(GaussianProcess(1)), GP1DExperiment)
    two = LocationFinding(sources=2)
    assert experiment_of(two).task is two and not experiment_of(two).is_exact


def test_any_other_task_has_the_experiment_that_serves_all():
    found = experiment_by_name("aline_tf.tasks.psychometric:Psychometric")
    assert type(found) is OwnTaskExperiment and found.has_likelihood


@pytest.mark.parametrize("name", ["juggling", "location_finding:2", "psychometric:"])
def test_an_unknown_name_is_one_sentence(name):
    with pytest.raises(InputError, match="expected a task among psychometric"):
        experiment_by_name(name)
    with pytest.raises(InputError, match="expected a task: a name"):
        experiment_of(3)


def test_looking_up_every_experiment_loads_no_tensorflow():
    code = (
        "import sys; from aline_tf.experiments.lookup import experiment_by_name as find;"
        "from aline_tf.tasks.registry import TASKS;"
        "print([find(name).policies for name in TASKS] and 'tensorflow' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
