"""A session in the laboratory: a handler of trials in PsychoPy's manner, and plots."""

from aline_tf.acquisition.laboratory.session_plots import plot_curve as plot_curve
from aline_tf.acquisition.laboratory.session_plots import plot_posterior as plot_posterior
from aline_tf.acquisition.laboratory.session_plots import plot_queries as plot_queries
from aline_tf.acquisition.laboratory.trial_handler import TrialHandler as TrialHandler
