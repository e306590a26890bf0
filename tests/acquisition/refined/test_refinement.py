"""Refined posteriors against an exact grid, and as draws with weights."""

import math

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.acquisition.refined.refinement import Refinement, WeightedDraws
from aline_tf.batch import NO_ANSWER
from aline_tf.batch_ops import from_history
from aline_tf.errors import InputError
from aline_tf.experiments.functions.exact_inference import FunctionInference
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.tasks import CES, GP1D, GP2D, LocationFinding, Psychometric

TASK = Psychometric()
THETA = np.array([0.5, 0.6, 0.4, 0.1])
NEAR = 0.1  # of a standard deviation


@pytest.fixture(scope="module")
def refinement():
    return Refinement(TASK)


def history(count, known=None, capacity=128):
    """Stimuli and answers [1, count], and the same as a batch."""
    rng = np.random.default_rng(count)
    stimulus = rng.uniform(-5.0, 5.0, count)
    rise = 1.0 - np.exp(-(10.0 ** np.minimum((stimulus - THETA[0]) / THETA[1], 3.0)))
    answer = (rng.random(count) < THETA[2] * THETA[3] + (1.0 - THETA[3]) * rise).astype(float)
    room = (0, capacity - count)
    padded = (np.pad(part, room)[None, :, None] for part in (stimulus, answer))
    batch = from_history(TASK.spec.sizes, *padded, step=count)
    if known is not None:
        batch["known_mask"][0, known], batch["known_theta"][0, known] = True, THETA[known]
    return stimulus[None], answer[None], batch


@pytest.mark.parametrize(("count", "known"), [(30, None), (120, None), (30, 0), (30, 3)])
def test_moments_are_those_of_the_grid(refinement, count, known):
    stimulus, answer, batch = history(count, known)
    fixed = None if known is None else {known: THETA[None, known]}
    exact = GridPosterior().marginals(stimulus, answer, (count,), fixed)
    mean, sd = exact.mean()[0, 0], exact.sd()[0, 0]
    found = refinement.posterior(batch)
    free = sd > 0.0
    assert (np.abs(found.mean() - mean)[free] < NEAR * sd[free]).all()
    np.testing.assert_allclose(found.sd()[free], sd[free], rtol=NEAR)
    quantiles = exact.quantiles((0.05, 0.5, 0.95))[0, 0]
    away = np.abs(found.quantiles((0.05, 0.5, 0.95)) - quantiles)[free]
    assert (away < 2.0 * NEAR * sd[free, None]).all()


def test_the_joint_density_has_the_evidence_of_the_grid(refinement):
    stimulus, answer, batch = history(30)
    marginals = GridPosterior().marginals(stimulus, answer, (30,))
    posterior = refinement.posterior(batch)
    assert abs(posterior.log_evidence - marginals.log_evidence[0, 0]) < 0.1
    likelihood = TASK.log_likelihood(THETA, stimulus[0, :, None], answer[0, :, None])
    exact = float(np.sum(likelihood)) + float(TASK.log_prior(THETA)) - posterior.log_evidence
    outside = THETA + np.array([9.0, 0.0, 0.0, 0.0])
    found = refinement.log_prob(batch, np.stack([THETA, outside]), posterior)
    assert found[0] == pytest.approx(exact, abs=1e-3) and found[1] == -math.inf


def test_answers_that_are_missing_are_as_if_not_asked(refinement):
    _, _, batch = history(30)
    other = {name: part.copy() for name, part in batch.items()}
    other["context_mask"][0, 30:60] = True
    other["context_status"][0, 30:60] = NO_ANSWER
    assert (refinement.posterior(other).theta == refinement.posterior(batch).theta).all()


def test_a_posterior_of_everything_known_is_that(refinement):
    _, _, batch = history(3)
    batch["known_mask"][:], batch["known_theta"][0] = True, THETA
    found = refinement.posterior(batch)
    np.testing.assert_allclose(found.mean(), THETA, rtol=1e-6)
    assert found.sd().max() < 1e-6


