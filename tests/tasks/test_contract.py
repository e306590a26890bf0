"""A task that does not keep the contract is refused in words, before anything is trained."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.tasks import TASKS, task_by_name
from aline_tf.tasks.contract import check_contract
from aline_tf.tasks.task import Task
from tests.training.small_tasks import Coin


class Unfinished(Coin):
    simulate = Task.simulate


class Narrow(Coin):
    def sample_theta(self, seed, batch):
        return super().sample_theta(seed, batch)[:, :1]


class Divided(Coin):
    """Its outcomes are not numbers everywhere."""

    def simulate(self, theta, design, seed):
        return super().simulate(theta, design, seed) / tf.cast(design > 0.0, tf.float32)


class OneDesignTooMany(Coin):
    def sample_designs(self, seed, batch, count):
        return super().sample_designs(seed, batch, count + 1)


class Faulty(Task):
    pass


@pytest.mark.parametrize("name", [name for name in TASKS if name != "migraine"])
def test_shipped_tasks_keep_the_contract(name):
    check_contract(task_by_name(name))


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (Unfinished, "to have simulate"),
        (Narrow, r"sample_theta of Narrow to return shape \[4, 2\]; received \[4, 1\]"),
        (OneDesignTooMany, r"sample_designs .* shape \[4, 3, 1\]; received \[4, 4, 1\]"),
        (Divided, "finite numbers from simulate of Divided"),
        (Faulty, "TaskSpec as its `spec`; received Faulty"),
        (lambda: np.zeros(3), "received ndarray"),
    ],
    ids=["unfinished", "narrow", "too many", "not a number", "no spec", "no task"],
)
def test_a_task_that_breaks_it_is_told_what_was_expected(made, complaint):
    with pytest.raises(InputError, match=complaint):
        check_contract(made())
