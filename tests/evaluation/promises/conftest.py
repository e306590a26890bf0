"""An examination in miniature: the exact posterior stands for the model, or a worse one does."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.promises import Examined, Inference, PolicyRuns
from aline_tf.experiments.psychometric.exact_inference import PsychometricInference
from aline_tf.tasks import Psychometric
from tests.training.conftest import make_model, psychometric_model  # noqa: F401

#: Few nodes: both sides of every comparison have them.
NODES = {"coarse": (12, 8, 4, 4), "fine": (14, 8, 5, 5)}


class ForgetsKnown(PsychometricInference):
    """The exact posterior of somebody who does not listen to what is known."""

    def summary(self, batch, theta):
        return super().summary(unknown(batch), theta)

    def joint_log_prob(self, batch, theta, order=None):
        return self.summary(batch, theta).log_density.sum(1)

    def correlation(self, batch):
        return np.tile(np.eye(4), (len(batch["known_mask"]), 1, 1))


class ReadsRefusals(PsychometricInference):
    """To whom no answer is a no."""

    def summary(self, batch, theta):
        status = np.ones_like(batch["context_status"])
        return super().summary(dict(batch) | {"context_status": status}, theta)


class StopsReading(PsychometricInference):
    """Who heeds the first thirty answers alone."""

    def summary(self, batch, theta):
        mask = batch["context_mask"].copy()
        mask[:, 30:] = False
        return super().summary(dict(batch) | {"context_mask": mask}, theta)


def unknown(batch):
    return dict(batch) | {"known_mask": np.zeros_like(batch["known_mask"])}


@pytest.fixture(scope="session")
def examined():
    """A function (model=None, **changes) -> `Examined`; None: the model is exact."""
    task = Psychometric()
    histories = PolicyRuns(task, RandomPolicy(3), runs=16, candidates=40, seed=5, longest=120)
    exact = PsychometricInference(**NODES)

    def make(model: Inference | None = None, **changes) -> Examined:
        return Examined(
            **{"task": task, "runs": histories, "model": model or exact, "exact": exact} | changes
        )

    return make
