"""Latency of one acquisition, and of one whole run: with an untrained model of the shipped sizes.

A run is one simulated episode of the task; its outcomes are drawn before the clock starts. Each
measure is taken over whole runs, so that contexts of every size from empty to the horizon count
alike; the first run is warm-up.
"""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.session import Session
from aline_tf.bench.stopwatch import Stopwatch
from aline_tf.evaluation.greedy_run import compiled_run
from aline_tf.experiments.lookup import model_settings
from aline_tf.models.aline import ALINE
from aline_tf.models.frozen import Frozen
from aline_tf.tasks import task_by_name

_SEED = 1


def acquisition(
    measure: str, task: str, candidates: int, horizon: int, predicts: bool, runs: int
) -> dict:
    """Times of one measure, as a dict of `stopwatch.Times`.

    Args:
        measure: a key of `configurations.ACQUISITION`.
        task, candidates, horizon, predicts: of a `Deployment`.
        runs: how many are measured after the first.
    """
    bench = _Bench(task, candidates, horizon, predicts)
    return dataclasses.asdict(getattr(bench, f"time_{measure}")(runs).times())


class _Bench:
    """A model, and one episode that it acquires from."""

    def __init__(self, name, candidates, horizon, predicts):
        keras.utils.set_random_seed(_SEED)
        task = task_by_name(name)
        sizes, _ = model_settings(name)
        self.model = ALINE.for_task(task, **sizes)
        self.model.build()
        self.horizon = horizon
        self.predicts = predicts
        self.episode = task.sample_episodes(draws.as_seed(_SEED), 1, candidates)
        for mask, selected in (("theta_mask", not predicts), ("target_mask", predicts)):
            self.episode[mask] = tf.fill(tf.shape(self.episode[mask]), selected)
        self.values = {key: value.numpy()[0] for key, value in self.episode.items()}

    def session(self, model=None) -> Session:
        """A session, of the model or what stands in for it, after what the episode starts with."""
        model = model or self.model
        pool, inputs = self.values["candidate_design"], self.values["target_design"]
        if self.predicts:
            session = Session(model, pool, [], inputs)
        else:
            session = Session(model, pool)
        context = zip(self.values["context_design"], self.values["context_outcome"], strict=True)
        for design, outcome in context:
            session.tell(design, outcome)
        return session

    def ask_and_tell(self, session) -> None:
        index = session.ask().index
        session.tell(index, self.values["candidate_outcome"][index])

    def time_ask_tell(self, runs):
        watch = Stopwatch(skip=self.horizon)
        for _ in range(1 + runs):
            session = self.session()
            for _ in range(self.horizon):
                watch.run(lambda session=session: self.ask_and_tell(session))
        return watch

    def time_forward(self, runs):
        """Every output of the model, on the very batches that a session hands over."""
        forward = tf.function(
            lambda batch: self.model(batch), autograph=False, reduce_retracing=True
        )
        states = [{k: tf.constant(v) for k, v in state.items()} for state in self.states()]
        return self.time_passes(forward, states, runs)

    def time_forward_frozen(self, runs):
        return self.time_passes(Frozen(self.model, background=False), self.states(), runs)

    def states(self) -> list:
        """The batches that a session hands over, one at each step."""
        session, states = self.session(), []
        for index in range(self.horizon):
            states.append(session.batch())
            session.tell(index, self.values["candidate_outcome"][index])
        return states

    def time_passes(self, forward, states, runs):
        watch = Stopwatch(skip=self.horizon)
        for _ in range(1 + runs):
            for state in states:
                watch.run(lambda state=state: forward(state)["candidate_logits"].numpy())
        return watch

    def time_run(self, runs):
        return self.time_runs(self.model, runs)

    def time_run_frozen(self, runs):
        return self.time_runs(Frozen(self.model, background=False), runs)

    def time_runs(self, model, runs):
        def run():
            session = self.session(model)
            for _ in range(self.horizon):
                self.ask_and_tell(session)

        watch = Stopwatch()
        for _ in range(1 + runs):
            watch.run(run)
        return watch

    def time_rollout(self, runs):
        loop = compiled_run(self.model, self.episode, self.horizon)
        watch = Stopwatch()
        for run in range(1 + runs):
            watch.run(lambda run=run: loop(self.episode, draws.as_seed(run)).choice.numpy())
        return watch
