"""What the base class makes of a simulator, and how tasks are found by name."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import EPISODE_FIELDS, OBSERVED, field_dtype
from aline_tf.errors import InputError
from aline_tf.tasks import TASKS, task_by_name
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.tasks.task import Task
from tests.training.small_tasks import Coin


@pytest.fixture(scope="module")
def episode():
    return Psychometric().sample_episodes(draws.as_seed(1), 6, 9)


def test_an_episode_has_every_field_in_its_shape_and_dtype(episode):
    sizes = {"B": 6, "C": 0, "D": 1, "F": 1, "P": 4, "M": Psychometric.predictions, "N": 9}
    assert set(episode) == set(EPISODE_FIELDS)
    for name, letters in EPISODE_FIELDS.items():
        assert tuple(episode[name].shape) == tuple(sizes[letter] for letter in letters), name
        assert episode[name].dtype == field_dtype(name), name


def test_an_episode_starts_with_nothing_known_and_everything_recorded(episode):
    assert not episode["known_mask"].numpy().any()
    selected = episode["theta_mask"].numpy().any(axis=1), episode["target_mask"].numpy().any(axis=1)
    assert np.logical_or(*selected).all()
    for name in ("candidate_mask", "theta_observed", "target_observed"):
        assert episode[name].numpy().all()
    assert (episode["candidate_status"].numpy() == OBSERVED).all()
    assert (episode["candidate_cost"].numpy() == 1.0).all()


def test_equal_seeds_give_equal_episodes_in_eager_and_graph(episode):
    compiled = tf.function(lambda seed: Psychometric().sample_episodes(seed, 6, 9))
    for other in (Psychometric().sample_episodes(draws.as_seed(1), 6, 9), compiled([1, 0])):
        for name, value in episode.items():
            np.testing.assert_array_equal(value, other[name])
    different = Psychometric().sample_episodes(draws.as_seed(2), 6, 9)
    assert (different["theta"].numpy() != episode["theta"].numpy()).all()


def test_a_simulator_must_be_given():
    for call in (
        lambda: Task().sample_theta(draws.as_seed(1), 2),
        lambda: Task().simulate(None, None, draws.as_seed(1)),
    ):
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(AttributeError, match="spec"):
        Task().sample_designs(draws.as_seed(1), 2, 3)
    assert Task.log_likelihood is None


def test_shipped_tasks_are_found_by_name():
    assert isinstance(task_by_name("psychometric"), Psychometric)
    assert set(TASKS) >= {"psychometric", "migraine"}


def test_a_task_of_ones_own_is_found_by_module_and_class():
    task = task_by_name("aline_tf.tasks.psychometric:Psychometric")
    assert isinstance(task, Psychometric)


@pytest.mark.parametrize(
    "name", ["psychometrics", "no_such_module:Task", "aline_tf.tasks.psychometric:Absent"]
)
def test_an_unknown_task_is_refused(name):
    with pytest.raises(InputError, match="expected a task"):
        task_by_name(name)


class OfUnknownShape(Coin):
    """NumPy in a TensorFlow function, which tells a graph no shape."""

    rows = 0

    def simulate(self, theta, design, seed):
        rows = slice(self.rows, None)
        return tf.numpy_function(
            lambda theta, design: (theta[:, None, :1] * design)[rows], [theta, design], tf.float32
        )


def test_a_draw_of_no_known_shape_is_given_the_one_it_has_to_have():
    task = OfUnknownShape()
    drawn = tf.function(lambda seed: task.sample_episodes(seed, 4, 3), autograph=False)
    known = drawn.get_concrete_function(tf.TensorSpec([2], tf.int32)).structured_outputs
    assert known["candidate_outcome"].shape.as_list() == [4, 3, 1]
    assert known["target_outcome"].shape.as_list() == [4, task.predictions]
    assert drawn(draws.as_seed(1))["candidate_outcome"].shape == (4, 3, 1)


def test_a_draw_of_another_shape_is_not_broadcast():
    task = OfUnknownShape()
    task.rows = 3  # one is left, as if for all
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="shape"):
        tf.function(lambda seed: task.sample_episodes(seed, 4, 3), autograph=False)(
            draws.as_seed(1)
        )
