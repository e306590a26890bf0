"""Experiment of hyper-parameter landscapes that no training has met."""

from __future__ import annotations

from typing import ClassVar

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import FUNCTIONS_MODEL, Evaluation, Experiment

#: Steps shown in the table; every step is in the results.
SHOWN_STEPS = (0, 5, 10, 20, 30)


class HyperparameterExperiment(Experiment):
    """Held-out landscapes of a search space, beside Gaussian processes; `hpo:ID` is another space.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("hpo:svm").defaults["runs"]
        80
    """

    policies = ("learned", "random", "gp-rs", "gp-us", "gp-vr", "gp-epig", "ace-us")
    default_policies = ("learned", "random", "gp-epig", "ace-us")
    defaults: ClassVar = {"runs": 80, "candidates": 100}
    first_step = 0
    argument = "hpo:ID is another search space"

    def recipe(self):
        import dataclasses

        from aline_tf.experiments.functions.experiment import function_recipe

        # Recorded tables: no likelihood, no teacher; outcomes of the pool are known, so are gains.
        return dict(FUNCTIONS_MODEL), dataclasses.replace(
            function_recipe(),
            batch=48,
            warmup_steps=2500,
            joint_steps=200,
            pool=100,
            group_size=1,
            policy_weight=0.0,
            teacher=(0.0, 0.0),
            temperature=(0.5, 0.1),
            counterfactual=1.0,
            num_counterfactuals=6,
            steps_per_episode=2,
            random_design_weight=1.0,
            conditioning_rate=0.0,
        )

    def evaluate(self, settings, report=lambda line: None):
        from aline_tf.experiments.hyperparameters import landscapes

        settings = self.complete(settings)
        policies = self._policies(settings)
        runs = landscapes.LandscapeRuns.of(
            self.task, settings.runs, settings.candidates, settings.seed
        )
        results = landscapes.evaluate(policies, runs, report)
        summary = (
            f"{self.name}: {settings.runs} runs of {runs.horizon} steps on "
            f"{len(set(runs.names))} held-out data sets, {settings.candidates} candidates, "
            f"seed {settings.seed}"
        )
        if settings.steps:
            results = [each for each in results if each.step in settings.steps]
        shown = [each for each in results if each.step in (settings.steps or SHOWN_STEPS)]
        return Evaluation(summary, results, shown)

    def draw(self, directory, evaluation):
        from aline_tf.evaluation.plots.curves import draw_curves
        from aline_tf.experiments.hyperparameters.landscapes import ALL, METRICS
        from aline_tf.plots.style import save

        figure = draw_curves(evaluation.results, METRICS, [ALL], {"coverage_90": 0.9})
        return save(figure, directory, "curves")

    def load_model(self, settings):
        model = super().load_model(settings)
        if model.spec != self.task.spec:
            raise InputError(
                f"expected a preset of {self.name!r} with the task's own hyper-parameters; "
                f"received one with {', '.join(model.spec.design_names)}"
            )
        return model

    def _policies(self, settings) -> dict:
        """Each policy and who predicts on its choices, by name."""
        from aline_tf.acquisition.baselines.gp_policies import GP_POLICIES, GPRandomPolicy
        from aline_tf.acquisition.baselines.uncertainty import UncertaintySamplingPolicy
        from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy
        from aline_tf.evaluation.predictors import FittedPredictor, ModelPredictor
        from aline_tf.experiments.hyperparameters.landscapes import GP_SETTINGS

        policies, predictor, model, names = {}, None, None, settings.policies
        if settings.model is not None or not set(names) <= set(GP_POLICIES):
            model = self.load_model(settings)
            predictor = ModelPredictor(model)
        for name in names:
            if name not in GP_POLICIES:
                policy = {
                    "learned": lambda: LearnedPolicy(model),
                    "random": lambda: RandomPolicy(settings.seed),
                    "ace-us": lambda: UncertaintySamplingPolicy(model),
                }[name]()
                policies[name] = (policy, {name: predictor})
                continue
            own_seed = {"seed": settings.seed} if name == GPRandomPolicy.name else {}
            policy = GP_POLICIES[name](GP_SETTINGS, **own_seed)
            predictors = {name: FittedPredictor(policy)}
            # The choices of gp-rs are those of random, whose results the model's predictions are.
            if predictor is not None and name != GPRandomPolicy.name:
                predictors[f"{name}/network"] = predictor
            policies[name] = (policy, predictors)
        return policies
