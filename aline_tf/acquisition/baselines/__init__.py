"""Policies that a learned one is compared with: Gaussian processes, uncertainty, sampled gain."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "GPInformationPolicy": "gp_policies",
        "GPPolicy": "gp_policies",
        "GPPosterior": "gp_regression",
        "GPRandomPolicy": "gp_policies",
        "GPSettings": "gp_regression",
        "GPUncertaintyPolicy": "gp_policies",
        "GPVarianceReductionPolicy": "gp_policies",
        "JointVariance": "gp_regression",
        "SampledGreedyPolicy": "sampled_greedy",
        "UncertaintySamplingPolicy": "uncertainty",
    },
)
