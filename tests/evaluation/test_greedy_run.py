"""A greedy run in one loop chooses as a policy does that is asked step by step."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.policies import LearnedPolicy
from aline_tf.evaluation.greedy_run import compiled_run
from aline_tf.models.aline import ALINE
from tests.seeds import seed_weights
from tests.training.small_tasks import SIZES, Coin


def test_the_loop_takes_what_the_policy_would_take():
    seed_weights(3)
    task = Coin()
    network = ALINE.for_task(task, **SIZES)
    network.build()
    episode = task.sample_episodes(draws.as_seed(1), 4, 9)
    found = compiled_run(network, episode, horizon=3)(episode, draws.as_seed(2))
    index = tf.gather(found.offered, found.choice[..., None], batch_dims=2)[..., 0].numpy()
    policy, state = LearnedPolicy(network), {k: v.numpy() for k, v in episode.items()}
    rows = np.arange(4)
    for t in range(3):
        chosen = policy.choose(state)
        np.testing.assert_array_equal(index[:, t], chosen)
        state["candidate_mask"][rows, chosen] = False
        for part in ("design", "outcome", "status"):
            new = state[f"candidate_{part}"][rows, chosen][:, None]
            state[f"context_{part}"] = np.concatenate([state[f"context_{part}"], new], axis=1)
        state["context_mask"] = np.ones((4, t + 1), bool)
