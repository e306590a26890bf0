"""Evaluation: simulated runs, one acquisition loop, metrics, calibration, information bounds."""

from aline_tf.evaluation import calibration as calibration
from aline_tf.evaluation import eig as eig
from aline_tf.evaluation import metrics as metrics
from aline_tf.evaluation import results as results
from aline_tf.evaluation.bars import Bar as Bar
from aline_tf.evaluation.bars import Deployment as Deployment
from aline_tf.evaluation.bars import Reference as Reference
from aline_tf.evaluation.calibration import Uniformity as Uniformity
from aline_tf.evaluation.calibration import uniformity as uniformity
from aline_tf.evaluation.eig import Bounds as Bounds
from aline_tf.evaluation.eig import prior_bounds as prior_bounds
from aline_tf.evaluation.estimates import Estimates as Estimates
from aline_tf.evaluation.experiment import Evaluation as Evaluation
from aline_tf.evaluation.experiment import Experiment as Experiment
from aline_tf.evaluation.experiment import Settings as Settings
from aline_tf.evaluation.model_posterior import ModelPosterior as ModelPosterior
from aline_tf.evaluation.model_posterior import ModelPrediction as ModelPrediction
from aline_tf.evaluation.play import play_through as play_through
from aline_tf.evaluation.results import Result as Result
from aline_tf.evaluation.simulated_runs import RunData as RunData
from aline_tf.evaluation.simulated_runs import SimulatedRuns as SimulatedRuns
