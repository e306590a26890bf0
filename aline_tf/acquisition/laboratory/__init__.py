"""A session in the laboratory: a handler of trials in PsychoPy's manner, and plots."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "TrialHandler": "trial_handler",
        "plot_curve": "session_plots",
        "plot_posterior": "session_plots",
        "plot_queries": "session_plots",
    },
)
