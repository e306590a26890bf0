"""Random numbers that agree everywhere, and are what they say they are."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from aline_tf import draws
from aline_tf.errors import InputError

COUNT = 20_000


def everything(seed):
    """One draw of each kind from a seed."""
    logits = tf.constant([[0.0, 1.0, -2.0], [3.0, -1e9, 3.0]])
    return {
        "fold_in": draws.fold_in(seed, 7),
        "split": tf.stack(draws.split(seed, 3)),
        "uniform": draws.uniform(seed, [4, 5]),
        "ranged": draws.uniform(seed, [4, 5], -2.0, 3.0),
        "normal": draws.normal(seed, [4, 5], 1.0, 2.0),
        "bernoulli": draws.bernoulli(seed, tf.fill([20], 0.3)),
        "gumbel": draws.gumbel(seed, [4, 5]),
        "categorical": draws.categorical(seed, logits),
        "subset_order": draws.subset_order(seed, [4, 6]),
    }


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
def test_eager_graph_and_xla_draw_the_same(compiled):
    seed = draws.as_seed(11)
    function = tf.function(everything, jit_compile=compiled)
    for name, value in everything(seed).items():
        other = function(seed)[name]
        if value.dtype.is_integer or name in ("uniform", "bernoulli"):
            np.testing.assert_array_equal(value, other, err_msg=name)
        else:  # the uniforms are the same bits; what is computed from them rounds differently
            np.testing.assert_allclose(value, other, rtol=1e-5, atol=1e-6, err_msg=name)


def test_values_are_pinned_so_that_a_seed_means_the_same_tomorrow():
    np.testing.assert_array_equal(draws.as_seed(5), [5, 0])
    first = draws.uniform(draws.as_seed(5), [3]).numpy()
    np.testing.assert_array_equal(first, draws.uniform([5, 0], [3]))
    assert (first * 2**23 % 1 == 0.5).all()


def test_negative_seeds_become_non_negative():
    assert (draws.as_seed([-3, -(2**31)]).numpy() >= 0).all()
    assert (draws.fold_in(draws.as_seed(-1), -9).numpy() >= 0).all()


def test_seeds_beyond_int32_are_seeds_of_their_own():
    seeds = [0, 1, -1, 2**31, 2**31 + 1, -(2**31) - 1, 2**32, 2**63, 2**100, [1, 2**40], [2**40, 1]]
    found = {tuple(draws.as_seed(seed).numpy().tolist()) for seed in seeds}
    assert len(found) == len(seeds) and min(map(min, found)) >= 0
    assert draws.as_seed(np.int64(2**31)).numpy().tolist() == draws.as_seed(2**31).numpy().tolist()


@pytest.mark.parametrize("seed", [1.5, 1.0, "a", None, True, [1, 2, 3], [1, 2.0], float("nan")])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(InputError, match="expected a seed, a whole number or two of them"):
        draws.as_seed(seed)


def test_uniform_is_uniform_and_never_meets_its_ends():
    values = draws.uniform(draws.as_seed(1), [COUNT]).numpy()
    assert values.min() > 0.0
    assert values.max() < 1.0
    assert scipy.stats.kstest(values, "uniform").pvalue > 1e-3
    ranged = draws.uniform(draws.as_seed(1), [COUNT, 2], tf.constant([0.0, 5.0]), [1.0, 9.0])
    np.testing.assert_allclose(tf.reduce_mean(ranged, axis=0), [0.5, 7.0], atol=0.05)


def test_normal_is_normal():
    values = draws.normal(draws.as_seed(2), [COUNT], 3.0, 2.0).numpy()
    assert scipy.stats.kstest(values, "norm", args=(3.0, 2.0)).pvalue > 1e-3
    assert np.isfinite(values).all()


def test_bernoulli_follows_its_probabilities_and_keeps_their_shape():
    probability = tf.constant([0.0, 0.2, 0.9, 1.0])
    values = draws.bernoulli(draws.as_seed(3), tf.broadcast_to(probability, [COUNT, 4]))
    assert values.dtype == tf.float32
    np.testing.assert_allclose(tf.reduce_mean(values, axis=0), probability, atol=0.015)


def test_categorical_follows_its_logits():
    logits = tf.math.log(tf.constant([0.1, 0.2, 0.7]))
    index = draws.categorical(draws.as_seed(4), tf.broadcast_to(logits, [COUNT, 3]))
    assert index.dtype == tf.int32
    share = np.bincount(index.numpy(), minlength=3) / COUNT
    np.testing.assert_allclose(share, [0.1, 0.2, 0.7], atol=0.015)


def test_gumbel_is_gumbel():
    values = draws.gumbel(draws.as_seed(5), [COUNT]).numpy()
    assert scipy.stats.kstest(values, "gumbel_r").pvalue > 1e-3


def test_subset_order_is_a_permutation_with_every_order_equally_likely():
    order = draws.subset_order(draws.as_seed(6), [COUNT, 3]).numpy()
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile([0, 1, 2], (COUNT, 1)))
    _, counts = np.unique(order, axis=0, return_counts=True)
    np.testing.assert_allclose(counts / COUNT, 1 / 6, atol=0.012)


def test_split_seeds_give_independent_streams():
    streams = [draws.normal(seed, [COUNT]).numpy() for seed in draws.split(draws.as_seed(7), 4)]
    correlation = np.corrcoef(streams) - np.eye(4)
    assert np.abs(correlation).max() < 4 / np.sqrt(COUNT)


def test_steps_folded_into_a_seed_give_independent_streams():
    """The way training draws: (seed, step) -> seed, split again inside the step."""
    seeds = [draws.split(draws.fold_in(draws.as_seed(1), step), 2)[0] for step in range(200)]
    assert len({tuple(seed.numpy()) for seed in seeds}) == 200
    rows = np.stack([draws.uniform(seed, [50]) for seed in seeds])
    assert abs(np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]) < 0.04
    assert scipy.stats.kstest(rows[:, 0], "uniform").pvalue > 1e-3
