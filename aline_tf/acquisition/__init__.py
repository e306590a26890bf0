"""Acquisition: the session that asks and is told, and the policies that choose the next design."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Answer": "questions",
        "Fit": "misfit",
        "GPInformationPolicy": "baselines.gp_policies",
        "GPPolicy": "baselines.gp_policies",
        "GPPosterior": "baselines.gp_regression",
        "GPRandomPolicy": "baselines.gp_policies",
        "GPSettings": "baselines.gp_regression",
        "GPUncertaintyPolicy": "baselines.gp_policies",
        "GPVarianceReductionPolicy": "baselines.gp_policies",
        "JointVariance": "baselines.gp_regression",
        "LearnedPolicy": "policies",
        "Marginal": "questions",
        "Policy": "policies",
        "Question": "questions",
        "RandomPolicy": "policies",
        "RescaledPolicy": "policies",
        "Refinement": "refined.refinement",
        "SampledGreedyPolicy": "baselines.sampled_greedy",
        "Session": "session",
        "SessionUnits": "session_units",
        "Trust": "trust",
        "UncertaintySamplingPolicy": "baselines.uncertainty",
        "WeightedDraws": "refined.refinement",
        "policy_by_name": "policies",
    },
)