def test_parameters_that_determine_each_other_stay_so():
    task = CES()
    batch = from_history(task.spec.sizes, np.zeros([1, 0, 6]), np.zeros([1, 0, 3]))
    found = Refinement(task).posterior(batch)
    np.testing.assert_allclose(found.theta[:, 1:4].sum(-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(found.mean()[1:4], 1.0 / 3.0, atol=0.03)


def known_basket(values, count=1):
    """No answer of the CES task yet, and known parameters by name."""
    task = CES()
    sizes = task.spec.sizes
    batch = from_history(sizes, np.full([1, count, 6], 10.0), np.zeros([1, count, 3]), step=0)
    for name, value in values.items():
        place = task.spec.parameter_names.index(name)
        batch["known_mask"][0, place], batch["known_theta"][0, place] = True, value
    return Refinement(task), batch


def test_known_parameters_that_contradict_each_other_are_refused():
    refinement, batch = known_basket({"alpha_1": 0.5, "alpha_2": 0.2, "alpha_3": 0.1})
    with pytest.raises(InputError, match=r"known alpha_1 of 0.7, which follows from the others"):
        refinement.posterior(batch)
    batch["known_theta"][0, 3] = 0.3
    np.testing.assert_allclose(refinement.posterior(batch).mean()[1:4], [0.5, 0.2, 0.3], atol=1e-6)
    refinement, batch = known_basket({"alpha_1": 0.7, "alpha_2": 0.7})
    with pytest.raises(InputError, match="known values that task 'ces' can have; received some"):
        refinement.posterior(batch)


def test_what_follows_from_the_others_has_no_other_value():
    refinement, batch = known_basket({"rho": 0.5})
    theta = np.array([[0.5, 0.2, 0.3, 0.5, 1.0], [0.5, 0.2, 0.3, 0.9, 1.0]])
    density = refinement.log_prob(batch, theta)
    assert np.isfinite(density[0]) and density[1] == -np.inf


def test_two_sources_that_are_ordered_stay_so():
    task = LocationFinding(sources=2)
    batch = from_history(task.spec.sizes, np.zeros([1, 0, 2]), np.zeros([1, 0, 1]))
    found = Refinement(task).posterior(batch)
    assert (found.theta[found.weight > 0, 0] <= found.theta[found.weight > 0, 2]).all()
    np.testing.assert_allclose(found.mean(), [1 / 3, 0.5, 2 / 3, 0.5], atol=0.03)


def test_a_task_without_likelihood_is_refused():
    with pytest.raises(InputError, match=r"likelihood and log_prior.*GP2D"):
        Refinement(GP2D())


def functions(count):
    """The history of a function of one variable, as a batch."""
    episode = GP1D().sample_episodes(draws.as_seed(count), 1, count)
    batch = from_history(
        GP1D().spec.sizes, episode["candidate_design"], episode["candidate_outcome"], step=count
    )
    return {name: np.array(part) for name, part in batch.items()}


@pytest.mark.parametrize(("count", "known"), [(3, None), (12, None), (3, 1), (12, 0)])
def test_outcomes_that_depend_on_each_other_are_refined_too(count, known):
    """Hyper-parameters of a Gaussian process, against eigenvalues on a grid."""
    batch = functions(count)
    batch["context_status"][0, 1] = NO_ANSWER
    if known is not None:
        batch["known_mask"][0, known], batch["known_theta"][0, known] = True, 0.4
    found = Refinement(GP1D()).posterior(batch)
    oracle = FunctionInference()
    exact = oracle.summary(batch, np.full((1, 2), 0.5))
    free = exact.sd[0] > 0.0
    assert (np.abs(found.mean() - exact.mean[0])[free] < 2.0 * NEAR * exact.sd[0, free]).all()
    np.testing.assert_allclose(found.sd()[free], exact.sd[0, free], rtol=2.0 * NEAR)
    if known is None:
        sd = found.sd()
        correlation = found.covariance()[0, 1] / (sd[0] * sd[1])
        assert abs(correlation - oracle.correlation(batch)[0, 0, 1]) < 0.1


class TestWeightedDraws:
    DRAWS = WeightedDraws(np.array([[0.0], [1.0], [2.0]]), np.array([0.25, 0.5, 0.25]))

    def test_moments_and_quantiles_weigh(self):
        assert self.DRAWS.mean()[0] == 1.0 and self.DRAWS.sd()[0] == math.sqrt(0.5)
        assert self.DRAWS.quantiles([0.5])[0, 0] == 1.0

    def test_a_sample_has_the_weights_and_its_seed(self):
        drawn = self.DRAWS.sample(400, seed=3)
        assert np.bincount(drawn[:, 0].astype(int)).tolist() == [100, 200, 100]
        assert (drawn == self.DRAWS.sample(400, seed=3)).all()


def test_sessions_of_one_model_share_the_graphs_and_they_go_with_it():
    import gc
    import weakref

    from aline_tf.acquisition.refined import refinement as module
    from aline_tf.acquisition.session import Session
    from aline_tf.models.aline import ALINE

    model = ALINE(TASK.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    model.build()
    found = []
    for _ in range(3):
        session = Session(model, [[-1.0], [1.0]], refine=True)
        session.tell(0, 1.0)
        found.append(session.posterior()["guess"].mean)
    assert len(set(found)) == 1 and len(module._SHARED[model]) == 1
    graphs = next(iter(module._SHARED[model].values()))
    assert graphs.tempered.experimental_get_tracing_count() == 1
    for _ in range(9):
        Refinement(Psychometric(), model)
    assert len(module._SHARED[model]) <= 4
    gone = weakref.ref(model)
    del model, session
    gc.collect()
    assert gone() is None
