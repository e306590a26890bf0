"""The experiment that serves any task: what can be measured of it is found by what it offers.

    a simulator     the model's posterior and predictions along the runs of every policy
    a likelihood    bounds of the information gain too, and the policy "greedy"
    records alone   predictions (and parameters, where recorded) along recorded episodes

Sizes: R runs, K reported steps, M targets, P parameters.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from aline_tf.experiments.known_likelihood import (
    CONTRASTIVE,
    KnownLikelihoodExperiment,
    report_steps,
)


class OwnTaskExperiment(KnownLikelihoodExperiment):
    """Measures a task that no experiment was written for.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment = experiment_by_name("aline_tf.tasks.psychometric:Psychometric")
        >>> experiment.policies
        ('learned', 'random', 'uncertainty', 'greedy')
    """

    defaults: ClassVar = {"runs": 100, "candidates": 200}

    @property
    def has_likelihood(self) -> bool:
        """Whether the information gain can be bounded."""
        return not self.is_recorded and self.task.log_likelihood is not None

    @property
    def is_recorded(self) -> bool:
        """Whether the task has records and no simulator."""
        from aline_tf.tasks.task import Task

        return type(self.task).simulate is Task.simulate

    @property
    def first_step(self):
        """Records can be judged before anything is acquired."""
        return 0 if self.is_recorded else 1

    @property
    def policies(self):
        """Names; "greedy" needs the likelihood and the prior's density."""
        greedy = self.has_likelihood and self.task.log_prior is not None
        return ("learned", "random", "uncertainty", *(("greedy",) if greedy else ()))

    @property
    def options(self):
        """The bounds need prior draws where there is a likelihood."""
        joint = set() if self.is_recorded else {"joint"}
        return frozenset({"contrastive"} | joint if self.has_likelihood else joint)

    def recipe(self):
        """The default sizes and recipe, which work for tasks of a few parameters."""
        from aline_tf.training.recipe import Recipe

        return {}, Recipe()

    def complete(self, settings):
        from aline_tf.tasks.contract import check_contract

        check_contract(self.task)
        if settings.candidates is None:
            most = max(self.defaults["candidates"], self.task.spec.horizon)
            settings = dataclasses.replace(settings, candidates=most)
        if settings.contrastive is None and self.has_likelihood:
            settings = dataclasses.replace(settings, contrastive=CONTRASTIVE)
        return super().complete(settings)

    def preset_directory(self, settings):
        from aline_tf.errors import InputError

        if settings.model is None:
            raise InputError(
                f"expected {settings.option('model')}, one of {self.name}; received none, "
                "and none comes with the package"
            )
        return super().preset_directory(settings)

    @property
    def deployments(self):
        """One pool of the default size, for measurements of speed."""
        from aline_tf.evaluation.bars import Deployment

        horizon = self.task.spec.horizon
        return (Deployment(max(self.defaults["candidates"], horizon), horizon, self.is_recorded),)

    def budget_results(self, model, runs, seed, candidates):
        """Bounds of the information where a likelihood is known, else error and log score."""
        if self.has_likelihood:
            return super().budget_results(model, runs, seed, candidates)
        from aline_tf.evaluation.experiment import Settings

        settings = Settings(
            policies=("learned",), model=model, runs=runs, candidates=candidates, seed=seed
        )
        found = self.evaluate(settings).results
        last = max(each.step for each in found)
        kept = ("rmse", "log_prob")
        return [each for each in found if each.step == last and each.metric in kept]

    def summary(self, settings, horizon):
        if self.has_likelihood:
            return super().summary(settings, horizon)
        return (
            f"{self.name}: {settings.runs} runs of {horizon} steps, {settings.candidates} "
            f"candidates, seed {settings.seed}"
        )

    def model_and_policies(self, settings):
        from aline_tf.acquisition.baselines.uncertainty import UncertaintySamplingPolicy
        from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy

        needed = {"learned", "uncertainty"} & set(settings.policies) or settings.model is not None
        model = self.load_model(settings) if needed or not self.has_likelihood else None
        made = {
            "learned": lambda: LearnedPolicy(model),
            "random": lambda: RandomPolicy(settings.seed),
            "uncertainty": lambda: UncertaintySamplingPolicy(model),
            "greedy": self.greedy_policy,
        }
        return model, {name: made[name]() for name in settings.policies}

    def information(self, *args):
        return super().information(*args) if self.has_likelihood else ()

    def model_results(self, name, posterior, runs, data, steps, joint, report):
        """What the model's posterior is worth on the data of every policy."""
        from aline_tf.experiments.plain_posterior import model_results

        if posterior is None:
            return
        yield from model_results(name, posterior, runs, data, steps)
        if joint:
            yield from self.joint_results(name, posterior.model, data, steps)
        report(f"{name}: posterior of the model")

    def evaluate(self, settings, report=lambda line: None):
        if not self.is_recorded:
            return super().evaluate(settings, report)
        from aline_tf.evaluation.experiment import Evaluation
        from aline_tf.experiments import recorded

        settings = self.complete(settings)
        model, policies = self.model_and_policies(settings)
        episode = recorded.held_out(self.task, settings.runs, settings.candidates, settings.seed)
        horizon = min(self.task.spec.horizon, recorded.shortest_pool(episode))
        few = tuple(settings.steps or (0, *report_steps(horizon)))
        steps = range(horizon + 1) if settings.every_step else few
        results = recorded.evaluate(model, policies, episode, horizon, steps, report)
        shown = [each for each in results if each.step in few]
        return Evaluation(self.summary(settings, horizon), results, shown, {"runs": {}})

    def draw(self, directory, evaluation):
        if evaluation.data["runs"]:
            return super().draw(directory, evaluation)
        from aline_tf.evaluation.plots.curves import draw_curves
        from aline_tf.experiments.plots import METRICS
        from aline_tf.plots.style import save

        targets = list(dict.fromkeys(each.target for each in evaluation.results))
        figure = draw_curves(evaluation.results, METRICS, targets, {"coverage_90": 0.9})
        return save(figure, directory, "curves")
