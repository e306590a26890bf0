"""Figures that hold for every task: curves, rank histograms, and the style of all."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "draw_curves": "curves",
        "draw_rank_histograms": "rank_histograms",
        "plot_style": "aline_tf.plots.style",
        "policy_style": "aline_tf.plots.style",
        "save": "aline_tf.plots.style",
    },
)
