"""Expected information: posterior sampling, nested Monte Carlo, expected gains, look-ahead."""

from aline_tf.information.expected_gain import information_gain as information_gain
from aline_tf.information.expected_gain import selects_all as selects_all
from aline_tf.information.look_ahead import look_ahead_gain as look_ahead_gain
from aline_tf.information.nested_monte_carlo import binary_entropy as binary_entropy
from aline_tf.information.nested_monte_carlo import candidate_gain as candidate_gain
from aline_tf.information.posterior_sampling import SMCSettings as SMCSettings
from aline_tf.information.posterior_sampling import complete_theta as complete_theta
from aline_tf.information.posterior_sampling import log_posterior as log_posterior
from aline_tf.information.posterior_sampling import posterior_draws as posterior_draws
