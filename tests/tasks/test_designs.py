"""Designs of several dimensions, one of k, and several outcomes: drawn, trained, asked."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.spec import Channel, TaskSpec
from aline_tf.tasks.contract import check_contract
from aline_tf.tasks.task import uniform_designs
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.graphs import without_graphs
from tests.seeds import seed_weights
from tests.tasks import own_tasks
from tests.tasks.own_tasks import RECIPE, SIZES, Drugs, Twelve, TwoOutcomes, VectorOneOutcome


def trained(task, joint_steps=0):
    """A model after a step of warm-up, and perhaps one with its policy."""
    seed_weights(1)
    model = ALINE(task.spec, **SIZES)
    trainer = Trainer(model, task)
    trainer.compile(recipe=Recipe(**RECIPE | {"joint_steps": joint_steps}), seed=1)
    with without_graphs():
        trainer.fit(epochs=1, steps_per_epoch=1 + joint_steps, verbose=0)
    return model


def test_pools_are_uniform_between_the_bounds_and_have_one_of_each_group():
    design = uniform_designs(Drugs.spec, draws.as_seed(1), 50, 200).numpy()
    assert (design[..., 2:].sum(-1) == 1).all() and np.isin(design[..., 2:], (0, 1)).all()
    np.testing.assert_allclose(design[..., 2:].mean((0, 1)), 1 / 3, atol=0.02)
    for column, (low, high) in enumerate(((0, 10), (20, 80))):
        values = design[..., column]
        assert low < values.min() < low + 0.01 * (high - low)
        assert high > values.max() > high - 0.01 * (high - low)
        np.testing.assert_allclose(values.mean(), (low + high) / 2, rtol=0.02)


def test_a_description_with_groups_goes_through_json_and_older_ones_are_unchanged():
    config = Drugs.spec.to_dict()
    assert TaskSpec.from_dict(config) == Drugs.spec
    assert config["one_of"] == (("drug_a", "drug_b", "drug_c"),)
    assert "one_of" not in Twelve.spec.to_dict()


@pytest.mark.parametrize(
    ("made", "joint_steps"), [(Drugs, 1), (Twelve, 0), (TwoOutcomes, 1), (VectorOneOutcome, 0)]
)
def test_each_keeps_the_contract_trains_and_is_asked(made, joint_steps):
    task = made()
    model = trained(task, joint_steps)
    pool = task.sample_designs(draws.as_seed(3), 1, 12)[0].numpy()
    session = Session(model, pool)
    fields = len(task.spec.fields)
    session.tell(session.ask().index, [0.4, *[np.nan] * (fields - 1)])
    session.tell(session.ask().index, [0.1] * fields)
    assert all(np.isfinite(m.mean) for m in session.posterior().values())
    assert len(session.predict(pool[:2])) == 2


@pytest.mark.parametrize("column", [2, 4])
def test_a_pool_with_two_drugs_or_none_is_refused(column):
    class Wrong(Drugs):
        def sample_designs(self, seed, batch, count):
            design = super().sample_designs(seed, batch, count)
            changed = tf.one_hot(column, 5) * (1.0 if column == 2 else -1.0)
            return tf.clip_by_value(design + changed, 0.0, [10.0, 80.0, 1.0, 1.0, 1.0])

    with pytest.raises(InputError, match="1 for exactly one of drug_a, drug_b, drug_c"):
        check_contract(Wrong())


def test_each_of_several_outcomes_is_asked_about_with_its_own_answer():
    task = TwoOutcomes()
    episode = task.sample_episodes(draws.as_seed(1), 40, 3)
    code = episode["target_design"][..., 1:].numpy()
    assert (code.sum(-1) == 1).all() and 0.3 < code[..., 0].mean() < 0.7
    # Candidates are measurements: of both at once.
    assert not episode["candidate_design"][..., 1:].numpy().any()
    line, answers = code[..., 0] == 1, episode["target_outcome"].numpy()
    assert (np.abs(answers[line]) < 6).all() and (answers[~line] > 5).all()


def test_a_prediction_of_several_outcomes_is_of_the_one_its_code_names():
    seed_weights(0)
    model = ALINE(TwoOutcomes.spec, **SIZES)
    trainer = Trainer(model, TwoOutcomes())
    recipe = RECIPE | {"warmup_batch": 32, "warmup_steps": 150, "joint_steps": 0}
    trainer.compile(recipe=Recipe(**recipe, learning_rate=5e-3), seed=1)
    trainer.fit(epochs=1, steps_per_epoch=150, verbose=0)
    session = Session(model, [[0.0, 0.0, 0.0]])
    line, parabola = session.predict([[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]])
    assert abs(line.mean) < 3 and abs(parabola.mean - 10) < 4


def test_several_outcomes_that_are_no_fields_need_episodes_of_their_own():
    class Other(TwoOutcomes):
        spec = dataclasses.replace(TwoOutcomes.spec, outcomes=(Channel("line"), Channel("cubic")))

    with pytest.raises(InputError, match=r"to be a field of task 'two_outcomes'.*'cubic'"):
        check_contract(Other())


def test_a_task_without_parameters_is_after_its_predictions():
    task = own_tasks.NoParameters()
    check_contract(task)
    episode = task.sample_episodes(draws.as_seed(1), 3, 4)
    assert episode["target_mask"].numpy().all()
    model = trained(task, joint_steps=1)
    session = Session(model, np.linspace(0, 10, 6)[:, None], target_designs=[[5.0]])
    session.tell(session.ask().index, 7)
    assert np.isfinite(session.predict([[5.0]])[0].mean)
