"""Three states of the psychometric task that tests of information share."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import extend_context
from aline_tf.tasks.psychometric import Psychometric

TRIALS = np.array([[-1.0, 0.0], [1.0, 1.0], [0.2, 1.0], [-3.0, 0.0]], np.float32)
POOL = np.array([-4.0, -1.0, 0.0, 0.7, 4.5], np.float32)
ROWS = 3  # after threshold and slope; after guess and lapse; the latter with the guess known
GUESS = 0.6


def psychometric_state() -> dict:
    """After four trials, with room for one more, before a pool of five stimuli."""
    episode = Psychometric().sample_episodes(draws.as_seed(3), ROWS, len(POOL))
    state = extend_context(episode, len(TRIALS) + 1)
    seen = np.zeros([ROWS, len(TRIALS) + 1, 2], np.float32)
    seen[:, :-1] = TRIALS
    pairs = [[True, True, False, False], [False, False, True, True], [False, False, True, True]]
    return state | {
        "context_design": tf.constant(seen[..., :1]),
        "context_outcome": tf.constant(seen[..., 1:]),
        "context_status": tf.ones([ROWS, len(TRIALS) + 1, 1], tf.int32),
        "context_mask": tf.constant([[True] * len(TRIALS) + [False]] * ROWS),
        "candidate_design": tf.constant(np.tile(POOL[None, :, None], (ROWS, 1, 1))),
        "theta_mask": tf.constant(pairs),
        "target_mask": tf.zeros_like(state["target_mask"]),
        "known_mask": tf.constant([[False] * 4, [False] * 4, [False, False, True, False]]),
        "known_theta": tf.constant([[0.0, 0.0, GUESS, 0.0]] * ROWS),
    }
