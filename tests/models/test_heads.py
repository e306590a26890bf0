"""The three heads, with and without their optional part."""

import numpy as np
import pytest

from aline_tf.models.heads import OutcomeHead, PolicyHead, ThetaHead, outcome_mlp, theta_mlp
from aline_tf.models.layers.kernel_smoother import KernelSmoother
from aline_tf.models.layers.location_frame import LocationFrame
from aline_tf.models.layers.mlp import MLP
from aline_tf.models.layers.posterior_distance import PosteriorDistance
from tests.models.batches import SURFACE, normal
from tests.models.layer_harness import check_layer

E, K = 8, 2
TOKENS = normal(1, 2, 3, E)
CONTEXT = {"context": normal(2, 2, 4, E)}


def make_theta(framed):
    def make(**kwargs):
        policy = {"dtype": kwargs.get("dtype")}
        frame = LocationFrame(E, 2, 4, intermediate_dim=8, **policy) if framed else None
        return ThetaHead(SURFACE, K, theta_mlp(K, 8, **policy), location_frame=frame, **kwargs)

    return make


def make_outcome(smoothed):
    def make(**kwargs):
        policy = {"dtype": kwargs.get("dtype")}
        smoother = KernelSmoother(E, 2, **policy) if smoothed else None
        mlp = outcome_mlp(SURFACE.outcomes, K, 8, **policy)
        return OutcomeHead(SURFACE, K, mlp, kernel_smoother=smoother, **kwargs)

    return make


def make_policy(distant):
    def make(**kwargs):
        policy = {"dtype": kwargs.get("dtype")}
        distance = PosteriorDistance(E, 2, **policy) if distant else None
        return PolicyHead(MLP(1, 8, **policy), posterior_distance=distance, **kwargs)

    return make


FRAME = CONTEXT | {
    "position": normal(3, 2, 4, 2),
    "visible": np.array([[True, True, False, True]] * 2),
    "placed": np.array([[False, True, True, True]] * 2),
}
SMOOTHER = CONTEXT | {
    "value": normal(3, 2, 4),
    "readable": np.array([[True, True, False, True]] * 2),
    "bias": normal(4, 2, 2, 3, 4),
}
DISTANCE = {
    "position": normal(2, 2, 3, 2),
    "mean": normal(3, 2, 2),
    "sd": np.abs(normal(4, 2, 2)),
}
ALLOWED = {"allowed": np.array([[True, False, True], [True, True, True]])}


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (make_theta(False), {"tokens": TOKENS}),
        (make_theta(True), {"tokens": TOKENS} | FRAME),
        (make_outcome(False), {"tokens": TOKENS}),
        (make_outcome(True), {"tokens": TOKENS} | SMOOTHER),
        (make_policy(False), {"candidates": TOKENS} | ALLOWED),
        (make_policy(True), {"candidates": TOKENS} | ALLOWED | DISTANCE),
    ],
    ids=["theta", "framed theta", "outcome", "smoothed outcome", "policy", "distant policy"],
)
def test_layer_contract(make, inputs):
    check_layer(make, inputs, (None, None, E))


def test_a_candidate_that_is_not_allowed_scores_far_below():
    logits = make_policy(False)()(TOKENS, **ALLOWED).numpy()
    assert logits[0, 1] == -1e9
    assert np.abs(np.delete(logits.ravel(), 1)).max() < 100


def test_a_frame_moves_a_prediction_and_no_targets_cost_nothing():
    head = make_outcome(False)()
    plain = head(TOKENS).numpy()
    frame = np.full([2, 3, 1], 5.0, "f"), np.ones([2, 3, 1], "f")
    moved = head(TOKENS, frame=frame).numpy()
    # Locations of the components stand behind their logits.
    np.testing.assert_allclose(moved[..., K : 2 * K], plain[..., K : 2 * K] + 5.0, rtol=1e-5)
    assert head(TOKENS[:, :0]).shape == (2, 0, plain.shape[-1])


def test_moments_of_locations_are_on_the_scale_of_designs():
    """A prior's middle is 0, and unbounded axes of other sizes are brought to the same one."""
    head = make_theta(True)()
    assert head.location_parameters == [1, 2]
    mean, sd = head.location_moments(np.zeros([1, 3, 3 * K + 1], "f"))
    np.testing.assert_allclose(mean, [[0.0, 0.0]], atol=1e-5)
    assert (sd.numpy() > 0.1).all()
    position = normal(5, 1, 3, 2)
    np.testing.assert_array_equal(head.on_location_axes(position), position)


def test_heads_may_share_their_normalisation():
    theta = make_theta(False)()
    outcome = OutcomeHead(SURFACE, K, outcome_mlp(SURFACE.outcomes, K, 8), norm=theta.norm)
    theta.build((None, None, E))
    outcome.build((None, None, E))
    assert outcome.norm.gamma is theta.norm.gamma
