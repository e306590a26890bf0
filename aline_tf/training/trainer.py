"""Training behind Keras' compile, fit and evaluate: `Trainer`, of a model and its task."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.models.aline import ALINE
from aline_tf.tasks.contract import check_contract
from aline_tf.tasks.task import Task
from aline_tf.training.callbacks import StopWhenNotFinite
from aline_tf.training.fitting import calls
from aline_tf.training.fitting.progress import TrainingProgress
from aline_tf.training.fitting.validation import held_out_validation
from aline_tf.training.held_out import HELD_OUT_METRICS, held_out_figures
from aline_tf.training.phases import (
    joint_loss,
    random_design_loss,
    rollout_episodes,
    trajectory_loss,
    warmup_loss,
)
from aline_tf.training.recipe import Recipe
from aline_tf.training.rollout import some_rows
from aline_tf.training.schedules import recipe_optimizer

#: What `fit` reports.
METRICS = ("loss", "inference", "reward", "entropy", "policy", "teacher")
#: Stream of a seed that no training step draws from: steps are counted from 0.
_HELD_OUT = 2**31 - 1


class Trainer(keras.Model):
    """Trains a model on the episodes of a task, behind Keras' `compile`, `fit` and `evaluate`.

    There is no data to hand over: step k draws its episodes from (seed, k), where k is the
    optimiser's own step counter. So a run is reproduced by its seed, and a run that was killed and
    restored by `Backup`, or by `keras.callbacks.BackupAndRestore`, follows the curve it would have
    followed.

        >>> from aline_tf import ALINE
        >>> from aline_tf.tasks.psychometric import Psychometric
        >>> from aline_tf.training import Recipe, Trainer
        >>> task = Psychometric()
        >>> model = ALINE(task.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
        >>> trainer = Trainer(model, task)
        >>> trainer.compile(recipe=Recipe(warmup_steps=2, joint_steps=0, warmup_batch=4), seed=1)
        >>> history = trainer.fit(epochs=1, steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)
        ['entropy', 'inference', 'loss', 'policy', 'reward', 'teacher']

    Args:
        model: an `ALINE`; it is built if it is not yet.
        task: a `Task` with the same specification.
        **kwargs: of `keras.Model` (name, dtype).

    Attributes:
        model: the one that is trained.
        task: where episodes come from.
        recipe: a `Recipe`, once compiled.
        seed: of everything random, once compiled.

    Raises:
        ValueError: the model is of another task.

    A model without the feature layers that its task offers is trained with a warning.
    """

    def __init__(self, model, task, **kwargs):
        for name, kind, it in (("model", ALINE, model), ("task", Task, task)):
            if not isinstance(it, kind):
                raise ValueError(
                    f"Expected Trainer(model, task) with {name} as an instance of {kind.__name__}. "
                    f"Received: {name}={it!r}"
                )
        # In the model's precision, and as there: inputs are in natural units.
        super().__init__(**{"dtype": model.dtype_policy, "autocast": False} | kwargs)
        if model.spec != task.spec:
            raise ValueError(
                f"Expected a model of task {task.spec.name!r}. Received: one of {model.spec.name!r}"
            )
        config = model.get_config()
        missing = [name for name in task.feature_layers() if config[name] is None]
        if missing:
            warnings.warn(
                f"expected a model with the {' and '.join(missing)} that {type(task).__name__} "
                "offers (ALINE.for_task gives it them); received one without",
                stacklevel=2,
            )
        self.model = model
        self.task = task
        if not model.built:
            model.build()
        self.built = True

    def compile(self, optimizer=None, *, recipe: Recipe | None = None, seed: int = 0, **kwargs):
        """Chooses the optimiser, the recipe and the seed.

        Args:
            optimizer: a Keras optimiser or its name; None is AdamW with the recipe's schedule.
            recipe: a `Recipe`; the default one when None.
            seed: a whole number, of everything random.
            **kwargs: of `keras.Model.compile` (jit_compile, run_eagerly, ...).

        Raises:
            ValueError: the recipe cannot train this task, a loss or metrics are given, or the
                optimiser's learning rate is 0, negative or no number.
            InputError: the task does not keep its contract.
        """
        if isinstance(optimizer, Recipe) and recipe is None:
            warnings.warn(
                "a recipe is given by name now: compile(recipe=recipe)",
                DeprecationWarning,
                stacklevel=2,
            )
            optimizer, recipe = None, optimizer
        recipe = Recipe() if recipe is None else recipe
        if not isinstance(recipe, Recipe):
            raise ValueError(f"Expected recipe as a Recipe. Received: recipe={recipe!r}")
        seed = calls.require_seed(seed)
        calls.refuse_losses(kwargs, METRICS)
        recipe.check_task(self.task)
        self.recipe, self.seed = recipe, seed
        if optimizer is None:
            optimizer = recipe_optimizer(recipe)
        optimizer = keras.optimizers.get(optimizer)
        calls.require_rate(optimizer, recipe.steps)
        kwargs.setdefault("jit_compile", False)
        if not (isinstance(kwargs["jit_compile"], bool | None) or kwargs["jit_compile"] == "auto"):
            raise ValueError(
                "Expected jit_compile as True, False or 'auto'. "
                f"Received: jit_compile={kwargs['jit_compile']!r}"
            )
        policy = recipe.phases.joint_steps > 0
        check_contract(self.task, kwargs["jit_compile"] is True, policy)
        super().compile(optimizer=optimizer, **kwargs)
        self._means = {name: keras.metrics.Mean(name=name) for name in METRICS}
        self._held_out = None
        # In half precision it is wrapped in one that scales the loss.
        self.optimizer.build(self.trainable_variables)
        self.compiled_weights = frozenset(id(weight) for weight in self.trainable_variables)

    @property
    def metrics(self):
        """The running means that `fit` reports, by the names of `METRICS`."""
        return list(getattr(self, "_means", {}).values())

    def call(self, batch):
        """What the model says of a Batch."""
        return self.model(batch)

    def save(self, filepath, overwrite: bool = True, **kwargs) -> None:
        """Writes the model that is trained: `keras.callbacks.ModelCheckpoint("best.keras")` leaves
        files that `keras.models.load_model` reads as an ALINE.

        Args:
            filepath: ends in `.keras`.
            overwrite: whether a file there is replaced.
            **kwargs: of `keras.Model.save`.
        """
        self.model.save(filepath, overwrite=overwrite, **kwargs)

    def export(self, filepath, **kwargs) -> None:
        """Refuses, as the model does, and says how a model is exported."""
        self.model.export(filepath, **kwargs)

    def train_on_batch(self, *args, **kwargs):
        """Refuses: there is no batch to hand over.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "Expected fit(epochs=1, steps_per_epoch=1), which takes up where the last one stopped: "
            "the task draws its own episodes. Received: train_on_batch()"
        )

    def test_on_batch(self, *args, **kwargs):
        """Refuses: there is no batch to hand over.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"Expected {calls.EVALUATE}: the task draws its own episodes. Received: test_on_batch()"
        )

    def step_gradients(self, step, scale=None) -> tuple[list[tf.Tensor], dict[str, tf.Tensor]]:
        """Gradients and metrics of a step: a pure function of the weights, the seed and the step.

        Args:
            step: int scalar.
            scale: applied to every loss before it is differentiated, as an optimiser in half
                precision asks for; None differentiates the loss itself.
        """
        recipe, phases = self.recipe, self.recipe.phases
        seed = draws.fold_in(draws.as_seed(self.seed), step)

        # Histories that nobody plays need no policy to be taught it.
        teacher = recipe.policy_loss.teacher[0] if phases.joint_steps else None

        def warmup():
            return self._gradients(
                lambda: warmup_loss(self.model, self.task, recipe, seed, teacher), scale
            )

        def joint():
            done = tf.cast(step - phases.warmup_steps, tf.float32)
            progress = done / max(phases.joint_steps - 1, 1)
            if phases.gradient_accumulation_steps > 1:
                return self._accumulated(seed, progress, scale)
            return self._gradients(
                lambda: joint_loss(self.model, self.task, recipe, seed, progress), scale
            )

        if phases.joint_steps == 0:
            return warmup()
        if phases.warmup_steps == 0:
            return joint()
        return tf.cond(step < phases.warmup_steps, warmup, joint)

    def _accumulated(self, seed, progress, scale):
        """Gradients and metrics of the joint loss, a part of the episodes after the other: what a
        part keeps for its backward pass is gone before the next one begins."""
        recipe, phases = self.recipe, self.recipe.phases
        episodes = rollout_episodes(self.model, self.task, recipe, seed, progress)
        parts = phases.gradient_accumulation_steps
        rows = phases.batch // parts

        def part(index, total):
            some, own_seed = some_rows(episodes, index * rows, rows), draws.fold_in(seed, index)
            made = self._gradients(
                lambda: trajectory_loss(self.model, self.task, recipe, own_seed, progress, *some),
                scale,
            )
            return index + 1, tf.nest.map_structure(lambda old, new: old + new / parts, total, made)

        nothing = [tf.zeros(variable.shape) for variable in self.trainable_variables]
        start = (nothing, {name: tf.zeros([]) for name in METRICS})
        _, (gradients, metrics) = tf.while_loop(
            lambda index, total: index < parts,
            part,
            (tf.constant(0), start),
            maximum_iterations=parts,
            parallel_iterations=1,
        )
        weight = phases.random_design_weight
        if weight > 0:
            more, found = self._gradients(
                lambda: (random_design_loss(self.model, self.task, recipe, seed, progress), {}),
                scale,
            )
            gradients = [old + weight * new for old, new in zip(gradients, more, strict=True)]
            metrics["loss"] += weight * found["loss"]
        return gradients, metrics

    def _gradients(self, losses, scale):
        variables = [variable.value for variable in self.trainable_variables]
        with tf.GradientTape() as tape:
            # Where the weights are an argument (see examples/portable_step) they are plain tensors.
            tape.watch(variables)
            loss, metrics = losses()
            scaled = loss if scale is None else scale(loss)
        gradients = tape.gradient(
            scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        zero = tf.zeros([])
        return gradients, {name: metrics.get(name, zero) for name in METRICS} | {"loss": loss}

    def train_step(self, data):
        """One step of the optimiser; the `data` of Keras are empty ticks."""
        step = tf.cast(self.optimizer.iterations.value, tf.int32)
        gradients, metrics = self.step_gradients(step, self.optimizer.scale_loss)
        self.optimizer.apply(gradients, self.trainable_variables)
        for name, mean in self._means.items():
            mean.update_state(metrics[name])
        return {name: mean.result() for name, mean in self._means.items()}

    def fit(
        self,
        *args,
        epochs: int | None = None,
        steps_per_epoch: int = 50,
        callbacks=None,
        validation_episodes: int | None = None,
        validation_data=None,
        verbose="auto",
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains; every Keras callback works.

        Args:
            *args: none; data are refused, since the task draws its own.
            epochs: None trains to the end of the recipe, rounded up to a whole epoch.
            steps_per_epoch: steps between two reports, at least 1.
            callbacks: Keras callbacks.
            validation_episodes: how many held-out episodes are played after every epoch and
                reported as `evaluate` reports them: val_loss, val_inference, ...; None plays none.
            validation_data: a task whose episodes these are, 256 where no number is given: the
                other subjects of `RecordedDataTask.split`; None takes the task itself.
            verbose: as in Keras; unless 0, how long it will take is printed as well, before the
                first step and after every epoch.
            **kwargs: of `keras.Model.fit` (initial_epoch).

        Returns:
            the Keras History.

        Raises:
            ValueError: data are given, the trainer is not compiled for what is to be trained, or no
                step is asked for.
            TrainingDiverged: the loss or a weight became NaN or infinite, or gradients did, so that
                an optimiser in half precision took no step.
            InputError: a simulator in NumPy failed.

        Training that ends before the recipe's policy has learned anything, or begins where nothing
        of the recipe is left, is warned of.
        """
        calls.refuse_data(calls.FIT, args, kwargs)
        calls.require_compiled(self, "fit")
        # Without a number an epoch would be without end: there are no data that come to one.
        calls.require_count("steps_per_epoch", steps_per_epoch)
        first = kwargs.get("initial_epoch", 0)
        calls.require_epochs(first, epochs)
        calls.require_verbose(verbose)
        validation = held_out_validation(self.task, validation_episodes, validation_data)
        taken = int(self.optimizer.iterations.numpy())
        to_the_end = epochs is None
        if to_the_end:
            remaining = max(1, self.recipe.steps - taken)
            steps_per_epoch = min(steps_per_epoch, remaining)
            epochs = first - (-remaining // steps_per_epoch)
        last = taken + (epochs - first) * steps_per_epoch
        calls.warn_of_phases(self.recipe, taken, last, to_the_end)
        kwargs.setdefault("shuffle", False)
        callbacks = calls.require_callbacks(callbacks)
        progress = [TrainingProgress()] if verbose else []
        callbacks = [StopWhenNotFinite(), *validation, *callbacks, *progress]
        # A callback may set it; that of an earlier call is none of this one's.
        self._initial_epoch = None
        ticks = tf.data.Dataset.from_tensors(tf.zeros([1])).repeat()
        self.task.failure = None
        try:
            return super().fit(
                ticks,
                epochs=epochs,
                steps_per_epoch=steps_per_epoch,
                callbacks=callbacks,
                verbose=verbose,
                **kwargs,
            )
        except tf.errors.OpError as error:
            # A simulator in NumPy says in one sentence what TensorFlow tells on a page.
            raise self.task.failure or error from error

    def evaluate(
        self,
        *args,
        episodes: int = 256,
        steps: int | None = None,
        seed: int = 0,
        task=None,
        verbose="auto",
        return_dict: bool = True,
        **kwargs,
    ) -> dict[str, float] | list[float]:
        """Figures of the model on episodes that training never drew.

        The policy takes the best of all candidates of the recipe's pool; seeds are of a stream of
        their own, so that equal arguments give the same episodes to every model of the task.

        Args:
            *args: none; data are refused, since the task draws its own.
            episodes: how many episodes each step plays, at least 1.
            steps: how many such batches the figures are means of; None is one.
            seed: of the episodes, a whole number.
            task: whose episodes they are, of the same specification: other subjects, where data
                were recorded; None is the task that is trained on.
            verbose: 0 prints nothing, anything else one line.
            return_dict: whether figures come by name; otherwise as a list in the order of
                `metrics_names` (see `HELD_OUT_METRICS`).
            **kwargs: none.

        Returns:
            `HELD_OUT_METRICS`: loss (that of inference, as it stands first in Keras), inference
            (nats, after random designs as in the warm-up), reward (nats per selected target, from
            first to last step), entropy (nats, of the policy over the pool), coverage_90 (share of
            the parameters inside their central 90 % interval after the last step; NaN where the
            task has none of that kind).

        Raises:
            ValueError: data are given, the trainer is not compiled, or nothing is to be played.
        """
        calls.refuse_data(calls.EVALUATE, args, kwargs)
        calls.require_compiled(self, "evaluate")
        if kwargs:
            raise ValueError(
                "Expected episodes, steps, seed, task, verbose and return_dict. "
                f"Received: {', '.join(sorted(kwargs))}"
            )
        steps, played_task = 1 if steps is None else steps, self.task if task is None else task
        for name, value in (("episodes", episodes), ("steps", steps)):
            calls.require_count(name, value)
        calls.require_task("task", self.task, played_task)
        figures = self._held_out_figures(played_task, episodes)
        root = draws.fold_in(draws.as_seed(calls.require_seed(seed)), _HELD_OUT)
        played = [figures(draws.fold_in(root, step)) for step in range(steps)]
        found = {
            name: float(np.mean([float(each[name]) for each in played]))
            for name in HELD_OUT_METRICS
        }
        if verbose:
            line = " - ".join(f"{name}: {value:.4f}" for name, value in found.items())
            print(f"{steps * episodes} held-out episodes - {line}")
        return found if return_dict else list(found.values())

    def _held_out_figures(self, task, episodes):
        """The compiled figures of so many episodes of a task, compiled once."""
        if self._held_out is None or self._held_out[:2] != (task, episodes):

            @tf.function(autograph=False, jit_compile=bool(self.jit_compile))
            def figures(own_seed):
                return held_out_figures(self.model, task, self.recipe, own_seed, episodes)

            self._held_out = (task, episodes, figures)
        return self._held_out[2]
