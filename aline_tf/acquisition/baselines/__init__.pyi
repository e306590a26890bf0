"""Policies that a learned one is compared with: Gaussian processes, uncertainty, sampled gain."""

from aline_tf.acquisition.baselines.gp_policies import GPInformationPolicy as GPInformationPolicy
from aline_tf.acquisition.baselines.gp_policies import GPPolicy as GPPolicy
from aline_tf.acquisition.baselines.gp_policies import GPRandomPolicy as GPRandomPolicy
from aline_tf.acquisition.baselines.gp_policies import GPUncertaintyPolicy as GPUncertaintyPolicy
from aline_tf.acquisition.baselines.gp_policies import GPVarianceReductionPolicy as GPVarianceReductionPolicy
from aline_tf.acquisition.baselines.gp_regression import GPPosterior as GPPosterior
from aline_tf.acquisition.baselines.gp_regression import GPSettings as GPSettings
from aline_tf.acquisition.baselines.gp_regression import JointVariance as JointVariance
from aline_tf.acquisition.baselines.sampled_greedy import SampledGreedyPolicy as SampledGreedyPolicy
from aline_tf.acquisition.baselines.uncertainty import UncertaintySamplingPolicy as UncertaintySamplingPolicy
