"""Episodes of hyper-parameter landscapes: looked up in tables, masked, never of a held-out one."""

import json

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import EPISODE_FIELDS, MISSING, OBSERVED, field_dtype
from aline_tf.errors import InputError
from aline_tf.tasks import hpo, task_by_name
from aline_tf.tasks.hpo import HPO, INITIAL, LEAST, bent, invented_functions
from aline_tf.tasks.hpo_tables import ScoreScale
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer

SEED = draws.as_seed(1)


def write_files(directory, train, test, space="7"):
    """HPO-B files of tables given as (design, score), by data set."""
    for split, tables in (("train", train), ("validation", {}), ("test", test)):
        tables = tables or {f"{split}-only": next(iter(train.values()))}
        content = {n: {"X": x.tolist(), "y": y[:, None].tolist()} for n, (x, y) in tables.items()}
        (directory / f"meta-{split}-dataset.json").write_text(json.dumps({space: content}))
    return f"{directory}/{space}"


def random_table(seed, count, dims=2):
    rng = np.random.default_rng(seed)
    return rng.random((count, dims)).round(4), rng.random(count).round(4)


@pytest.fixture(scope="module")
def shipped():
    return HPO(predictions=20)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Two training tables of 75 and 200 configurations, one of 90 for the test."""
    directory = tmp_path_factory.mktemp("hpo")
    train = {"short": random_table(1, 75), "long": random_table(2, 200)}
    return HPO(write_files(directory, train, {"held": random_table(3, 90)}), predictions=50)


def as_numpy(episode):
    return {name: np.asarray(array) for name, array in episode.items()}


def looked_up(design, table):
    """Scores of a table at designs [n, D] that are all in it."""
    gap = np.abs(design[:, None] - table.design[None]).max(-1)
    assert gap.min(1).max() < 1e-6
    return table.score[gap.argmin(1)]


def check_masks(episode):
    shown = episode["context_mask"]
    assert (shown.sum(1) >= INITIAL[0]).all() and (shown.sum(1) <= INITIAL[1]).all()
    np.testing.assert_array_equal(
        episode["context_status"][..., 0], np.where(shown, OBSERVED, MISSING)
    )
    np.testing.assert_array_equal(episode["target_mask"], episode["target_observed"])
    for kind in ("context", "target", "candidate"):
        hidden = ~episode[f"{kind}_mask"]
        assert (episode[f"{kind}_design"][hidden] == 0.0).all()
        assert (episode[f"{kind}_outcome"][hidden] == 0.0).all()
    assert all(np.isfinite(array).all() for array in episode.values())


def test_an_episode_has_every_field_in_its_shape_and_dtype(shipped):
    episode = shipped.sample_episodes(SEED, 60, 40)
    dims = len(shipped.space.hyperparameters)
    sizes = {"B": 60, "C": INITIAL[1], "D": dims, "F": 1, "P": 0, "M": 20, "N": 40}
    assert set(episode) == set(EPISODE_FIELDS)
    for name, letters in EPISODE_FIELDS.items():
        assert tuple(episode[name].shape) == tuple(sizes[letter] for letter in letters), name
        assert episode[name].dtype == field_dtype(name), name
    check_masks(as_numpy(episode))
    assert episode["candidate_mask"].numpy().all() and episode["target_mask"].numpy().all()
    assert set(episode["context_mask"].numpy().sum(1)) == set(range(INITIAL[0], INITIAL[1] + 1))


def test_every_number_of_initial_points_is_equally_likely(shipped):
    count = shipped.sample_episodes(SEED, 3000, 30)["context_mask"].numpy().sum(1)
    np.testing.assert_allclose(np.bincount(count)[INITIAL[0] :] / 3000, 1 / 6, atol=0.03)


def test_recorded_episodes_are_the_table_standardised_by_its_initial_points(shipped):
    tables = shipped.landscapes["test"]
    row = np.arange(len(tables))
    episode, scale = shipped.recorded_episodes(SEED, "test", row, 40)
    episode = as_numpy(episode)
    check_masks(episode)
    for r, table in enumerate(tables):
        shown = episode["context_mask"][r]
        initial = looked_up(episode["context_design"][r][shown], table)
        theirs = ScoreScale.of(initial)
        assert float(scale[r]) == pytest.approx(theirs.scale, rel=1e-4)
        for design, outcome in (
            (episode["context_design"][r][shown], episode["context_outcome"][r][shown, 0]),
            (episode["target_design"][r], episode["target_outcome"][r]),
            (episode["candidate_design"][r], episode["candidate_outcome"][r, :, 0]),
        ):
            expected = theirs.standardise(looked_up(design, table))
            np.testing.assert_allclose(outcome, expected, atol=1e-3)


def test_context_pool_and_targets_share_no_configuration(shipped):
    for episode in (
        shipped.sample_episodes(SEED, 6, 40),
        shipped.recorded_episodes(SEED, "test", [0, 1], 40)[0],
    ):
        parts = [episode[f"{kind}_design"] for kind in ("context", "target", "candidate")]
        masks = [episode[f"{kind}_mask"] for kind in ("context", "target", "candidate")]
        for rows, seen in zip(
            tf.concat(parts, 1).numpy(), tf.concat(masks, 1).numpy(), strict=True
        ):
            assert len(np.unique(rows[seen], axis=0)) == seen.sum()


def test_a_short_table_is_divided_between_targets_and_pool(uneven):
    episode = as_numpy(uneven.sample_episodes(SEED, 64, 60))
    check_masks(episode)
    used = {
        (targets, pool)
        for targets, pool in zip(
            episode["target_mask"].sum(1), episode["candidate_mask"].sum(1), strict=True
        )
    }
    # 75 - 10 initial places: 32 and 33; 200 - 10: all 50 and all 60.
    assert used == {(32, 33), (50, 60)}
    held = as_numpy(uneven.recorded_episodes(SEED, "test", [0], 60)[0])
    assert (held["target_mask"].sum(), held["candidate_mask"].sum()) == (40, 40)


def test_another_pool_leaves_initial_points_and_targets(shipped):
    one, _ = shipped.recorded_episodes(SEED, "test", [0, 3], 30)
    two, _ = shipped.recorded_episodes(SEED, "test", [0, 3], 50)
    for name in ("context_design", "context_outcome", "target_design", "target_outcome"):
        np.testing.assert_array_equal(one[name], two[name])
    np.testing.assert_array_equal(one["candidate_design"], two["candidate_design"][:, :30])


def test_held_out_data_sets_are_never_met_in_training(tmp_path):
    """Every table has its own corner of the square, so a design tells whose it is."""
    corners = {"a": (0.0, 0.0), "b": (0.5, 0.0), "c": (0.0, 0.5), "d": (0.5, 0.5)}
    made = {}
    for seed, (name, corner) in enumerate(corners.items()):
        design, score = random_table(seed, 80)
        made[name] = (0.05 + 0.4 * design + corner, score)
    path = write_files(tmp_path, {"a": made["a"], "b": made["b"]}, {"c": made["c"]})
    task = HPO(path, predictions=20)
    episode = as_numpy(task.sample_episodes(SEED, 400, 30))
    for kind in ("context", "target", "candidate"):
        design = episode[f"{kind}_design"][episode[f"{kind}_mask"]]
        assert (design[:, 1] < 0.5).all()
        assert {bool(side) for side in design[:, 0] < 0.5} == {True, False}
    assert (task.sample_designs(SEED, 400, 30).numpy()[..., 1] < 0.5).all()
    held = as_numpy(task.recorded_episodes(SEED, "test", [0], 30)[0])
    assert (held["target_design"][..., 1] >= 0.5).all()


def test_a_share_of_training_is_as_recorded_and_the_rest_is_made(shipped):
    """With scores affine in those of a training table, an episode is as recorded."""
    episode = as_numpy(shipped.sample_episodes(SEED, 300, 40))
    tables = shipped.landscapes["train"]
    order = tables[0].design
    recorded = 0
    for design, outcome in zip(
        episode["candidate_design"], episode["candidate_outcome"][..., 0], strict=True
    ):
        index = np.abs(design[:, None] - order[None]).max(-1).argmin(1)
        likeness = [np.corrcoef(table.score[index], outcome)[0, 1] for table in tables]
        recorded += max(likeness) > 1.0 - 1e-5
    assert recorded / 300 == pytest.approx(hpo.RECORDED, abs=0.08)


def test_standardised_scores_have_the_size_a_network_likes(shipped):
    outcome = shipped.sample_episodes(SEED, 2000, 40)["candidate_outcome"].numpy()
    assert 0.5 < outcome.std() < 2.0
    assert np.abs(outcome).max() < 40.0


def test_invented_functions_have_unit_variance_and_follow_their_designs():
    design = tf.repeat(draws.uniform([3, 0], [1, 40, 3]), 3000, axis=0)
    design = tf.concat([design, design[:, :1] + 1e-4], axis=1)
    value = invented_functions(design, draws.as_seed(4)).numpy()
    assert value[:, 5].mean() == pytest.approx(0.0, abs=0.06)
    assert value[:, 5].var() == pytest.approx(1.05, abs=0.1)
    # Neighbours differ by noise alone, whose variance is .05 on average.
    assert (value[:, 0] - value[:, -1]).var() == pytest.approx(0.1, abs=0.03)


def test_a_bend_keeps_the_order_and_zero_bends_nothing():
    score = tf.linspace(-3.0, 3.0, 50)[None]
    for bend in (-0.6, -1e-4, 0.0, 0.5):
        made = bent(score, tf.constant([[bend]])).numpy()[0]
        assert (np.diff(made) > 0).all()
    np.testing.assert_array_equal(bent(score, tf.zeros([1, 1])), score)


def test_equal_seeds_give_equal_episodes_in_eager_and_graph(shipped):
    eager = shipped.sample_episodes(SEED, 6, 30)
    again = shipped.sample_episodes(SEED, 6, 30)
    graph = tf.function(lambda seed: shipped.sample_episodes(seed, 6, 30))(SEED)
    other = shipped.sample_episodes(draws.as_seed(2), 6, 30)
    for name, value in eager.items():
        np.testing.assert_array_equal(value, again[name], err_msg=name)
        np.testing.assert_allclose(value, graph[name], rtol=1e-3, atol=1e-3, err_msg=name)
    assert (eager["target_design"].numpy() != other["target_design"].numpy()).any()


@pytest.mark.parametrize("name", ["hpo", "hpo:boosting", "hpo:elastic_net"])
def test_shipped_search_spaces_are_found_by_name(name):
    task = task_by_name(name)
    assert task.spec.name == name
    assert task.spec.sizes["D"] >= 4 and task.spec.sizes["P"] == 0
    assert len(task.landscapes["train"]) >= 16


def test_files_of_ones_own_are_found_by_path(tmp_path):
    path = write_files(tmp_path, {"a": random_table(1, 80)}, {"b": random_table(2, 80)})
    task = task_by_name(f"hpo:{path}")
    assert task.spec.name == "hpo:7"
    assert task.spec.design_names == ("x1", "x2")


def test_what_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(InputError, match="received 'forest'"):
        task_by_name("hpo:forest")
    with pytest.raises(InputError, match="no argument of task gp1d"):
        task_by_name("gp1d:3")
    path = write_files(tmp_path, {"a": random_table(1, 80)}, {"b": random_table(2, LEAST - 1)})
    with pytest.raises(InputError, match=f"test data set of .* at least {LEAST}"):
        HPO(path)
    with pytest.raises(ValueError, match="Received: predictions=0"):
        HPO(predictions=0)
    with pytest.raises(NotImplementedError, match="sample_episodes"):
        HPO().simulate(None, None, SEED)


def test_tables_too_flat_or_too_short_are_left_out_and_long_ones_thinned(tmp_path):
    design, score = random_table(1, 500)
    train = {
        "good": (design, score),
        "flat": (design, np.full(500, 0.9)),
        "short": random_table(2, 20),
    }
    path = write_files(tmp_path, train, {"held": random_table(3, 90)})
    task = HPO(path, limit=100)
    assert [table.name for table in task.landscapes["train"]] == ["good"]
    assert len(task.landscapes["train"][0].score) == 100


@pytest.mark.usefixtures("without_graphs")
def test_it_trains(make_tiny):
    task = HPO(predictions=6)
    trainer = Trainer(make_tiny(task), task)
    recipe = Recipe(
        batch=8,
        warmup_batch=8,
        warmup_steps=1,
        joint_steps=1,
        horizon=3,
        pool=8,
        candidates_per_step=5,
        steps_per_episode=2,
        group_size=2,
    )
    trainer.compile(recipe=recipe, seed=1)
    history = trainer.fit(epochs=2, steps_per_epoch=1, verbose=0).history
    assert np.isfinite([history[key] for key in ("loss", "inference", "policy", "reward")]).all()
