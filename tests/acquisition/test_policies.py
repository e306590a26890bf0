"""What every policy promises, and the two that read no posterior."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import LearnedPolicy, Policy, RandomPolicy, masked_argmax
from aline_tf.errors import InputError
from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy
from tests.acquisition.batches import batch_of
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def model():

    from aline_tf.models.aline import ALINE
    from aline_tf.tasks.psychometric import SPEC

    seed_weights(2)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    return model


@pytest.fixture(params=["random", "psi-marginal", "learned", "questplus"])
def policy(request, model):
    if request.param == "questplus":
        pytest.importorskip("questplus")
        from aline_tf.experiments.psychometric.quest_plus import QuestPlusPolicy

        return QuestPlusPolicy((3, 3, 2, 2))
    if request.param == "learned":
        return LearnedPolicy(model)
    return RandomPolicy(3) if request.param == "random" else PsiMarginalPolicy((8, 6, 4, 4))


def test_only_allowed_candidates_are_chosen_and_a_state_has_one_answer(policy):
    batch = batch_of(rows=5)
    chosen = policy.choose(batch)
    assert chosen.shape == (5,)
    assert batch["candidate_mask"][np.arange(5), chosen].all()
    # Another context in between leaves no trace.
    policy.choose(batch_of(rows=5, seed=9))
    np.testing.assert_array_equal(policy.choose(batch), chosen)


def test_tensors_are_as_good_as_arrays(policy):
    import tensorflow as tf

    batch = batch_of(rows=3)
    tensors = {name: tf.constant(value) for name, value in batch.items()}
    np.testing.assert_array_equal(policy.choose(tensors), policy.choose(batch))


def test_the_last_candidate_is_chosen_and_an_empty_pool_is_refused(policy):
    batch = batch_of(rows=2)
    batch["candidate_mask"][:] = False
    batch["candidate_mask"][:, 4] = True
    np.testing.assert_array_equal(policy.choose(batch), [4, 4])
    batch["candidate_mask"][1] = False
    with pytest.raises(InputError, match="row 1"):
        policy.choose(batch)


def test_learned_policy_takes_the_best_score_of_the_model(model):
    batch = batch_of(rows=4)
    logits = model(batch)["candidate_logits"].numpy()
    np.testing.assert_array_equal(LearnedPolicy(model).choose(batch), np.argmax(logits, axis=1))


def test_random_policy_is_uniform_over_the_pool():
    batch = batch_of(rows=4000)
    counts = np.bincount(RandomPolicy(0).choose(batch), minlength=12)
    assert counts[0] == counts[-1] == 0
    assert np.abs(counts[1:-1] - 400).max() < 5 * np.sqrt(400)
    assert (RandomPolicy(0).choose(batch) != RandomPolicy(1).choose(batch)).any()


def test_masked_argmax_skips_what_is_not_allowed():
    scores = np.array([[3.0, 2.0, 1.0], [np.nan, -np.inf, -5.0]])
    mask = np.array([[False, True, True], [False, False, True]])
    np.testing.assert_array_equal(masked_argmax(scores, mask), [1, 2])


def test_policy_is_an_interface():
    with pytest.raises(TypeError):
        Policy()
