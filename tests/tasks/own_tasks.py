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
