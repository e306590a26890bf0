"""Experiment of the psychometric function: pairs of parameters as targets, exact posteriors."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from aline_tf.errors import InputError
from aline_tf.evaluation.bars import Bar, Deployment, Reference
from aline_tf.evaluation.experiment import PLACES_MODEL, Evaluation, Experiment, chosen_targets


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
    deployments = (
        Deployment(
            200,
            30,
            references={
                "forward": Reference(bar=0.0015, other=0.0031),
                "ask_tell": Reference(paper=0.002),
            },
        ),
    )
    bars: ClassVar = {
        ("rmse", "threshold,slope"): Bar(0.42, 0.40, 0.498),
        ("rmse", "guess,lapse"): Bar(0.130, 0.125, 0.166),
    }
    promise_settings: ClassVar = {"target_inputs": ((0.0,), (2.0,), (4.5,)), "pools": (50,)}

    def recipe(self):
        from aline_tf.training.recipe import Recipe

        # Small batches and many steps: with posterior labels a row tells more than one truth.
        return PLACES_MODEL | {"evidence_dim": 64, "joint_components": 32}, Recipe(
            batch=32,
            warmup_batch=32,
            warmup_steps=14_000,
            joint_steps=500,
            pool=200,
            candidates_per_step=40,
            steps_per_episode=3,
            teacher=(1.0, 0.5),
            teacher_draws=24,
            num_posterior_labels=63,
            # What is one step beside the horizon and the pairs: long histories, known parameters.
            long_batch=32,
            conditioning_rate=0.5,
            policy_weight=0.1,
            random_design_weight=0.5,
            entropy=(0.0, 0.0),
            temperature=(1.0, 0.3),
            learning_rate=3e-3,
            joint_learning_rate=1e-3,
        )

    def budget_recipe(self):
        _, recipe = self.recipe()
        # Twice as many rows of half the labels, none of them long.
        plain = {"warmup_batch": 64, "num_posterior_labels": 31, "long_batch": 0}
        return dict(PLACES_MODEL), dataclasses.replace(recipe, conditioning_rate=0.25, **plain)

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

    def budget_results(self, model, runs, seed, candidates):
        """Error of each of the two pairs when it is the target."""
        from aline_tf.acquisition.policies import LearnedPolicy
        from aline_tf.evaluation import metrics
        from aline_tf.evaluation.model_posterior import ModelPosterior
        from aline_tf.evaluation.results import Result
        from aline_tf.experiments.psychometric.estimates import TARGETS, model_estimates
        from aline_tf.experiments.psychometric.runs import HORIZON, simulate_runs, target_mask

        observers = simulate_runs(runs, candidates, seed)
        policy, posterior, results = LearnedPolicy(model), ModelPosterior(model), []
        for target in TARGETS[:2]:
            selected = target_mask(target)
            data = observers.play(policy, selected)
            found = model_estimates(posterior, data, (HORIZON,), selected)
            error = metrics.rmse(found.mean[:, 0], data.theta, selected)
            results.append(Result.of("learned", target, HORIZON, "rmse", error))
        return results

    def exact_inference(self):
        from aline_tf.experiments.psychometric.exact_inference import PsychometricInference

        return PsychometricInference()

    def misfits(self):
        from aline_tf.experiments.psychometric.misfits import MISFITS, exact_chances

        return MISFITS, exact_chances

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
