"""A simulator in plain NumPy: seeded inside the compiled graph, checked, trained."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.tasks import NumpyTask
from aline_tf.tasks.contract import check_contract
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.seeds import seed_weights
from tests.tasks.own_tasks import RECIPE, DoseCounts, Drugs
from tests.tasks.own_tasks import SIZES as LARGER

SIZES = LARGER | {"num_layers": 1}


class NumpyDose(NumpyTask):
    """The task of counts, as a NumPy user writes it."""

    spec = DoseCounts.spec

    def sample_theta(self, rng, batch):
        return rng.uniform([5, 0.5, 0], [40, 8, 5], (batch, 3))

    def simulate(self, rng, theta, design):
        top, decay, floor = np.split(theta[:, None], 3, axis=2)
        return rng.poisson(top * np.exp(-design / decay) + floor)


class OwnPool(NumpyDose):
    def sample_designs(self, rng, batch, count):
        return 1.0 + 0.5 * super().sample_designs(rng, batch, count)


@pytest.fixture(scope="module")
def episodes():
    task = NumpyDose()
    return tf.function(lambda seed: task.sample_episodes(seed, 6, 5), autograph=False)


def test_equal_seeds_give_equal_draws_and_others_different_ones_inside_a_compiled_graph(episodes):
    one, same, other = (episodes(draws.as_seed(seed)) for seed in (1, 1, 2))
    for name in ("theta", "candidate_design", "candidate_outcome", "target_outcome"):
        np.testing.assert_array_equal(one[name], same[name])
        assert (one[name].numpy() != other[name].numpy()).any(), name
    eager = NumpyDose().sample_episodes(draws.as_seed(1), 6, 5)
    np.testing.assert_array_equal(one["candidate_outcome"], eager["candidate_outcome"])


def test_rows_and_methods_have_randomness_of_their_own():
    task, seed = NumpyDose(), draws.as_seed(1)
    theta = task.sample_theta(seed, 4)
    assert len(np.unique(theta[:, 0])) == 4
    twice = np.repeat(theta[:1], 2, 0)
    outcome = task.simulate(twice, tf.ones([2, 50, 1]), seed).numpy()
    assert (outcome[0] != outcome[1]).any()


def test_its_prior_and_outcomes_are_those_of_the_same_task_in_tensorflow():
    numpy_task, other = NumpyDose(), DoseCounts()
    theta = numpy_task.sample_theta(draws.as_seed(1), 4000).numpy()
    np.testing.assert_allclose(
        theta.mean(0), other.sample_theta(draws.as_seed(1), 4000).numpy().mean(0), rtol=0.05
    )
    theta, design = np.float32([[20, 3, 2]] * 4000), np.ones([4000, 1, 1], np.float32)
    found = numpy_task.simulate(theta, design, draws.as_seed(3)).numpy()
    rate = 20 * np.exp(-1 / 3) + 2
    np.testing.assert_allclose([found.mean(), found.var()], rate, rtol=0.06)


def test_a_generator_may_be_given_to_try_a_method_by_hand():
    rng, task = np.random.default_rng(1), OwnPool()
    theta = task.sample_theta(rng, 2)
    assert isinstance(theta, np.ndarray)
    design = task.sample_designs(rng, 2, 3)
    assert np.asarray(design).shape == (2, 3, 1)
    assert task.simulate(rng, theta, np.asarray(design)).shape == (2, 3, 1)


def test_a_pool_of_ones_own_may_begin_with_the_default():
    design = OwnPool().sample_designs(draws.as_seed(1), 40, 20).numpy()
    assert 1.0 <= design.min() < 1.2 and 5.8 < design.max() <= 6.0


def test_it_keeps_the_contract_and_trains_in_both_phases():
    check_contract(OwnPool())
    task = NumpyDose()
    check_contract(task)
    seed_weights(1)
    trainer = Trainer(ALINE(task.spec, **SIZES), task)
    trainer.compile(recipe=Recipe(**RECIPE), seed=1)
    history = trainer.fit(epochs=1, steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["loss"][0])
    assert "slower" in task.note


def test_it_is_learned_as_fast_as_its_twin_in_tensorflow():
    """The same prior drawn once and for all would be learned by heart."""
    found = []
    for task in (NumpyDose(), DoseCounts()):
        seed_weights(0)
        model = ALINE(task.spec, **SIZES)
        trainer = Trainer(model, task)
        recipe = RECIPE | {"warmup_batch": 32, "warmup_steps": 100, "joint_steps": 0}
        trainer.compile(recipe=Recipe(**recipe, learning_rate=4e-3), seed=1)
        trainer.fit(epochs=1, steps_per_epoch=100, verbose=0)
        episode = DoseCounts().sample_episodes(draws.as_seed(9), 300, 6)
        log_prob = model.theta_log_prob(model(episode), episode["theta"])
        found.append(float(tf.reduce_mean(log_prob)))
    assert abs(found[0] - found[1]) < 0.3


def test_xla_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="jit_compile=False; received"):
        Trainer(ALINE(DoseCounts.spec, **SIZES), NumpyDose()).compile(jit_compile=True)


class Flat(NumpyDose):
    def simulate(self, rng, theta, design):
        return rng.poisson(3.0, size=design.shape[:2])


class Raises(NumpyDose):
    def simulate(self, rng, theta, design):
        raise KeyError("no such dose")


class Divides(NumpyDose):
    def simulate(self, rng, theta, design):
        return np.full(design.shape, np.nan)


class Words(NumpyDose):
    def sample_theta(self, rng, batch):
        return np.full((batch, 3), "ten")


class IgnoresItsGenerator(NumpyDose):
    def sample_theta(self, rng, batch):
        return np.random.default_rng(0).uniform([5, 0.5, 0], [40, 8, 5], (batch, 3))


class AnotherSource(NumpyDose):
    def simulate(self, rng, theta, design):
        return np.random.default_rng().poisson(3.0, size=design.shape)


class Unfinished(NumpyTask):
    spec = DoseCounts.spec

    def sample_theta(self, rng, batch):
        return rng.uniform([5, 0.5, 0], [40, 8, 5], (batch, 3))


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (Flat, r"simulate of Flat to return numbers of shape \[4, 3, 1\]; received int64 \[4, 3\]"),
        (Raises, r"simulate of Raises to draw numbers .*; received KeyError: 'no such dose'"),
        (Divides, "finite numbers from simulate of Divides"),
        (Words, "sample_theta of Words to return numbers of shape"),
        (IgnoresItsGenerator, "different draws from sample_theta .* for different seeds"),
        (AnotherSource, "equal draws from simulate of AnotherSource for equal seeds"),
        (Unfinished, "Unfinished to have simulate"),
    ],
)
def test_each_mistake_is_one_sentence(made, complaint):
    with pytest.raises(InputError, match=complaint) as refused:
        check_contract(made())
    assert "\n" not in str(refused.value)


def test_a_method_with_the_arguments_of_a_tensorflow_task_is_refused_where_it_is_written():
    with pytest.raises(InputError, match=r"expected simulate\(self, rng, theta, design\)"):

        class Wrong(NumpyTask):
            spec = Drugs.spec

            def simulate(self, theta, design):
                return theta


def test_a_failure_in_the_middle_of_training_is_told_in_its_own_words():
    class Late(NumpyDose):
        calls = 0

        def simulate(self, rng, theta, design):
            type(self).calls += 1
            if self.calls > 60:
                raise ZeroDivisionError("the pump ran dry")
            return super().simulate(rng, theta, design)

    task = Late()
    trainer = Trainer(ALINE(task.spec, **SIZES), task)
    trainer.compile(recipe=Recipe(**RECIPE | {"warmup_steps": 200, "joint_steps": 0}), seed=1)
    with pytest.raises(InputError, match="received ZeroDivisionError: the pump ran dry"):
        trainer.fit(epochs=1, steps_per_epoch=100, verbose=0)
