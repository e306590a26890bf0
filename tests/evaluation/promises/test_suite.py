"""Which promises are measured, in which order, and of what."""

import pytest

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Settings
from aline_tf.evaluation.promises import PROMISES, measure
from aline_tf.evaluation.promises.suite import chosen_promises, examined_by
from aline_tf.experiments import experiment_by_name
from aline_tf.experiments.psychometric.exact_inference import PsychometricInference
from aline_tf.tasks import Psychometric


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (None, tuple(PROMISES)),
        ("joint,known", ("known", "joint")),
        (["pool", "missing,pool"], ("missing", "pool")),
    ],
)
def test_promises_come_in_the_order_of_the_table(only, names):
    assert chosen_promises(only) == names


@pytest.mark.parametrize("only", ["", ",", "knwon", ["known", "unit"]])
def test_others_are_refused(only):
    with pytest.raises(InputError, match="expected promises among missing, known"):
        chosen_promises(only)


def test_every_figure_says_which_promise_it_is_of(examined):
    said = []
    figures = measure(examined(), "known,missing", said.append)
    assert [row.promise for row in figures] == ["missing"] * 3 + ["known"] * 8
    assert said == ["missing: 3 figures", "known: 8 figures"]


def test_a_tasks_own_settings_come_before_the_defaults_and_the_users_before_them(make_model):
    experiment = experiment_by_name("psychometric")
    model = make_model(Psychometric())
    found = examined_by(experiment, Settings(model=model, runs=12, seed=4), "known")
    assert isinstance(found.exact, PsychometricInference)
    assert (found.runs.runs, found.runs.candidates, found.refined_runs) == (12, 200, 2)
    assert found.target_inputs == ((0.0,), (2.0,), (4.5,))
    assert found.runs.longest == 30
    assert found.refined is not None


@pytest.mark.parametrize(
    ("task", "settings", "sentence"),
    [
        ("psychometric", {"runs": 1}, "at least 2 runs; received --runs 1"),
        (
            "psychometric",
            {"candidates": 29},
            "a pool of at least 30 candidates, .* received --candidates 29",
        ),
        ("psychometric", {"seed": -1}, "a seed of 0 or more; received --seed -1"),
        ("hpo", {}, "a task with an exact posterior .* received 'hpo'"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(task, settings, sentence):
    with pytest.raises(InputError, match=f"expected {sentence}"):
        examined_by(experiment_by_name(task), Settings(prefix="--", **settings))
