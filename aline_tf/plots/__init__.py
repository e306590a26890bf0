"""Plots: each function takes what it draws and, if need be, the axes, and returns the axes.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart. matplotlib is
imported when something is drawn.
"""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "posterior": "session_plots",
        "posterior_over_steps": "session_plots",
        "prediction": "session_plots",
        "queries": "session_plots",
        "rank_histogram": "rank_plots",
        "rank_difference": "rank_plots",
        "scores": "result_plots",
        "information": "result_plots",
        "learning_curve": "learning_plots",
        "risk": "risk_plots",
        "plot_style": "style",
        "policy_style": "style",
        "save": "style",
    },
)
