"""From an experiment and its settings to what is examined: model, policy, runs, oracle."""

from __future__ import annotations

from aline_tf.acquisition.policies import LearnedPolicy
from aline_tf.errors import InputError
from aline_tf.evaluation.promises.inference import ModelInference
from aline_tf.evaluation.promises.policy_runs import PolicyRuns
from aline_tf.evaluation.promises.refined import RefinedInference
from aline_tf.evaluation.promises.suite import Examined, chosen_promises, longest

#: Where neither settings nor experiment say otherwise.
RUNS, CANDIDATES = 300, 200
#: What a row costs refined is a hundred times its pass through the model: so few of the runs.
REFINED_SHARE = 1 / 12


def examined_by(experiment, settings, only=None) -> Examined:
    """A model under examination.

    Args:
        experiment: an `Experiment`.
        settings: model, runs, candidates and seed are read.
        only: names of promises; all when None.

    Raises:
        InputError: a setting cannot be used, or no exact posterior is at hand.
    """
    names = chosen_promises(only)
    own = dict(experiment.promise_settings)
    sizes = {
        name: own.pop(name, default) if getattr(settings, name) is None else getattr(settings, name)
        for name, default in (("runs", RUNS), ("candidates", CANDIDATES))
    }
    own = {name: value for name, value in own.items() if name not in sizes}
    horizon = experiment.task.spec.horizon
    if sizes["runs"] < 2:
        raise InputError(
            f"expected at least 2 runs; received {settings.option('runs')} {sizes['runs']}"
        )
    if sizes["candidates"] < horizon:
        raise InputError(
            f"expected a pool of at least {horizon} candidates, one for each trial; received "
            f"{settings.option('candidates')} {sizes['candidates']}"
        )
    if settings.seed < 0:
        raise InputError(
            f"expected a seed of 0 or more; received {settings.option('seed')} {settings.seed}"
        )
    exact = experiment.exact_inference()
    if exact is None:
        raise InputError(
            "expected a task with an exact posterior to measure promises by; received "
            f"{experiment.name!r}, which has none"
        )
    model = experiment.load_model(settings)
    policy, task = LearnedPolicy(model), experiment.task
    refined = None
    if None not in (task.log_likelihood, task.log_prior):
        refined = RefinedInference(task, model)
    return Examined(
        task=task,
        runs=PolicyRuns(task, policy, **sizes, seed=settings.seed, longest=longest(names, horizon)),
        model=ModelInference(model),
        exact=exact,
        refined=refined,
        policy=policy,
        refined_runs=max(2, round(REFINED_SHARE * sizes["runs"])),
        **own,
    )
