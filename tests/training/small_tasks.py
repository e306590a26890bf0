"""Tasks small enough to enumerate, to solve exactly, or to write down in thirty lines."""

import tensorflow as tf

from aline_tf import draws
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task

SIZES = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 16, "components": 3}


class Coin(Task):
    """A task of one's own: how often does a coin land heads when it is thrown at angle x?"""

    spec = TaskSpec(
        name="coin",
        design_names=("angle",),
        design_low=(-1.0,),
        design_high=(1.0,),
        fields=(Channel("heads", "binary"),),
        outcomes=(Channel("heads", "binary"),),
        parameters=(Parameter("bias", "real"), Parameter("tilt", "real")),
        horizon=3,
    )
    predictions = 2

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 2])

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, 1], -1.0, 1.0)

    def simulate(self, theta, design, seed):
        logit = theta[:, None, :1] + theta[:, None, 1:] * design
        return draws.bernoulli(seed, tf.sigmoid(logit))


#: Every task is checked against its contract once before it is trained; this one once for all.
COIN = Coin()


class ConjugateNormal(Task):
    """theta ~ N(0, 1), y ~ N(theta, NOISE): the posterior after n outcomes is normal, with
    precision 1 + n / NOISE^2 and mean sum(y) / NOISE^2 / precision. The design has no effect."""

    NOISE = 0.7
    spec = TaskSpec(
        name="conjugate_normal",
        design_names=("unused",),
        design_low=(-1.0,),
        design_high=(1.0,),
        fields=(Channel("y", scale=1.2),),
        outcomes=(Channel("y", scale=1.2),),
        parameters=(Parameter("theta", "real"),),
        horizon=6,
    )
    predictions = 1

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 1])

    def sample_designs(self, seed, batch, count):
        return tf.zeros([batch, count, 1])

    def simulate(self, theta, design, seed):
        shape = tf.shape(design)
        return theta[:, None] + draws.normal(seed, shape, 0.0, self.NOISE)

    def log_posterior(self, theta, outcome, seen):
        """Exact log p(theta | outcomes): theta [B], outcome [B, C], seen bool [B, C] -> [B]."""
        seen = tf.cast(seen, tf.float32)
        precision = 1.0 + tf.reduce_sum(seen, 1) / self.NOISE**2
        mean = tf.reduce_sum(seen * outcome, 1) / self.NOISE**2 / precision
        return 0.5 * (tf.math.log(precision / 6.2831853) - precision * tf.square(theta - mean))


class BaseRates(Task):
    """Nothing to learn but base rates: a rating of fixed frequencies and an event of chance .3."""

    RATING = (0.1, 0.2, 0.4, 0.3)
    EVENT = 0.3
    spec = TaskSpec(
        name="base_rates",
        design_names=("is_rating", "is_event"),
        design_low=(0.0, 0.0),
        design_high=(1.0, 1.0),
        fields=(Channel("rating", "ordered", levels=4),),
        outcomes=(Channel("rating", "ordered", levels=4), Channel("event", "binary")),
        parameters=(Parameter("unused", "binary"),),
        horizon=2,
    )
    predictions = 2

    def sample_theta(self, seed, batch):
        return draws.bernoulli(seed, tf.fill([batch, 1], 0.8))

    def sample_designs(self, seed, batch, count):
        kind = draws.bernoulli(seed, tf.fill([batch, count], 0.5))
        return tf.stack([kind, 1.0 - kind], axis=-1)

    def simulate(self, theta, design, seed):
        rating_seed, event_seed = draws.split(seed, 2)
        shape = tf.shape(design)[:2]
        logits = tf.broadcast_to(tf.math.log(tf.constant(self.RATING)), [*tf.unstack(shape), 4])
        rating = tf.cast(draws.categorical(rating_seed, logits), tf.float32)
        event = draws.bernoulli(event_seed, tf.fill(shape, self.EVENT))
        return tf.where(design[..., 0] > 0.5, rating, event)[..., None]


class OneEpisode(Task):
    """Always the same recorded episode with three candidates: every policy can be enumerated."""

    OUTCOMES = (-1.5, 0.2, 2.0)
    spec = TaskSpec(
        name="one_episode",
        design_names=("place",),
        design_low=(-1.0,),
        design_high=(1.0,),
        fields=(Channel("y"),),
        outcomes=(Channel("y"),),
        parameters=(Parameter("theta", "real"),),
        horizon=2,
    )
    predictions = 0

    def sample_theta(self, seed, batch):
        return tf.fill([batch, 1], 1.0)

    def sample_designs(self, seed, batch, count):
        return tf.repeat(tf.constant([[[-0.8], [0.1], [0.9]]])[:, :count], batch, axis=0)

    def simulate(self, theta, design, seed):
        count = design.shape[1]
        return tf.repeat(tf.constant(self.OUTCOMES)[None, :count, None], theta.shape[0], axis=0)


class SometimesBroken(Coin):
    """A simulator with a defect that no first look finds: one call in ten is NaN."""

    def simulate(self, theta, design, seed):
        outcome = super().simulate(theta, design, seed)
        broken = draws.uniform(draws.fold_in(seed, 9), []) < 0.1
        return tf.where(broken, float("nan"), outcome)
