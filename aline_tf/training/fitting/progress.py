"""How long a run will take, said before its first step and after every epoch."""

from __future__ import annotations

import time

import keras

from aline_tf.training.fitting.run_time import StepTimes, estimated_step_times, in_words


class TrainingProgress(keras.callbacks.Callback):
    """Prints what a run will do and about how long that takes, before it is compiled; after every
    epoch, what is left by the steps it has taken.

    `Trainer.fit` has one unless `verbose=0`.

        >>> TrainingProgress().times is None  # until training begins
        True

    Args:
        clock: seconds, as of `time.monotonic`.
        estimate: gives `StepTimes` of (model, task, recipe) beforehand.

    Attributes:
        times: `StepTimes`, estimated at first, then measured.
    """

    def __init__(self, clock=time.monotonic, estimate=estimated_step_times):
        super().__init__()
        self.clock, self.estimate, self.times = clock, estimate, None

    def on_train_begin(self, logs=None):
        trainer = self.model
        self.times = self.estimate(trainer.model, trainer.task, trainer.recipe)
        self._seen, self._compiled, self._measured = self._step(), False, {}
        self._first_epoch, self._since = None, self.clock()

    def _step(self) -> int:
        return int(self.model.optimizer.iterations.numpy())

    def on_epoch_begin(self, epoch, logs=None):
        if self._first_epoch is None:
            self._first_epoch = epoch
            # Where a checkpoint was taken up the counter stands elsewhere since.
            self._seen = self._step()
            print(self._plan(epoch), flush=True)
        else:
            print(f"about {in_words(self.seconds_left(epoch))} left", flush=True)

    def seconds_left(self, epoch: int) -> float:
        """From the beginning of an epoch to the end of the run.

        Args:
            epoch: counted from 0.
        """
        steps = (self.params["epochs"] - epoch) * self.params["steps"]
        first = self._step()
        return self.times.of(first, first + steps, self.model.recipe.phases.warmup_steps)

    def _plan(self, epoch) -> str:
        phases, first = self.model.recipe.phases, self._step()
        last = first + (self.params["epochs"] - epoch) * self.params["steps"]
        early = max(min(last, phases.warmup_steps) - first, 0)
        parts = [
            f"{count:,} {name} steps of {episodes:,} episodes"
            for count, name, episodes in (
                (early, "warm-up", phases.warmup_batch),
                (last - first - early, "joint", phases.batch),
            )
            if count
        ]
        return (
            f"{self.model.task.spec.name}: {' and '.join(parts)}, about "
            f"{in_words(self.seconds_left(epoch))} after the first step is compiled"
        )

    def on_train_batch_end(self, batch, logs=None):
        now, step = self.clock(), self._step()
        phase = "warmup" if step <= self.model.recipe.phases.warmup_steps else "joint"
        # The first step was compiled as well as taken.
        if self._compiled and step > self._seen:
            seconds, steps = self._measured.get(phase, (0.0, 0))
            seconds, steps = seconds + now - self._since, steps + step - self._seen
            self._measured[phase] = seconds, steps
            self._take_up(phase, seconds / steps)
        self._seen, self._since, self._compiled = step, now, True

    def _take_up(self, phase, measured):
        """A measured step of one phase; the other is as much slower or faster than estimated."""
        factor = measured / max(getattr(self.times, phase), 1e-9)
        both = {
            name: getattr(self.times, name) * (1.0 if name in self._measured else factor)
            for name in ("warmup", "joint")
        }
        self.times = StepTimes(**(both | {phase: measured}))
