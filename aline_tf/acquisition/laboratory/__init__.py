"""A session in the laboratory: a handler of trials as PsychoPy has it, a panel, plots."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "SessionPanel": "session_panel",
        "TrialHandler": "trial_handler",
        "animate": "session_replay",
        "plot_curve": "session_plots",
        "plot_posterior": "session_plots",
        "plot_queries": "session_plots",
        "replay": "session_replay",
        "session_picture": "session_panel",
    },
)
