"""Expected information: posterior sampling, nested Monte Carlo, expected gains, look-ahead."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "SMCSettings": "posterior_sampling",
        "binary_entropy": "nested_monte_carlo",
        "candidate_gain": "nested_monte_carlo",
        "complete_theta": "posterior_sampling",
        "information_gain": "expected_gain",
        "log_posterior": "posterior_sampling",
        "look_ahead_gain": "look_ahead",
        "posterior_draws": "posterior_sampling",
        "selects_all": "expected_gain",
    },
)
