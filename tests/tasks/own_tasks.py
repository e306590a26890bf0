"""Tasks as people write their own: counts, several dimensions, one of k, vectors of outcomes."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task

SIZES = {
    "hidden_dim": 16,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 32,
    "components": 4,
}


class DoseCounts(Task):
    """Counts that decay with dose: y ~ Poisson(top exp(-dose / decay) + floor)."""

    spec = TaskSpec(
        name="dose_counts",
        design_names=("dose",),
        design_low=(0.0,),
        design_high=(10.0,),
        fields=(Channel("count", "count", loc=10.0, scale=10.0),),
        outcomes=(Channel("count", "count", loc=10.0, scale=10.0),),
        parameters=(
            Parameter("top", "interval", low=5.0, high=40.0),
            Parameter("decay", "interval", low=0.5, high=8.0),
            Parameter("floor", "interval", low=0.0, high=5.0),
        ),
        horizon=8,
    )

    def sample_theta(self, seed, batch):
        low, high = np.float32([5, 0.5, 0]), np.float32([40, 8, 5])
        return low + (high - low) * draws.uniform(seed, [batch, 3])

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, 1], 0.0, 10.0)

    @staticmethod
    def rate(theta, design):
        top, decay, floor = (theta[..., i : i + 1] for i in range(3))
        return top * tf.exp(-design / decay) + floor

    def simulate(self, theta, design, seed):
        rate = self.rate(theta[:, None], design)
        return tf.random.stateless_poisson(tf.shape(rate), seed, rate, tf.float32)

    def log_likelihood(self, theta, design, outcome):
        rate = self.rate(theta, design)
        each = outcome * tf.math.log(rate) - rate - tf.math.lgamma(outcome + 1.0)
        return tf.reduce_sum(each, -1)


_EFFECTS = tuple(Parameter(f"effect_{drug}", "real") for drug in "abc")


class Drugs(Task):
    """Two numbers and one of three drugs: y ~ N(effect of the drug * dose * age / 1000, .3^2)."""

    spec = TaskSpec(
        name="drugs",
        design_names=("dose", "age", "drug_a", "drug_b", "drug_c"),
        design_low=(0.0, 20.0, 0.0, 0.0, 0.0),
        design_high=(10.0, 80.0, 1.0, 1.0, 1.0),
        fields=(Channel("response"),),
        outcomes=(Channel("response"),),
        parameters=_EFFECTS,
        horizon=6,
        one_of=(("drug_a", "drug_b", "drug_c"),),
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 3])

    def simulate(self, theta, design, seed):
        effect = tf.einsum("bp,bnp->bn", theta, design[..., 2:])
        mean = (effect * design[..., 0] * design[..., 1] / 1000.0)[..., None]
        return mean + draws.normal(seed, tf.shape(mean), 0.0, 0.3)


class TwoOutcomes(Task):
    """A measurement gives two numbers, and each of them can be asked about."""

    spec = TaskSpec(
        name="two_outcomes",
        design_names=("x", "is_line", "is_parabola"),
        design_low=(-1.0, 0.0, 0.0),
        design_high=(1.0, 1.0, 1.0),
        fields=(Channel("line"), Channel("parabola")),
        outcomes=(Channel("line"), Channel("parabola")),
        parameters=(Parameter("a", "real"), Parameter("b", "real")),
        horizon=4,
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 2])

    def simulate(self, theta, design, seed):
        x = design[..., :1]
        mean = tf.concat([theta[:, None, :1] * x, 10.0 + theta[:, None, 1:] * x**2], -1)
        return mean + draws.normal(seed, tf.shape(mean), 0.0, 0.1)


class Twelve(Task):
    """Twelve design dimensions and as many parameters."""

    spec = TaskSpec(
        name="twelve",
        design_names=tuple(f"x{i}" for i in range(12)),
        design_low=(-1.0,) * 12,
        design_high=(1.0,) * 12,
        fields=(Channel("y", scale=2.0),),
        outcomes=(Channel("y", scale=2.0),),
        parameters=tuple(Parameter(f"w{i}", "real") for i in range(12)),
        horizon=5,
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 12])

    def simulate(self, theta, design, seed):
        mean = tf.einsum("bp,bnp->bn", theta, design)[..., None]
        return mean + draws.normal(seed, tf.shape(mean), 0.0, 0.3)


class VectorOneOutcome(TwoOutcomes):
    """Two numbers are measured, the first is asked about."""

    spec = TaskSpec(
        name="vector_one_outcome",
        design_names=("x",),
        design_low=(-1.0,),
        design_high=(1.0,),
        fields=(Channel("line"), Channel("parabola")),
        outcomes=(Channel("line"),),
        parameters=(Parameter("a", "real"), Parameter("b", "real")),
        horizon=4,
    )


class NoParameters(DoseCounts):
    """Nothing but predictions is of interest: every draw is another curve."""

    spec = TaskSpec(
        name="no_parameters",
        design_names=("dose",),
        design_low=(0.0,),
        design_high=(10.0,),
        fields=(Channel("count", "count", loc=10.0, scale=10.0),),
        outcomes=(Channel("count", "count", loc=10.0, scale=10.0),),
        parameters=(),
        horizon=3,
    )
    log_likelihood = None

    def sample_theta(self, seed, batch):
        return tf.zeros([batch, 0])

    def simulate(self, theta, design, seed):
        theta = DoseCounts.sample_theta(self, draws.fold_in(seed, 1), design.shape[0])
        return DoseCounts.simulate(self, theta, design, seed)


RECIPE = {
    "batch": 4,
    "warmup_batch": 4,
    "warmup_steps": 1,
    "joint_steps": 1,
    "pool": 8,
    "candidates_per_step": 6,
    "steps_per_episode": 2,
    "group_size": 2,
}
