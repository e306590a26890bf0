"""A model whose designs are positions: frames, smoothing and distances where the task has them."""

import dataclasses

import numpy as np
import pytest

from aline_tf.models.aline import ALINE
from tests.models.batches import SIZES, SURFACE, random_batch
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def surface():
    seed_weights(5)
    model = ALINE(SURFACE, **SIZES, relative_position_dim=4)
    model.build()
    return model


def test_distance_from_posterior_is_that_from_the_posterior_means(surface):
    batch = random_batch(4, SURFACE)
    outputs = surface(batch)
    mean = surface.theta_summary(outputs)["mean"].numpy()[:, 1:]
    # Both axes from their bounds to [-1, 1].
    place = (mean - [0.0, 1.0]) / [5.0, 1.0]
    pool = (batch["candidate_design"] - [0.0, 1.0]) / [5.0, 1.0]
    square = np.square(pool - place[:, None]).sum(-1)
    np.testing.assert_allclose(surface.distance_from_posterior(outputs, batch), square, rtol=1e-3)


def test_location_parameters_and_interpolation_stand_where_the_task_has_them(surface):
    assert surface.location_parameters == [1, 2]
    assert surface.interpolates
    plain = ALINE(SURFACE, **SIZES)
    assert plain.location_parameters == [] and not plain.interpolates
    second = dataclasses.replace(SURFACE.fields[0], name="z")
    two_fields = dataclasses.replace(SURFACE, fields=(*SURFACE.fields, second))
    assert not ALINE(two_fields, **SIZES, relative_position_dim=4).interpolates


@pytest.mark.parametrize("size", [0, 1, 5])
def test_finite_at_every_context_size(surface, size):
    batch = random_batch(3, SURFACE, C=size)
    outputs = surface(batch)
    for value in outputs.values():
        assert np.isfinite(value).all()
    for value in surface.answer(batch).values():
        assert np.isfinite(value).all()


def test_padding_is_invisible_and_order_does_not_matter(surface):
    batch = random_batch(4, SURFACE)
    batch["context_mask"][:] = True
    expected = surface(batch)
    turned = dict(batch)
    for name in ("context_design", "context_outcome", "context_status"):
        turned[name] = batch[name][:, ::-1]
        pad = np.full_like(batch[name][:, :1], 7 if batch[name].dtype.kind == "i" else np.nan)
        turned[name] = np.concatenate([turned[name], pad], axis=1)
    turned["context_mask"] = np.pad(batch["context_mask"], [[0, 0], [0, 1]])
    for name, value in surface(turned).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5, rtol=1e-5)
