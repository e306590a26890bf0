"""Acquisition: the session that asks and is told, and the policies that choose the next design."""

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
from aline_tf.acquisition.misfit import Fit as Fit
from aline_tf.acquisition.policies import LearnedPolicy as LearnedPolicy
from aline_tf.acquisition.policies import Policy as Policy
from aline_tf.acquisition.policies import RandomPolicy as RandomPolicy
from aline_tf.acquisition.policies import RescaledPolicy as RescaledPolicy
from aline_tf.acquisition.policies import policy_by_name as policy_by_name
from aline_tf.acquisition.questions import Answer as Answer
from aline_tf.acquisition.questions import Marginal as Marginal
from aline_tf.acquisition.questions import Question as Question
from aline_tf.acquisition.refined.refinement import Refinement as Refinement
from aline_tf.acquisition.refined.refinement import WeightedDraws as WeightedDraws
from aline_tf.acquisition.session import Session as Session
from aline_tf.acquisition.session_units import SessionUnits as SessionUnits
from aline_tf.acquisition.trust import Trust as Trust
