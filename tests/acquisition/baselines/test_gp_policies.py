"""Baselines with a fitted Gaussian process: what each of them takes, and what it promises."""

import numpy as np
import pytest

from aline_tf.acquisition.baselines.gp_policies import GP_POLICIES, GPRandomPolicy
from aline_tf.acquisition.baselines.gp_regression import GPPosterior, GPSettings
from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.errors import InputError


def batch_of(rows=2, seen=4, candidates=15, targets=10, dims=2, seed=0):
    """Observations of a sine with room for more, a pool whose first candidates are taken."""
    rng = np.random.default_rng(seed)
    batch = empty_batch(
        {"B": rows, "C": seen + 2, "D": dims, "F": 1, "P": 2, "M": targets, "N": candidates}
    )
    for name in ("context_design", "candidate_design", "target_design"):
        batch[name][:] = rng.uniform(-5, 5, batch[name].shape)
    batch["context_outcome"][..., 0] = np.sin(batch["context_design"]).sum(-1)
    batch["context_status"][:] = OBSERVED
    batch["context_mask"][:, :seen] = True
    batch["candidate_mask"][:, 2:] = True
    batch["target_mask"][:, : targets // 2] = True
    return batch


@pytest.fixture(params=GP_POLICIES)
def policy(request):
    return GP_POLICIES[request.param]()


def brute_force(name, batch, row):
    """Mean variance of the wanted outcomes (or -variance of the candidate) for each candidate."""
    fitted = next(
        iter(GPRandomPolicy().posteriors({k: v[row : row + 1] for k, v in batch.items()}))
    )
    seen = batch["context_mask"][row]
    design, outcome = batch["context_design"][row, seen], batch["context_outcome"][row, seen, 0]
    targets = batch["target_design"][row, batch["target_mask"][row]]
    scores = []
    for candidate in batch["candidate_design"][row]:
        if name == "gp-us":
            scores.append(-fitted.predict(candidate[None])[1][0])
            continue
        grown = np.vstack([design, candidate]), np.append(outcome, 0.0)
        after = GPPosterior(fitted.signal, fitted.noise, *grown, 0.0, fitted.scale)
        sd = after.predict(targets)[1]
        # Information about y*: by how much the entropy of a normal drops.
        scores.append(np.mean(sd**2) if name == "gp-vr" else np.mean(np.log(sd)))
    return np.where(batch["candidate_mask"][row], scores, np.inf)


@pytest.mark.parametrize("name", ["gp-us", "gp-vr", "gp-epig"])
def test_the_choice_is_that_of_trying_every_candidate(name):
    batch = batch_of()
    chosen = GP_POLICIES[name]().choose(batch)
    for row, index in enumerate(chosen):
        assert index == np.argmin(brute_force(name, batch, row))


def test_a_state_has_one_answer_among_the_allowed(policy):
    batch = batch_of()
    chosen = policy.choose(batch)
    assert batch["candidate_mask"][np.arange(2), chosen].all()
    policy.choose(batch_of(seed=1))
    np.testing.assert_array_equal(policy.choose(batch), chosen)


def test_predictions_read_the_observed_context_alone(policy):
    batch = batch_of()
    mean, sd = policy.predict(batch)
    assert mean.shape == sd.shape == (2, 10)
    changed = {name: array.copy() for name, array in batch.items()}
    changed["context_outcome"][:, 4:] = 1e3
    changed["candidate_design"][:] = 0.0
    np.testing.assert_array_equal(type(policy)().predict(changed)[0], mean)
    truth = np.sin(batch["target_design"]).sum(-1)
    assert np.mean(np.abs(truth - mean) < 3 * sd) > 0.8


def test_the_random_one_takes_what_the_random_policy_takes():
    batch = batch_of(rows=3)
    np.testing.assert_array_equal(
        GPRandomPolicy(seed=5).choose(batch), RandomPolicy(5).choose(batch)
    )


def test_nothing_observed_is_refused(policy):
    batch = batch_of()
    batch["context_mask"][1] = False
    with pytest.raises(InputError, match="row 1"):
        policy.predict(batch)


@pytest.mark.parametrize("name", ["gp-vr", "gp-epig"])
def test_no_target_is_refused(name):
    batch = batch_of()
    batch["target_mask"][0] = False
    with pytest.raises(InputError, match=name):
        GP_POLICIES[name]().choose(batch)


def test_settings_reach_the_fit():
    settings = GPSettings(noise=(0.05, 0.05))
    (first, _) = GPRandomPolicy(settings).posteriors(batch_of())
    assert first.noise == pytest.approx(0.05)
