"""Schedules of a training run: the learning rate, and the weights of losses."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from aline_tf.training.recipe import Recipe


def anneal(start: float, end: float, fraction) -> tf.Tensor:
    """Geometric interpolation from start to end (linear when one of them is 0).

    Args:
        start, end: not negative.
        fraction: of the way; what is outside [0, 1] is cut off.

    Returns:
        float32 scalar.
    """
    fraction = tf.clip_by_value(tf.cast(fraction, tf.float32), 0.0, 1.0)
    if start > 0 and end > 0:
        return start * tf.pow(end / start, fraction)
    return start + (end - start) * fraction


@keras.saving.register_keras_serializable("aline_tf")
class CosineRate(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise over the first `ramp` steps, then a cosine from `peak` to `final`.

        >>> rate = CosineRate(1e-3, 1e-5, steps=1000)
        >>> [f"{float(rate(step)):.2g}" for step in (0, 99, 1000)]
        ['1e-05', '0.00098', '1e-05']

    Args:
        peak, final: learning rates.
        steps: when `final` is reached, unless there is a restart.
        ramp: steps of the rise.
        restart: a step at which the first cosine ends and a second one begins, which ends at
            `steps`; None for one cosine.
        restart_peak: where the second one begins.
    """

    def __init__(self, peak, final, steps, ramp=100, restart=None, restart_peak=None):
        self.peak, self.final, self.steps, self.ramp = peak, final, steps, ramp
        self.restart, self.restart_peak = restart, restart_peak

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rise = tf.minimum(1.0, (step + 1.0) / self.ramp)
        if self.restart is None:
            return rise * self._cosine(self.peak, step / max(self.steps, 1))
        first = rise * self._cosine(self.peak, step / max(self.restart, 1))
        since = (step - self.restart) / max(self.steps - self.restart, 1)
        return tf.where(since < 0.0, first, self._cosine(self.restart_peak, since))

    def _cosine(self, peak, fraction):
        turn = 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(fraction, 0.0, 1.0)))
        return self.final + (peak - self.final) * turn

    def get_config(self):
        return {
            "peak": self.peak,
            "final": self.final,
            "steps": self.steps,
            "ramp": self.ramp,
            "restart": self.restart,
            "restart_peak": self.restart_peak,
        }


def recipe_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """AdamW with the schedule of a recipe.

    Args:
        recipe: its `optimizer` part says how, its phases how long.
    """
    settings, phases = recipe.optimizer, recipe.phases
    restarts = settings.joint_learning_rate is not None
    return keras.optimizers.AdamW(
        CosineRate(
            settings.learning_rate,
            settings.final_learning_rate,
            recipe.steps,
            restart=phases.warmup_steps if restarts else None,
            restart_peak=settings.joint_learning_rate,
        ),
        weight_decay=settings.weight_decay,
        global_clipnorm=settings.clip_norm,
    )
