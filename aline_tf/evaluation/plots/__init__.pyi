"""Figures that hold for every task: curves, rank histograms, and the style of all."""

from aline_tf.evaluation.plots.curves import draw_curves as draw_curves
from aline_tf.evaluation.plots.rank_histograms import draw_rank_histograms as draw_rank_histograms
from aline_tf.plots.style import plot_style as plot_style
from aline_tf.plots.style import policy_style as policy_style
from aline_tf.plots.style import save as save
