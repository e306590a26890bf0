"""Experiment of location finding: information collected, exact posterior of one source."""

from __future__ import annotations

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

    @property
    def is_exact(self) -> bool:
        """Whether an exact posterior is at hand: one source, in the plane."""
        return self.task.sources == 1 and self.task.dims == 2

    def greedy_policy(self):
        from aline_tf.experiments.location_finding.location_grid import GreedyLocationPolicy

        return GreedyLocationPolicy()

    def exact_estimates(self, data, steps):
        from aline_tf.experiments.location_finding.exact import exact_estimates

        return exact_estimates(data, steps) if self.is_exact else None

    def exact_joint(self, data, steps):
        from aline_tf.experiments.location_finding.exact import exact_joint

        return exact_joint(data, steps) if self.is_exact else None

    def query_quantities(self, data):
        from aline_tf.experiments.location_finding.plots import distance_to_source

        distance = {"distance to the nearest source": distance_to_source(data, self.task)}
        return super().query_quantities(data) | distance

    def draw_posterior(self, data, posterior):
        from aline_tf.experiments.location_finding.plots import draw_maps

        if not self.is_exact:
            return super().draw_posterior(data, posterior)
        return draw_maps(data, self.task, posterior)
