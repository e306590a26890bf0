"""Mistakes people made when they wrote a task of their own; each is refused in one sentence."""

import dataclasses

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task


class Elimination(Task):
    """The right one: how fast does a drug leave the blood?"""

    spec = TaskSpec(
        name="elimination",
        design_names=("hour",),
        design_low=(0.0,),
        design_high=(24.0,),
        fields=(Channel("log_concentration", loc=-2.0, scale=3.0),),
        outcomes=(Channel("log_concentration", loc=-2.0, scale=3.0),),
        parameters=(
            Parameter("log_dose", "real", loc=1.0, scale=0.5),
            Parameter("decay_time", "interval", low=1.0, high=12.0, unit="h"),
        ),
        horizon=6,
    )

    def sample_theta(self, seed, batch):
        dose, time = draws.split(seed, 2)
        return tf.concat(
            [draws.normal(dose, [batch, 1], 1.0, 0.5), draws.uniform(time, [batch, 1], 1.0, 12.0)],
            axis=1,
        )

    def simulate(self, theta, design, seed):
        mean = theta[:, None, :1] - design / theta[:, None, 1:]
        return mean + draws.normal(seed, tf.shape(mean), 0.0, 0.2)


SPEC = Elimination.spec


def respecified(**changes):
    return dataclasses.replace(SPEC, **changes)


class NoSimulate(Task):
    spec = SPEC
    sample_theta = Elimination.sample_theta


class NoPrior(Task):
    spec = SPEC
    simulate = Elimination.simulate


class NoSpec(Task):
    sample_theta = Elimination.sample_theta
    simulate = Elimination.simulate


class ShapeTheta(Elimination):
    def sample_theta(self, seed, batch):
        return super().sample_theta(seed, batch)[:, :1]


class ShapeY(Elimination):
    def simulate(self, theta, design, seed):
        return super().simulate(theta, design, seed)[..., 0]


class ShapeDesign(Elimination):
    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count], 0.0, 24.0)


class NoCandidates(Elimination):
    def sample_designs(self, seed, batch, count):
        return tf.zeros([batch, 0, 1])


class NaNAlways(Elimination):
    def simulate(self, theta, design, seed):
        return super().simulate(theta, design, seed) * float("nan")


class NaNSometimes(Elimination):
    """One outcome in 3000."""

    def simulate(self, theta, design, seed):
        y = super().simulate(theta, design, seed)
        rare = draws.uniform(draws.fold_in(seed, 9), tf.shape(y)) < 1 / 3000
        return tf.where(rare, float("nan"), y)


class OutsideSupport(Elimination):
    def sample_theta(self, seed, batch):
        return super().sample_theta(seed, batch) * tf.constant([[1.0, 3.0]])


class OutsideABit(Elimination):
    """One draw in 50."""

    def sample_theta(self, seed, batch):
        theta = super().sample_theta(seed, batch)
        rare = draws.uniform(draws.fold_in(seed, 3), [batch, 1]) < 0.02
        return tf.where(rare, theta * 12.0, theta)


class OutsideDesign(Elimination):
    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, 1], 0.0, 240.0)


class Float64(Elimination):
    def simulate(self, theta, design, seed):
        return tf.cast(super().simulate(theta, design, seed), tf.float64)


class Int(Elimination):
    def simulate(self, theta, design, seed):
        return tf.cast(super().simulate(theta, design, seed), tf.int32)


class AList(Elimination):
    def sample_theta(self, seed, batch):
        return [[1.0, 2.0]] * batch


class BinaryButReal(Elimination):
    spec = respecified(fields=(Channel("y", "binary"),), outcomes=(Channel("y", "binary"),))


class OrderedOut(Elimination):
    spec = respecified(
        fields=(Channel("y", "ordered", levels=5),), outcomes=(Channel("y", "ordered", levels=5),)
    )

    def simulate(self, theta, design, seed):
        return tf.round(tf.abs(super().simulate(theta, design, seed)))


class NegativeCount(Elimination):
    spec = respecified(fields=(Channel("y", "count"),), outcomes=(Channel("y", "count"),))

    def simulate(self, theta, design, seed):
        return tf.round(super().simulate(theta, design, seed))


class BinaryParameter(Elimination):
    spec = respecified(parameters=(Parameter("log_dose", "binary"), SPEC.parameters[1]))


class BinaryOfReal(Elimination):
    """The outcome that is predicted is of another kind than the field that is measured."""

    spec = respecified(outcomes=(Channel("y", "binary"),))


class IgnoresSeed(Elimination):
    def sample_theta(self, seed, batch):
        rng = np.random.default_rng(0)
        return tf.constant(rng.uniform([0, 1], [2, 12], (batch, 2)), tf.float32)


class SeedlessPrior(Elimination):
    def sample_theta(self, seed, batch):
        return tf.constant(np.random.default_rng().uniform([0, 1], [2, 12], (batch, 2)), tf.float32)


class SeedlessSimulator(Elimination):
    def simulate(self, theta, design, seed):
        mean = theta[:, None, :1] - design / theta[:, None, 1:]
        return mean + 0.2 * np.random.default_rng().normal(size=mean.shape).astype("f4")


class FrozenNoise(Elimination):
    def simulate(self, theta, design, seed):
        mean = theta[:, None, :1] - design / theta[:, None, 1:]
        return mean + 0.2 * np.random.default_rng(0).normal(size=mean.shape).astype("f4")


class PlainNumpy(Elimination):
    """What a NumPy user writes first."""

    def simulate(self, theta, design, seed):
        rng = np.random.default_rng(0)
        theta, design = np.asarray(theta), np.asarray(design)
        mean = theta[:, None, :1] - design / theta[:, None, 1:]
        return (mean + 0.2 * rng.normal(size=mean.shape)).astype(np.float32)


class Broken(Elimination):
    def simulate(self, theta, design, seed):
        return theta @ design


class WideLikelihood(Elimination):
    def log_likelihood(self, theta, design, outcome):
        return -tf.square(outcome)


class NaNLikelihood(Elimination):
    def log_likelihood(self, theta, design, outcome):
        return tf.math.log(-tf.square(outcome[..., 0]))


class NeedsArguments(Elimination):
    def __init__(self, noise):
        self.noise = noise


def function():
    return Elimination()
