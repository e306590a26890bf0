"""compile / fit around the pure losses: `Trainer`, a Keras model of a network and its task."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from aline_tf import draws
from aline_tf.runtime.malloc import keep_memory
from aline_tf.tasks.contract import check_contract
from aline_tf.training.callbacks import StopWhenNotFinite
from aline_tf.training.phases import (
    joint_loss,
    loss_of_played,
    play,
    refreshing_loss,
    warmup_loss,
)
from aline_tf.training.recipe import Recipe
from aline_tf.training.rollout import some_rows

METRICS = ("loss", "inference", "reward", "entropy", "policy", "teacher")


@keras.saving.register_keras_serializable("aline_tf")
class CosineRate(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise over the first `ramp` steps, then a cosine from `peak` to `final`.

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


class Trainer(keras.Model):
    """Trains a network on the episodes of a task.

        trainer = Trainer(network, task)
        trainer.compile(Recipe(warmup_steps=500, joint_steps=200), seed=1)
        trainer.fit(epochs=14, steps_per_epoch=50, callbacks=[...])

    There is no data to hand over: step k draws its episodes from (seed, k), where k is the
    optimiser's own step counter. So a run is reproduced by its seed, and a run that was killed and
    restored by `keras.callbacks.BackupAndRestore` follows the curve it would have followed.

    Args:
        network: an `ALINE` model.
        task: a `Task` with the same specification.
    """

    def __init__(self, network, task, **kwargs):
        super().__init__(**kwargs)
        if network.spec != task.spec:
            raise ValueError(
                f"Expected a network of task {task.spec.name!r}. "
                f"Received: one of {network.spec.name!r}"
            )
        # Steps go through gigabytes of tensors.
        keep_memory()
        self.network = network
        self.task = task
        if not network.built:
            network.build()
        self.built = True

    def compile(self, recipe: Recipe | None = None, optimizer=None, seed: int = 0, **kwargs):
        """Chooses the recipe.

        Args:
            recipe: a `Recipe`; the default one when None.
            optimizer: a Keras optimiser; AdamW with the recipe's schedule when None.
            seed: of everything random.
            **kwargs: of `keras.Model.compile` (jit_compile, run_eagerly, ...).

        Raises:
            ValueError: the recipe cannot train this task.
        """
        self.recipe = recipe = recipe or Recipe()
        recipe.check_task(self.task)
        check_contract(self.task)
        self.seed = int(seed)
        if optimizer is None:
            restarts = recipe.joint_learning_rate is not None
            optimizer = keras.optimizers.AdamW(
                CosineRate(
                    recipe.learning_rate,
                    recipe.final_learning_rate,
                    recipe.steps,
                    restart=recipe.warmup_steps if restarts else None,
                    restart_peak=recipe.joint_learning_rate,
                ),
                weight_decay=recipe.weight_decay,
                global_clipnorm=recipe.clip_norm,
            )
        kwargs.setdefault("jit_compile", False)
        super().compile(optimizer=optimizer, **kwargs)
        self._means = {name: keras.metrics.Mean(name=name) for name in METRICS}
        optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        return list(getattr(self, "_means", {}).values())

    def call(self, batch):
        return self.network(batch)

    def step_gradients(self, step) -> tuple[list[tf.Tensor], dict[str, tf.Tensor]]:
        """Gradients and metrics of step `step` (int scalar): a pure function of the weights,
        the seed and the step."""
        recipe = self.recipe
        seed = draws.fold_in(draws.as_seed(self.seed), step)

        def warmup():
            return self._gradients(lambda: warmup_loss(self.network, self.task, recipe, seed))

        def joint():
            done = tf.cast(step - recipe.warmup_steps, tf.float32)
            progress = done / max(recipe.joint_steps - 1, 1)
            if recipe.portions > 1:
                return self._joint_in_portions(seed, progress)
            return self._gradients(
                lambda: joint_loss(self.network, self.task, recipe, seed, progress)
            )

        if recipe.joint_steps == 0:
            return warmup()
        if recipe.warmup_steps == 0:
            return joint()
        return tf.cond(step < recipe.warmup_steps, warmup, joint)

    def _joint_in_portions(self, seed, progress):
        """Gradients and metrics of the joint loss, a part of the episodes after the other: what a
        part keeps for its backward pass is gone before the next one begins."""
        recipe = self.recipe
        played = play(self.network, self.task, recipe, seed, progress)
        rows = recipe.batch // recipe.portions

        def portion(index, total):
            some, own_seed = some_rows(played, index * rows, rows), draws.fold_in(seed, index)
            made = self._gradients(
                lambda: loss_of_played(self.network, self.task, recipe, own_seed, progress, *some)
            )
            return index + 1, tf.nest.map_structure(
                lambda old, new: old + new / recipe.portions, total, made
            )

        nothing = [tf.zeros(variable.shape) for variable in self.trainable_variables]
        start = (nothing, {name: tf.zeros([]) for name in METRICS})
        _, (gradients, metrics) = tf.while_loop(
            lambda index, total: index < recipe.portions,
            portion,
            (tf.constant(0), start),
            parallel_iterations=1,
        )
        if recipe.refresh > 0:
            more, told = self._gradients(
                lambda: (refreshing_loss(self.network, self.task, recipe, seed), {})
            )
            gradients = [
                old + recipe.refresh * new for old, new in zip(gradients, more, strict=True)
            ]
            metrics["loss"] += recipe.refresh * told["loss"]
        return gradients, metrics

    def _gradients(self, losses):
        variables = [variable.value for variable in self.trainable_variables]
        with tf.GradientTape() as tape:
            # Where the weights are an argument (see examples/portable_step) they are plain tensors.
            tape.watch(variables)
            loss, metrics = losses()
        gradients = tape.gradient(
            loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        zero = tf.zeros([])
        return gradients, {name: metrics.get(name, zero) for name in METRICS} | {"loss": loss}

    def train_step(self, data):
        step = tf.cast(self.optimizer.iterations.value, tf.int32)
        gradients, metrics = self.step_gradients(step)
        self.optimizer.apply(gradients, self.trainable_variables)
        for name, mean in self._means.items():
            mean.update_state(metrics[name])
        return {name: mean.result() for name, mean in self._means.items()}

    def fit(self, epochs: int | None = None, steps_per_epoch: int = 50, **kwargs):
        """Trains; every Keras callback works.

        Args:
            epochs: None trains to the end of the recipe, rounded up to a whole epoch.
            steps_per_epoch: steps between two reports.
            **kwargs: of `keras.Model.fit` (callbacks, initial_epoch, verbose).

        Returns:
            the Keras History.

        Raises:
            TrainingDiverged: the loss or a weight became NaN or infinite.
        """
        kwargs["callbacks"] = [StopWhenNotFinite(), *(kwargs.get("callbacks") or ())]
        # A callback may set it; that of an earlier call is none of this one's.
        self._initial_epoch = None
        if epochs is None:
            remaining = max(1, self.recipe.steps - int(self.optimizer.iterations.numpy()))
            steps_per_epoch = min(steps_per_epoch, remaining)
            epochs = -(-remaining // steps_per_epoch)
        kwargs.setdefault("shuffle", False)
        ticks = tf.data.Dataset.from_tensors(tf.zeros([1])).repeat()
        return super().fit(ticks, epochs=epochs, steps_per_epoch=steps_per_epoch, **kwargs)
