"""Twenty prompts for parameters: of whom, after what, and what is left to know."""

import numpy as np
import pytest

from aline_tf.batch import MISSING
from aline_tf.migraine.evaluation import parameter_prompting, prompting
from aline_tf.migraine.schema.channels import PASSIVE_NAMES
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.migraine.simulation.cohort import sample_cohort
from aline_tf.migraine.task.pretrained import load_model
from aline_tf.models.compiled import Compiled

PEOPLE, FIRST = 6, len(PASSIVE_NAMES)


@pytest.fixture(scope="module")
def cohort():
    return sample_cohort(3, PEOPLE, prompting.RUN_IN + 3, prompting.RUN_IN)


@pytest.fixture
def people(cohort, monkeypatch):
    monkeypatch.setattr(prompting, "EVENINGS", 3)
    monkeypatch.setattr(parameter_prompting, "PARAMETER_EVENINGS", 2)
    return cohort


@pytest.mark.parametrize("devices", [True, False])
def test_nobody_was_asked_before_and_some_wear_nothing(people, devices):
    last = prompting.study_evenings(people, run_in=0, devices=devices)[-1]
    assert (last.status[:, :, FIRST:] == MISSING).all()
    assert (last.status[:, :, :FIRST] != MISSING).any() == devices


def test_each_kind_is_asked_for_alone_and_its_errors_are_scored(
    compiled_model, people, monkeypatch
):
    queried = []
    real = prompting._with_prompts

    def spy(*arguments):
        batch = real(*arguments)
        assert not batch["target_mask"].any()
        queried.append(tuple(np.array(SPEC.parameter_names)[batch["theta_mask"][0]]))
        return batch

    monkeypatch.setattr(prompting, "_with_prompts", spy)
    study = parameter_prompting.parameter_study(compiled_model, people)
    kinds = [names for names, _ in parameter_prompting.QUERIES.values()]
    assert queried == [tuple(names) for names in kinds for _ in range(4)]
    rows = parameter_prompting.parameter_prompting_rows(study)
    found = {(row.policy, row.target): row for row in rows}
    assert len(found) == len(rows) == 3 * (16 + 3)
    alpha = found["random", "prompting for parameters | alpha"]
    errors = study["parameters", "random"]
    assert errors.shape == (PEOPLE, len(SPEC.parameters))
    assert alpha.mean == pytest.approx(np.sqrt(np.square(errors[:, 0]).mean()))
    assert alpha.metric == "rmse" and alpha.step == 4 and alpha.n == PEOPLE
    everything = found["aline", "prompting for parameters | all"].mean
    assert everything == pytest.approx(np.sqrt(np.square(study["parameters", "aline"]).mean()))


def test_the_shipped_model_measures_the_baseline_of_those_who_wear_nothing(monkeypatch):
    monkeypatch.setattr(prompting, "EVENINGS", 5)
    monkeypatch.setattr(parameter_prompting, "QUERIES", {"it": (("hrv_baseline",), False)})
    people = sample_cohort(4, 40, prompting.RUN_IN + 5, prompting.RUN_IN)
    study = parameter_prompting.parameter_study(Compiled(load_model()), people)
    rmse = {policy: np.sqrt(np.square(errors).mean()) for (_, policy), errors in study.items()}
    assert rmse["aline"] < 0.5 * rmse["random"]
