"""Experiments: what belongs to one task, a folder each, and what serves any task."""

from aline_tf.experiments.ces.experiment import CESExperiment as CESExperiment
from aline_tf.experiments.functions.experiment import FunctionExperiment as FunctionExperiment
from aline_tf.experiments.functions.experiment import GP1DExperiment as GP1DExperiment
from aline_tf.experiments.functions.experiment import GP2DExperiment as GP2DExperiment
from aline_tf.experiments.hyperparameters.experiment import HyperparameterExperiment as HyperparameterExperiment
from aline_tf.experiments.known_likelihood import KnownLikelihoodExperiment as KnownLikelihoodExperiment
from aline_tf.experiments.location_finding.experiment import LocationFindingExperiment as LocationFindingExperiment
from aline_tf.experiments.lookup import budget_settings as budget_settings
from aline_tf.experiments.lookup import experiment_by_name as experiment_by_name
from aline_tf.experiments.lookup import experiment_of as experiment_of
from aline_tf.experiments.lookup import model_settings as model_settings
from aline_tf.experiments.own_task import OwnTaskExperiment as OwnTaskExperiment
from aline_tf.experiments.psychometric.experiment import PsychometricExperiment as PsychometricExperiment
from aline_tf.experiments.table import evaluate as evaluate
