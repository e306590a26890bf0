"""Experiment of the psychometric function: pairs of parameters as targets, exact posteriors."""

from __future__ import annotations

from typing import ClassVar

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Evaluation, Experiment, chosen_targets


class PsychometricExperiment(Experiment):
    """Observers of a stimulus: error of each pair of parameters, beside the exact posterior.

    With `switch` the target changes from one pair to the other on the way.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("psychometric").default_policies
        ('learned', 'random', 'psi-marginal')
    """

    policies = ("learned", "random", "psi-marginal", "questplus")
    default_policies = ("learned", "random", "psi-marginal")
    defaults: ClassVar = {"runs": 500, "candidates": 200}
    options = frozenset({"targets", "pool", "switch"})

    def evaluate(self, settings, report=lambda line: None):
        settings, pool = self.complete(settings), settings.pool or "grid"
        targets = self._check(settings, pool)
        from aline_tf.experiments.psychometric import estimates, runs, target_switch

        posterior, policies = self._policies(settings)
        observers = runs.simulate_runs(settings.runs, settings.candidates, settings.seed, pool=pool)
        data: dict = {}

        def keep(policy, target, found):
            data[policy, target] = found

        if settings.switch is not None:
            results = target_switch.evaluate_switch(
                policies, observers, settings.switch, posterior, report, keep=keep
            )
            table = {*target_switch.SHOWN_STEPS, settings.switch, runs.HORIZON}
        else:
            every = range(1, runs.HORIZON + 1) if settings.every_step else settings.steps
            results = estimates.evaluate(
                policies, observers, posterior, targets, report, steps=every, keep=keep
            )
            table = set(settings.steps or estimates.REPORT_STEPS)
        summary = (
            f"{self.name}: {settings.runs} subjects, {runs.HORIZON} trials, {settings.candidates} "
            f"candidates ({pool}), seed {settings.seed}"
        )
        shown = [
            each for each in results if each.metric not in estimates.DETAILS and each.step in table
        ]
        kept = {"runs": data, "posterior": posterior, "switch": settings.switch}
        return Evaluation(summary, results, shown, kept)

    def draw(self, directory, evaluation):
        from aline_tf.experiments.psychometric import plots

        kept = evaluation.data
        return plots.draw(
            directory, evaluation.results, kept["runs"], kept["posterior"], kept["switch"]
        )

    def _check(self, settings, pool) -> list[str]:
        """The targets; raises InputError for anything that can be seen in the settings."""
        from aline_tf.experiments.psychometric import estimates, runs, target_switch

        if pool not in ("grid", "random"):
            raise InputError(
                f"expected {settings.option('pool')} grid or random; received {pool!r}"
            )
        if "questplus" in settings.policies and pool != "grid":
            raise InputError(
                f"expected {settings.option('pool')} grid with questplus, which needs one pool for "
                "everybody"
            )
        if settings.switch is not None:
            target_switch.check_switch(settings.switch, runs.HORIZON)
            if settings.targets:
                raise InputError(
                    f"expected no {settings.option('target')} with {settings.option('switch')}, "
                    f"which selects both pairs in turn; received {settings.targets[0]}"
                )
        names = self.task.spec.parameter_names
        return chosen_targets(settings.targets, names) or list(estimates.TARGETS)

    def _policies(self, settings):
        """The model's posterior (None without a learned policy) and the policies by name."""
        from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy
        from aline_tf.evaluation.model_posterior import ModelPosterior
        from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy
        from aline_tf.experiments.psychometric.quest_plus import QuestPlusPolicy

        posterior, policies = None, {}
        for name in settings.policies:
            if name == "random":
                policies[name] = RandomPolicy(settings.seed)
            elif name == "psi-marginal":
                policies[name] = PsiMarginalPolicy()
            elif name == "questplus":
                policies[name] = QuestPlusPolicy()
            else:
                model = self.load_model(settings)
                posterior, policies[name] = ModelPosterior(model), LearnedPolicy(model)
        return posterior, policies
