"""A task that does not keep the contract is refused in words, before anything is trained."""

import time

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.spec import Channel, Parameter
from aline_tf.tasks import TASKS, task_by_name
from aline_tf.tasks.contract import check_contract
from aline_tf.tasks.task import Task
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.tasks import bad_tasks as bad
from tests.tasks.own_tasks import SIZES, DoseCounts
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


@pytest.mark.parametrize("name", list(TASKS))
def test_shipped_tasks_keep_the_contract(name):
    task = task_by_name(name)
    started = time.process_time()
    check_contract(task)
    first = time.process_time() - started
    check_contract(task)
    assert time.process_time() - started - first < 0.1
    assert first < 5.0


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (Unfinished, "to have simulate"),
        (Narrow, r"sample_theta of Narrow to return shape \[4, 2\]; received \[4, 1\]"),
        (OneDesignTooMany, r"sample_designs .* shape \[4, 3, 1\]; received \[4, 4, 1\]"),
        (Divided, "finite numbers from simulate of Divided"),
        (Faulty, "TaskSpec as its `spec`; received Faulty"),
        (lambda: np.zeros(3), "received ndarray"),
        (lambda: bad.Elimination, "received the class Elimination itself"),
        (lambda: bad.function, "received function"),
        (bad.NoSimulate, "expected NoSimulate to have simulate; received a task without it"),
        (bad.NoPrior, "expected NoPrior to have sample_theta"),
        (bad.NoSpec, "TaskSpec as its `spec`; received NoSpec"),
        (bad.ShapeTheta, r"return shape \[4, 2\]; received \[4, 1\]"),
        (bad.ShapeY, r"return shape \[4, 3, 1\]; received \[4, 3\]"),
        (bad.ShapeDesign, r"return shape \[4, 3, 1\]; received \[4, 3\]"),
        (bad.NoCandidates, r"return shape \[4, 3, 1\]; received \[4, 0, 1\]"),
        (bad.NaNAlways, "finite numbers from simulate of NaNAlways; received NaN"),
        (bad.NaNSometimes, r"finite numbers .* NaN or infinite ones \(\d+ of 32768 numbers\)"),
        (bad.OutsideSupport, r"sample_theta .* decay_time in \[1, 12\]; received"),
        (bad.OutsideABit, r"decay_time in \[1, 12\]; received .* of 4096 are not"),
        (bad.OutsideDesign, r"sample_designs .* draw hour in \[0, 24\]; received"),
        (bad.Float64, r"return float32; received float64 \(tf.cast"),
        (bad.Int, "return float32; received int32"),
        (bad.AList, "return a float32 tensor; received list"),
        (bad.BinaryButReal, "draw y as a whole number from 0 to 1; received"),
        (bad.OrderedOut, "draw y as a whole number from 0 to 4; received"),
        (bad.NegativeCount, "draw y as a whole number, 0 or more; received -"),
        (bad.BinaryParameter, "draw log_dose as 0 or 1; received"),
        (bad.BinaryOfReal, "draw y as a whole number from 0 to 1; received"),
        (bad.IgnoresSeed, "different draws from sample_theta of IgnoresSeed for different seeds"),
        (bad.SeedlessPrior, "equal draws from sample_theta of SeedlessPrior for equal seeds"),
        (bad.SeedlessSimulator, "equal draws from simulate of SeedlessSimulator for equal seeds"),
        (bad.FrozenNoise, "different draws from simulate of FrozenNoise for different seeds"),
        (bad.PlainNumpy, "PlainNumpy to draw inside tf.function.*aline_tf.tasks.NumpyTask"),
        (bad.Broken, r"simulate of Broken to draw shape \[4, 3, 1\]; received"),
        (bad.WideLikelihood, r"one number for each outcome, shape \[4, 3\]; received \[4, 3, 1\]"),
        (bad.NaNLikelihood, "finite log_likelihood of NaNLikelihood"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_task_that_breaks_it_is_told_what_was_expected(made, complaint):
    with pytest.raises(InputError, match=complaint) as refused:
        check_contract(made())
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("expected ") and "; received" in str(refused.value)


def test_a_trainer_refuses_before_it_trains():
    model = ALINE(bad.SPEC, **SIZES)
    with pytest.raises(InputError, match="finite numbers"):
        Trainer(model, bad.NaNSometimes()).compile()


def test_a_simulator_that_xla_cannot_compile_is_refused_only_when_xla_is_asked_for():
    check_contract(DoseCounts())
    with pytest.raises(InputError, match="jit_compile=False; received"):
        check_contract(DoseCounts(), jit_compile=True)
    check_contract(Coin(), jit_compile=True)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("NeedsArguments", "missing 1 required positional argument: 'noise'"),
        ("function", "expected a class of tasks .* or a task; received a function"),
        ("Nothing", "has no attribute 'Nothing'"),
    ],
)
def test_what_is_no_class_of_tasks_is_told_when_it_is_looked_for(name, complaint):
    with pytest.raises(InputError, match=complaint):
        task_by_name(f"tests.tasks.bad_tasks:{name}")


def test_a_task_may_be_named_as_an_object(monkeypatch):
    made = bad.Elimination()
    monkeypatch.setattr(bad, "MADE", made, raising=False)
    assert task_by_name("tests.tasks.bad_tasks:MADE") is made


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda: {"outcomes": (Channel("y", "counts"),)}, "kind='counts'"),
        (lambda: {"parameters": (Parameter("a", "uniform"),)}, "kind='uniform'"),
        (lambda: {"fields": ()}, "at least one channel. Received: fields="),
        (lambda: {"design_high": (0.0,)}, "low < high for 'hour'"),
        (lambda: {"one_of": (("minute", "day"),)}, "one_of to be a design dimension.*'minute'"),
        (lambda: {"one_of": (("hour", "hour"),)}, "from 0 to 1, once.*'hour'"),
        (lambda: {"one_of": ("hour", "minute")}, "groups of two design names or more"),
        (
            lambda: {"outcomes": (Channel("y"), Channel("z"))},
            "last 2 design dimensions, from 0 to 1 each, to be the one-hot",
        ),
    ],
)
def test_an_unusable_description_is_refused_where_it_is_written(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        bad.respecified(**change())


class Scarce(bad.Elimination):
    """Of whose episodes only some have anything to choose from."""

    least = 0

    def sample_episodes(self, seed, batch, candidates):
        episode = super().sample_episodes(seed, batch, candidates)
        some = (tf.range(batch) >= self.least)[:, None]
        return episode | {"candidate_mask": episode["candidate_mask"] & some}


@pytest.mark.parametrize(("least", "kept"), [(1, True), (2, True), (10_000, False)])
def test_episodes_may_leave_nothing_to_ask_but_not_all_of_them(least, kept):
    task = Scarce()
    task.least = least
    if kept:
        check_contract(task)
        return
    check_contract(task, policy=False)
    with pytest.raises(InputError, match="expected a candidate in some episode of Scarce"):
        check_contract(task)


def test_inference_alone_is_trained_where_nothing_can_be_asked():
    task, model = Scarce(), ALINE(bad.SPEC, **SIZES)
    task.least = 10_000
    trainer = Trainer(model, task)
    trainer.compile(recipe=Recipe(warmup_steps=1, joint_steps=0))
    with pytest.raises(InputError, match="for a policy to choose"):
        trainer.compile(recipe=Recipe(warmup_steps=1, joint_steps=1))
