"""Scores of a model's posterior and predictions along the runs of a policy, for any task.

For all parameters together and for each: rmse, log_prob, coverage_90 and, from ranks of the truth,
sbc_ks, sbc_ks_95, sbc_chi2_p; for outcomes at designs that no policy chose: log_prob, coverage_90
where they are continuous, and pit_ks, pit_ks_95, pit_chi2_p (see
`aline_tf.evaluation.posterior_results`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aline_tf.evaluation.model_posterior import ModelPosterior, ModelPrediction
from aline_tf.evaluation.posterior_results import posterior_results, prediction_results
from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import (
    RunData,
    SimulatedRuns,
    model_estimates,
    model_predictions,
)


def model_results(
    policy: str,
    posterior: ModelPosterior,
    runs: SimulatedRuns,
    data: RunData,
    steps: Sequence[int],
) -> Iterator[Result]:
    """Scores of the model on what one policy acquired.

    Args:
        policy: as it stands in the results.
        posterior: of the model.
        runs: which give the outcomes to predict.
        data: R of them, as that policy met them.
        steps: K numbers of outcomes, each in 0..T.
    """
    spec = runs.task.spec
    estimates = model_estimates(posterior, spec, data, steps)
    yield from posterior_results(policy, spec.parameter_names, estimates, data.theta, steps)
    predictive, outcome = model_predictions(ModelPrediction(posterior.model), runs, data, steps)
    continuous = spec.outcomes[0].kind == "continuous"
    yield from prediction_results(policy, predictive, outcome, steps, continuous)
