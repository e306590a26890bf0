"""Experiment of functions drawn from Gaussian processes, and of benchmark functions."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from aline_tf.errors import InputError
from aline_tf.evaluation.bars import Bar, Deployment, Reference
from aline_tf.evaluation.experiment import FUNCTIONS_MODEL, Evaluation, Experiment, chosen_targets

METRICS = ("rmse", "log_prob", "coverage_90")
SHOWN_STEPS = (1, 5, 10, 20, 30, 40, 50)


def function_recipe():
    """The `Recipe` of tasks of smooth functions."""
    from aline_tf.training.recipe import Recipe

    # The teacher knows the hyper-parameters and what the error will be: nothing that a policy finds
    # by trying pays as well, so that rewards, and groups to compare them in, are left out.
    return Recipe(
        batch=32,
        warmup_batch=64,
        warmup_steps=3200,
        joint_steps=200,
        pool=250,
        candidates_per_step=40,
        steps_per_episode=4,
        group_size=1,
        policy_weight=0.0,
        teacher=(1.0, 1.0),
        teacher_states=4,
        teacher_inverse_temperature=80.0,
        random_design_weight=0.5,
        entropy=(0.0, 0.0),
        temperature=(0.3, 0.05),
        conditioning_rate=0.3,
        learning_rate=2e-3,
        joint_learning_rate=1e-3,
    )


class FunctionExperiment(Experiment):
    """Active learning of functions in one or two dimensions, beside Gaussian processes.

    `functions` chooses the prior or benchmark functions; with `targets` the policies are after
    hyper-parameters of the prior instead of outcomes.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("gp1d").default_policies
        ('learned', 'random', 'gp-epig', 'ace-us')
    """

    policies = ("learned", "random", "gp-rs", "gp-us", "gp-vr", "gp-epig", "ace-us")
    default_policies = ("learned", "random", "gp-epig", "ace-us")
    defaults: ClassVar = {"runs": 100, "candidates": 500}
    first_step = 0
    options = frozenset({"targets", "functions"})
    budget_candidates = 500

    def recipe(self):
        return FUNCTIONS_MODEL | {"evidence_dim": 32, "joint_components": 16}, function_recipe()

    def known_policies(self, settings):
        if not settings.targets:
            return self.policies, self.default_policies
        from aline_tf.experiments.functions.comparison import HYPERPARAMETER_POLICIES as known

        return known, tuple(name for name in self.default_policies if name in known)

    def evaluate(self, settings, report=lambda line: None):
        targets = chosen_targets(settings.targets, self.task.spec.parameter_names)
        settings = self.complete(settings)
        from aline_tf.experiments.functions import comparison, function_runs

        task, horizon = self.task, self.task.spec.horizon
        functions = chosen_functions(settings.functions, task.dims)
        if targets and functions != [function_runs.PRIOR]:
            raise InputError(
                f"expected no {settings.option('function')} beside {settings.option('target')}: "
                f"hyper-parameters are those of the prior; received {','.join(functions)}"
            )
        model = self._model(settings, bool(targets))
        results: list = []
        sizes = settings.runs, settings.candidates, settings.seed
        for function in functions:
            if function == function_runs.PRIOR:
                runs = function_runs.prior_runs(task, *sizes)
            else:
                runs = function_runs.benchmark_runs(function, *sizes)
            for target in targets:
                results += comparison.evaluate_hyperparameters(
                    settings.policies, target, runs, horizon, model, settings.seed, report
                )
            if not targets:
                results += comparison.evaluate(
                    settings.policies, runs, horizon, settings.seed, model, report
                )
        summary = (
            f"{self.name}: {settings.runs} runs of {horizon} steps, {settings.candidates} "
            f"candidates, {task.predictions} test inputs, seed {settings.seed}"
        )
        if settings.steps:
            results = [each for each in results if each.step in settings.steps]
        shown = [each for each in results if each.step in (settings.steps or SHOWN_STEPS)]
        return Evaluation(summary, results, shown, {"targets": targets or functions})

    def budget_results(self, model, runs, seed, candidates):
        """Error of predictions at the task's test inputs, after T acquisitions."""
        from aline_tf.experiments.functions.greedy_error import prediction_errors

        return prediction_errors(model, self.task, runs, seed, candidates)

    def draw(self, directory, evaluation):
        from aline_tf.evaluation.plots.curves import draw_curves
        from aline_tf.plots.style import save

        targets = evaluation.data["targets"]
        figure = draw_curves(evaluation.results, METRICS, targets, {"coverage_90": 0.9})
        count = len(targets)
        for axis in figure.axes[:count]:
            axis.set_yscale("log")
        figure.axes[count].set_ylabel("log probability\n(nats per wanted number)")
        return save(figure, directory, "curves")

    def _model(self, settings, needed: bool):
        """The model: always when something needs it, otherwise when it is named or packaged."""
        from aline_tf.experiments.functions.comparison import MODEL_POLICIES

        if needed or settings.model is not None or set(settings.policies) & set(MODEL_POLICIES):
            return self.load_model(settings)
        try:
            self.preset_directory(settings)
        except InputError:
            return None
        return self.load_model(settings)


class GP1DExperiment(FunctionExperiment):
    """Functions of one input.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import GP1DExperiment
        >>> GP1DExperiment("gp1d").deployments[0].horizon
        30
    """

    deployments = (
        Deployment(
            500,
            30,
            predicts=True,
            references={
                "forward": Reference(bar=0.004, other=0.0078),
                "run": Reference(paper=0.08),
            },
        ),
    )
    bars: ClassVar = {("rmse", "predictions"): Bar(0.35, 0.35, 0.612)}
    # Every posterior takes some three hundred factorisations.
    promise_settings: ClassVar = {"runs": 150, "multiples": (2,), "pools": (50,)}

    def recipe(self):
        settings, recipe = super().recipe()
        # The prior of one lengthscale has a density: posteriors of a history can be weighed.
        return settings, dataclasses.replace(recipe, num_posterior_labels=15)

    def exact_inference(self):
        from aline_tf.experiments.functions.exact_inference import FunctionInference

        return FunctionInference()


class GP2DExperiment(FunctionExperiment):
    """Functions of two inputs.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import GP2DExperiment
        >>> GP2DExperiment("gp2d").deployments[0].horizon
        50
    """

    deployments = (
        Deployment(
            500,
            50,
            predicts=True,
            references={"forward": Reference(bar=0.004), "run": Reference(paper=0.19)},
        ),
    )
    # Every posterior takes some thousand factorisations.
    promise_settings: ClassVar = {"runs": 60, "multiples": (2,), "pools": (50,)}

    def exact_inference(self):
        from aline_tf.experiments.functions.plane_inference import PlaneInference

        return PlaneInference()


def chosen_functions(given, dims: int) -> list[str]:
    """The functions named, each once, "all" spelt out.

    Raises:
        InputError: an unknown one, or none.
    """
    from aline_tf.experiments.functions.benchmark_functions import benchmarks_of
    from aline_tf.experiments.functions.function_runs import PRIOR

    known = (PRIOR, *benchmarks_of(dims))
    given = [PRIOR] if given is None else [given] if isinstance(given, str) else given
    names = [name for part in given for name in part.split(",") if name]
    if "all" in names:
        return list(known)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        received = repr(unknown[0]) if unknown else "none"
        raise InputError(f"expected functions among {', '.join(known)}, all; received {received}")
    return list(dict.fromkeys(names))
