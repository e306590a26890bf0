"""Evaluation of tasks with a known likelihood: how much information each policy collects.

For every policy: bounds of the total expected information gain (`spce`, `snmc`, in nats; `spce`
cannot exceed log(L + 1)) and, from a posterior, `rmse`, `log_prob` (nats per parameter) and
`coverage_90`. The posterior is the model's own for the learned policy; where an exact one is at
hand it judges the other policies and, as "learned/exact", the learned one's designs. Results of
single parameters stand beside those of all of them. The learned policy's results also say whether
its posterior is calibrated and how well it predicts outcomes not yet seen (see
`plain_posterior`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Evaluation, Experiment, Settings

if TYPE_CHECKING:
    from aline_tf.acquisition.policies import Policy
    from aline_tf.evaluation.estimates import Estimates
    from aline_tf.evaluation.model_posterior import ModelPosterior
    from aline_tf.evaluation.results import Result
    from aline_tf.evaluation.simulated_runs import RunData, SimulatedRuns

#: L, prior draws of the bounds.
CONTRASTIVE = 100_000
REPORT_STEPS = (5, 10, 20, 30)


def report_steps(horizon: int) -> tuple[int, ...]:
    """After how many outcomes figures are reported; the horizon always among them."""
    return (*(step for step in REPORT_STEPS if step < horizon), horizon)


class KnownLikelihoodExperiment(Experiment):
    """An experiment whose task has `log_likelihood`.

    Args:
        name, task: see `Experiment`.

    Attributes:
        determined: parameters that the others determine, which have no joint density.

    Example:
        >>> from aline_tf.experiments import KnownLikelihoodExperiment
        >>> KnownLikelihoodExperiment("location_finding").policies
        ('learned', 'random', 'greedy')
    """

    policies = ("learned", "random", "greedy")
    defaults: ClassVar = {"runs": 100, "candidates": 2000, "contrastive": CONTRASTIVE}
    options = frozenset({"contrastive", "joint"})
    determined: tuple[str, ...] = ()

    def greedy_policy(self) -> Policy:
        """The policy that knows the likelihood."""
        from aline_tf.acquisition.baselines.sampled_greedy import SampledGreedyPolicy

        return SampledGreedyPolicy(self.task)

    def exact_estimates(self, data: RunData, steps: Sequence[int]) -> Estimates | None:
        """Summaries of the exact posterior, [R, K, P]; None where none is at hand.

        Args:
            data: R runs.
            steps: K numbers of outcomes, each in 0..T.
        """
        return None

    def exact_joint(self, data: RunData, steps: Sequence[int]):
        """log p(theta | D) by the exact posterior, [R, K], in nats; None where none is at hand.

        Args:
            data: R runs.
            steps: K numbers of outcomes, each in 0..T.
        """
        return None

    def exact_inference(self):
        """Sequential Monte Carlo from the prior, which needs the likelihood alone; None without."""
        if None in (self.task.log_likelihood, self.task.log_prior):
            return None
        from aline_tf.evaluation.promises.refined import RefinedInference

        return RefinedInference(self.task)

    def query_quantities(self, data: RunData) -> dict:
        """What the figure of queries shows: values [R, T] and bin edges, by name."""
        from aline_tf.experiments.plots import query_quantities

        return query_quantities(data, self.task.spec)

    def own_figures(self, data: Mapping[str, RunData]) -> dict:
        """Figures beside those of every task, by name, from the data of each policy."""
        return {}

    def draw_posterior(self, data: RunData, posterior: ModelPosterior):
        """The figure of one run's posterior on the way.

        Args:
            data: R runs, of which one is shown.
            posterior: of the model.
        """
        from aline_tf.experiments.plots import draw_marginals

        return draw_marginals(data, self.task, posterior)

    def evaluate(self, settings, report=lambda line: None):
        from aline_tf.evaluation.model_posterior import ModelPosterior
        from aline_tf.evaluation.simulated_runs import SimulatedRuns

        settings = self.complete(settings)
        if settings.joint and "learned" not in settings.policies:
            raise InputError(
                f"expected the learned policy with {settings.option('joint')}; received "
                f"{settings.option('policy')} {','.join(settings.policies)}"
            )
        model, policies = self.model_and_policies(settings)
        runs = SimulatedRuns(self.task, settings.runs, settings.candidates, settings.seed)
        few = report_steps(runs.horizon)
        every = range(1, runs.horizon + 1) if settings.every_step else settings.steps or few
        posterior = None if model is None else ModelPosterior(model)
        data: dict = {}
        results = self.measure(
            policies, runs, settings.contrastive, settings.seed, posterior, report, every,
            settings.joint, keep=data.__setitem__,
        )  # fmt: skip
        single = set(self.task.spec.parameter_names) if len(self.task.spec.parameters) > 1 else ()
        table = set(settings.steps or few)
        shown = [each for each in results if each.target not in single and each.step in table]
        return Evaluation(
            self.summary(settings, runs.horizon), results, shown,
            {"runs": data, "posterior": posterior},
        )  # fmt: skip

    def summary(self, settings: Settings, horizon: int) -> str:
        """The line above the table.

        Args:
            settings: complete ones.
            horizon: T.
        """
        return (
            f"{self.name}: {settings.runs} runs of {horizon} steps, {settings.candidates} "
            f"candidates, {settings.contrastive} contrastive parameters (spce is at most "
            f"{math.log(settings.contrastive + 1):.2f}), seed {settings.seed}"
        )

    def model_and_policies(self, settings: Settings):
        """The model (None without a learned policy) and the policies by name."""
        from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy

        model, policies = None, {}
        for name in settings.policies:
            if name == "random":
                policies[name] = RandomPolicy(settings.seed)
            elif name == "learned":
                model = self.load_model(settings)
                policies[name] = LearnedPolicy(model)
            else:
                policies[name] = self.greedy_policy()
        return model, policies

    def load_model(self, settings):
        model = super().load_model(settings)
        if model.spec != self.task.spec:
            raise InputError(
                f"expected a preset of {self.name!r} with the task's own description; received "
                f"one with parameters {', '.join(model.spec.parameter_names)}"
            )
        return model

    def measure(
        self,
        policies: Mapping[str, Policy],
        runs: SimulatedRuns,
        contrastive: int,
        seed: int = 0,
        posterior: ModelPosterior | None = None,
        report: Callable[[str], None] = lambda line: None,
        steps: Sequence[int] | None = None,
        joint: bool = False,
        keep: Callable[[str, RunData], None] = lambda policy, data: None,
    ) -> list[Result]:
        """All results of a table.

        Args:
            policies: by name; "learned" is judged by `posterior`.
            runs: the same for every policy.
            contrastive: L, of the bounds.
            seed: of the contrastive parameters.
            posterior: of the model.
            report: called with a line whenever a part is done.
            steps: numbers of outcomes after which figures are reported; `report_steps` when None.
            joint: whether to compare the model's joint posterior with its marginals.
            keep: called with every policy's data.
        """
        from aline_tf.evaluation.posterior_results import posterior_results

        names = runs.task.spec.parameter_names
        steps = report_steps(runs.horizon) if steps is None else tuple(steps)
        results: list[Result] = []
        for name, policy in policies.items():
            data = runs.play(policy, lambda done, n=name: report(f"{n}: {done} runs"))
            keep(name, data)
            results += self.information(
                name, runs.task, data, steps, contrastive, seed,
                lambda done, of, n=name: report(f"{n}: bounds of {done} of {of} runs"),
            )  # fmt: skip
            results += self.model_results(name, posterior, runs, data, steps, joint, report)
            exact = self.exact_estimates(data, steps)
            if exact is not None:
                label = "learned/exact" if name == "learned" else name
                results += posterior_results(label, names, exact, data.theta, steps)
                report(f"{name}: exact posterior")
        return results

    def information(self, *args) -> Iterator[Result]:
        """Bounds of the information gain; arguments as of `information_results`."""
        return information_results(*args)

    def model_results(self, name, posterior, runs, data, steps, joint, report) -> Iterator[Result]:
        """What the model's posterior is worth on the learned policy's own data.

        Args:
            name: of the policy.
            posterior: of the model; not read for another policy than the learned one.
            runs: the `SimulatedRuns`, which give the outcomes to predict.
            data: R of them, as that policy met them.
            steps: K numbers of outcomes, each in 0..T.
            joint: whether to judge the joint posterior too.
            report: called with a line when all is done.
        """
        from aline_tf.experiments.plain_posterior import model_results

        if name != "learned":
            return
        yield from model_results(name, posterior, runs, data, steps)
        if joint:
            yield from self.joint_results(name, posterior.model, data, steps)
        report(f"{name}: posterior of the model")

    def joint_results(self, name, model, data: RunData, steps) -> Iterator[Result]:
        """The joint posterior beside the product of its marginals.

        Args:
            name: of the policy.
            model: an ALINE model.
            data: R runs, as that policy met them.
            steps: K numbers of outcomes, each in 0..T.
        """
        from aline_tf.experiments.joint_posterior import joint_results

        free = tuple(n for n in model.spec.parameter_names if n not in self.determined)
        yield from joint_results(name, model, data, steps, free, self.exact_joint(data, steps))

    def budget_results(self, model, runs, seed, candidates):
        """Bounds of the information that the learned policy collects."""
        from aline_tf.acquisition.policies import LearnedPolicy
        from aline_tf.evaluation.simulated_runs import SimulatedRuns

        simulated = SimulatedRuns(self.task, runs, candidates, seed)
        data, steps = simulated.play(LearnedPolicy(model)), (simulated.horizon,)
        return list(information_results("learned", self.task, data, steps, CONTRASTIVE, seed))

    def draw(self, directory, evaluation) -> list[Path]:
        from aline_tf.evaluation.plots.curves import draw_curves
        from aline_tf.evaluation.plots.rank_histograms import draw_rank_histograms
        from aline_tf.evaluation.simulated_runs import model_estimates
        from aline_tf.experiments.plots import METRICS, draw_queries
        from aline_tf.plots.style import save

        spec, data = self.task.spec, evaluation.data["runs"]
        posterior = evaluation.data["posterior"]
        target = ",".join(spec.parameter_names)
        quantities = {name: self.query_quantities(found) for name, found in data.items()}
        figures = {
            "curves": draw_curves(evaluation.results, METRICS, [target], {"coverage_90": 0.9}),
            "queries": draw_queries(quantities),
            **self.own_figures(data),
        }
        if posterior is not None and "learned" in data:
            found = data["learned"]
            figures["posterior"] = self.draw_posterior(found, posterior)
            steps = report_steps(found.horizon)
            pit = model_estimates(posterior, spec, found, steps).pit()
            figures["ranks"] = draw_rank_histograms(pit, spec.parameter_names, steps)
        return [path for name, figure in figures.items() for path in save(figure, directory, name)]


def information_results(
    policy: str,
    task,
    data: RunData,
    steps: Sequence[int],
    contrastive: int,
    seed: int,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Result]:
    """Bounds of the total expected information gain about all parameters, at each step."""
    from aline_tf.evaluation import eig
    from aline_tf.evaluation.results import Result

    bounds = eig.prior_bounds(
        task, data.theta, data.design, data.outcome, steps, contrastive, seed, report=report
    )
    target = ",".join(task.spec.parameter_names)
    for metric, found in dataclasses.asdict(bounds).items():
        for k, step in enumerate(steps):
            yield Result.of(policy, target, step, metric, found[:, k])
