"""Experiment of location finding: information collected, exact posterior of one source."""

from __future__ import annotations

from typing import ClassVar

from aline_tf.evaluation.bars import Bar, Deployment, Reference
from aline_tf.evaluation.experiment import PLACES_MODEL
from aline_tf.experiments.known_likelihood import KnownLikelihoodExperiment


class LocationFindingExperiment(KnownLikelihoodExperiment):
    """Sources of a signal: with one source in the plane an exact posterior judges every policy.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("location_finding").default_policies
        ('learned', 'random')
    """

    deployments = (
        Deployment(
            2000,
            30,
            references={
                "forward": Reference(bar=0.012, other=0.045),
                "run": Reference(bar=0.4, other=1.34, paper=0.03),
            },
        ),
        Deployment(300, 30, trains=False),
        Deployment(
            200,
            30,
            trains=False,
            references={
                "joint_step": Reference(
                    bar=9.0, cpu=True, memory=3.5e9, other=28.0, other_memory=11e9
                )
            },
        ),
    )
    bars: ClassVar = {("spce", "source1_x1,source1_x2"): Bar(7.0, 7.5, 4.71, True)}
    budget_candidates = 300
    promise_settings: ClassVar = {"pools": (50, 200, 500, 2000), "corners": True}

    @property
    def is_exact(self) -> bool:
        """Whether an exact posterior is at hand: one source, in the plane."""
        return self.task.sources == 1 and self.task.dims == 2

    def recipe(self):
        from aline_tf.training.recipe import Recipe

        # Small batches and many steps: with posterior labels a row tells more than one truth.
        return dict(PLACES_MODEL), Recipe(
            batch=32,
            warmup_batch=64,
            warmup_steps=4000,
            joint_steps=1200,
            pool=200,
            candidates_per_step=40,
            steps_per_episode=4,
            group_size=1,
            policy_weight=0.0,
            teacher=(1.0, 1.0),
            teacher_states=3,
            teacher_draws=32,
            teacher_inverse_temperature=30.0,
            num_posterior_labels=31,
            entropy=(0.0, 0.0),
            temperature=(1.0, 0.1),
            conditioning_rate=0.05,
            learning_rate=3e-3,
            joint_learning_rate=1e-3,
        )

    def greedy_policy(self):
        from aline_tf.experiments.location_finding.location_grid import GreedyLocationPolicy

        return GreedyLocationPolicy()

    def misfits(self):
        from aline_tf.experiments.location_finding.misfits import MISFITS

        return (MISFITS if self.is_exact else {}), None

    def exact_estimates(self, data, steps):
        from aline_tf.experiments.location_finding.exact import exact_estimates

        return exact_estimates(data, steps) if self.is_exact else None

    def exact_joint(self, data, steps):
        from aline_tf.experiments.location_finding.exact import exact_joint

        return exact_joint(data, steps) if self.is_exact else None

    def exact_inference(self):
        from aline_tf.experiments.location_finding.exact_inference import LocationInference

        return LocationInference() if self.is_exact else super().exact_inference()

    def query_quantities(self, data):
        from aline_tf.experiments.location_finding.plots import distance_to_source

        distance = {"distance to the nearest source": distance_to_source(data, self.task)}
        return super().query_quantities(data) | distance

    def draw_posterior(self, data, posterior):
        from aline_tf.experiments.location_finding.plots import draw_maps

        if not self.is_exact:
            return super().draw_posterior(data, posterior)
        return draw_maps(data, self.task, posterior)
