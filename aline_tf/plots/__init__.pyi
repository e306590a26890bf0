"""Plots: each function takes what it draws and, if need be, the axes, and returns the axes."""

from aline_tf.plots.learning_plots import learning_curve as learning_curve
from aline_tf.plots.rank_plots import rank_difference as rank_difference
from aline_tf.plots.rank_plots import rank_histogram as rank_histogram
from aline_tf.plots.result_plots import information as information
from aline_tf.plots.result_plots import scores as scores
from aline_tf.plots.risk_plots import risk as risk
from aline_tf.plots.session_plots import posterior as posterior
from aline_tf.plots.session_plots import posterior_over_steps as posterior_over_steps
from aline_tf.plots.session_plots import prediction as prediction
from aline_tf.plots.session_plots import queries as queries
from aline_tf.plots.style import plot_style as plot_style
from aline_tf.plots.style import policy_style as policy_style
from aline_tf.plots.style import save as save
