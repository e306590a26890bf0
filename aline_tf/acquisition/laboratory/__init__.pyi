"""A session in the laboratory: a handler of trials as PsychoPy has it, a panel, plots."""

from aline_tf.acquisition.laboratory.session_panel import SessionPanel as SessionPanel
from aline_tf.acquisition.laboratory.session_panel import session_picture as session_picture
from aline_tf.acquisition.laboratory.session_plots import plot_curve as plot_curve
from aline_tf.acquisition.laboratory.session_plots import plot_posterior as plot_posterior
from aline_tf.acquisition.laboratory.session_plots import plot_queries as plot_queries
from aline_tf.acquisition.laboratory.session_replay import animate as animate
from aline_tf.acquisition.laboratory.session_replay import replay as replay
from aline_tf.acquisition.laboratory.trial_handler import TrialHandler as TrialHandler
