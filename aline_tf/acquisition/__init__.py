"""Acquisition: the session that asks and is told, and the policies that choose the next design."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Answer": "questions",
        "Fit": "misfit",
        "GPInformationPolicy": "gp_policies",
        "GPPolicy": "gp_policies",
        "GPPosterior": "gp_regression",
        "GPRandomPolicy": "gp_policies",
        "GPSettings": "gp_regression",
        "GPUncertaintyPolicy": "gp_policies",
        "GPVarianceReductionPolicy": "gp_policies",
        "JointVariance": "gp_regression",
        "LearnedPolicy": "policies",
        "Marginal": "questions",
        "Policy": "policies",
        "Question": "questions",
        "RandomPolicy": "policies",
        "RescaledPolicy": "rescaling",
        "Refinement": "refinement",
        "Rescaling": "rescaling",
        "SampledGreedyPolicy": "sampled_greedy",
        "Session": "session",
        "TrainingRange": "rescaling",
        "Trust": "trust",
        "UncertaintySamplingPolicy": "uncertainty",
        "WeightedDraws": "refinement",
        "policy_by_name": "policies",
    },
)
