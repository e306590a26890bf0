"""Episodes know what could be known at 20:00, and no more."""

from __future__ import annotations

import functools
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch import EPISODE_FIELDS, MISSING, NO_ANSWER, OBSERVED, field_dtype
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.channels import (
    END_OF_DAY_NAMES,
    FIELD_INDEX,
    FIELDS,
    OUTCOME_INDEX,
    PASSIVE_NAMES,
)
from aline_tf.migraine.schema.designs import DESIGN_NAMES
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.migraine.simulation.simulator import simulate_people
from aline_tf.migraine.task.simulated import MigraineTask

ROWS, POOL, DAYS = 96, 32, 40
AGE = DESIGN_NAMES.index("age")
SLOT = slice(DESIGN_NAMES.index("slot_0"), DESIGN_NAMES.index("slot_3") + 1)
CHANNEL = slice(DESIGN_NAMES.index("is_attack_24h"), None)


TASK = MigraineTask(days=DAYS)


def episode_of(task=TASK, rows=ROWS, pool=POOL, compiled=lambda draw: draw):
    """Drawn once, without a graph: to trace one takes as long as to draw a few times."""
    draw = compiled(lambda seed: task.sample_episodes(seed, rows, pool))
    return {name: value.numpy() for name, value in draw(tf.constant((3, 1))).items()}


@functools.cache
def graph():
    return tf.function(lambda seed: TASK.sample_episodes(seed, ROWS, POOL))


@pytest.fixture(scope="module")
def episode():
    return episode_of(compiled=lambda _: graph())


def days_ago(design):
    return np.round(design[..., AGE] * 112).astype(int)


def test_episode_has_the_fields_shapes_and_types_of_the_glossary(episode):
    sizes = SPEC.sizes | {"B": ROWS, "C": DAYS, "M": 8, "N": POOL}
    assert set(episode) == set(EPISODE_FIELDS)
    for name, letters in EPISODE_FIELDS.items():
        assert episode[name].shape == tuple(sizes[letter] for letter in letters), name
        assert episode[name].dtype == field_dtype(name), name
        assert np.isfinite(episode[name]).all(), name


def test_context_holds_the_past_and_only_what_is_complete_by_evening(episode):
    known = episode["context_status"] != MISSING
    age = days_ago(episode["context_design"])
    assert (age[episode["context_mask"]] >= 0).all()
    assert np.array_equal(known.any(axis=2), episode["context_mask"])
    for name in END_OF_DAY_NAMES:
        assert not known[:, :, FIELD_INDEX[name]][age == 0].any()
    unobserved = episode["context_status"] != OBSERVED
    assert (episode["context_outcome"][unobserved] == 0).all()


def test_histories_range_from_nothing_to_the_whole(episode):
    tokens = episode["context_mask"].sum(axis=1)
    assert tokens.min() == 0 and tokens.max() > DAYS * 0.8
    assert 0.05 < (tokens == 0).mean() < 0.35


def test_sparse_mixes_are_met_in_training():
    episode = episode_of(rows=512, pool=8)
    has = (episode["context_status"] == OBSERVED).any(axis=1)

    def column(name):
        return has[:, FIELD_INDEX[name]]

    # An Apple watch and a diary; no RMSSD, no weather, no calendar.
    mix = column("ln_sdnn") & column("attack_3") & ~column("ln_rmssd")
    mix &= ~column("pressure_change") & ~column("busy_hours")
    assert mix.mean() > 0.03
    diary_alone = column("attack_3") & ~has[:, : len(PASSIVE_NAMES)].any(axis=1)
    assert diary_alone.mean() > 0.005
    assert (~column("attack_3") & column("sleep_hours")).mean() > 0.05


def test_candidates_are_unknown_possible_now_and_reveal_their_own_field(episode):
    library = {(item.outcome, item.days_ago, item.slot): item for item in LIBRARY}
    for row, column in np.argwhere(episode["candidate_mask"]):
        design = episode["candidate_design"][row, column]
        slot = int(design[SLOT].argmax()) if design[SLOT].any() else -1
        item = library[int(design[CHANNEL].argmax()), int(days_ago(design)), slot]
        status = episode["candidate_status"][row, column]
        assert (np.delete(status, item.field) == MISSING).all()
        refused = MISSING if not item.is_prompt else NO_ANSWER
        assert status[item.field] in (OBSERVED, refused)
        assert episode["candidate_cost"][row, column] == pytest.approx(item.cost)
        outcome = episode["candidate_outcome"][row, column]
        assert (np.delete(outcome, item.field) == 0).all()
        same_day = episode["context_mask"][row] & (
            days_ago(episode["context_design"][row]) == item.days_ago
        )
        assert (episode["context_status"][row, same_day, item.field] == MISSING).all()


def test_candidates_are_offered_once(episode):
    for row in range(ROWS):
        offered = episode["candidate_design"][row][episode["candidate_mask"][row]]
        assert len(np.unique(offered, axis=0)) == len(offered)


def test_forecast_targets_are_the_attacks_after_the_present_slot():
    task = MigraineTask(days=20, attack_probability=False)
    world = simulate_people((5, 5), 40, 40)
    person, now = tf.range(40), tf.fill([40], 25)
    episode = task.episodes((1, 1), world, person, now, tf.fill([40], 10), 8)
    attack = world["attack"].numpy()
    outcome = episode["target_outcome"].numpy()
    assert np.array_equal(outcome[:, 0], attack[:, 26].max(axis=1))
    assert np.array_equal(outcome[:, 1], attack[:, 26:28].max(axis=(1, 2)))
    which = episode["target_design"].numpy()[:, :2, CHANNEL].argmax(axis=2)
    assert (which == [OUTCOME_INDEX["attack_24h"], OUTCOME_INDEX["attack_48h"]]).all()


def test_no_context_depends_on_the_future():
    task = MigraineTask(days=20)
    world = simulate_people((5, 6), 40, 40)
    changed = dict(world)
    future = tf.range(40)[None, :, None] > 25
    for name in ("value", "attack"):
        later = world[name] + tf.ones([], world[name].dtype)
        # Cycle windows reach two days ahead by definition; they are tested by themselves.
        keep = (
            name == "value"
            and tf.one_hot(FIELD_INDEX["menstrual_window"], len(FIELDS))[None, None] > 0
        )
        changed[name] = tf.where(future & ~keep if name == "value" else future, later, world[name])
    person, now, known = tf.range(40), tf.fill([40], 25), tf.fill([40], 20)
    first, second = (task.episodes((1, 1), w, person, now, known, 32) for w in (world, changed))
    for name in first:
        if not name.startswith("target_outcome"):
            assert np.array_equal(first[name], second[name]), name


def test_the_menstrual_window_is_not_known_before_bleeding_begins():
    task = MigraineTask(days=30)
    world = simulate_people((5, 7), 300, 45)
    now = 38
    episode = task.episodes(
        (1, 1), world, tf.range(300), tf.fill([300], now), tf.fill([300], 30), 8
    )
    window = world["value"].numpy()[:, :, FIELD_INDEX["menstrual_window"]] > 0.5
    status = episode["context_status"].numpy()[:, :, FIELD_INDEX["menstrual_window"]]
    # Day 1 is tomorrow or later: the window has begun, and nobody can know it.
    begins = window[:, now] & ~window[:, now - 2]
    assert begins.any() and (status[begins, -1] == MISSING).all()
    under_way = window[:, now] & window[:, now - 2]
    assert (status[under_way, -1] == OBSERVED).any()


def test_an_imported_history_gives_the_tokens_of_training():
    task = MigraineTask(days=30)
    world = simulate_people((9, 9), 8, 45)
    now = 35
    episode = task.episodes((2, 2), world, tf.range(8), tf.fill([8], now), tf.fill([8], 30), 8)
    for row in range(8):
        weekday = int(world["weekday"][row, now])
        # 2025-01-06 is a Monday.
        today = date(2025, 2, 3) + timedelta(days=weekday)
        history = SimpleNamespace(
            values=episode["context_outcome"][row].numpy(),
            status=episode["context_status"][row].numpy(),
            dates=tuple(today - timedelta(days=29 - index) for index in range(30)),
        )
        batch, candidates = history_batch(history)
        mask = episode["context_mask"][row].numpy()
        for name in ("context_design", "context_outcome", "context_status"):
            np.testing.assert_allclose(batch[name][0], episode[name][row].numpy()[mask], atol=1e-6)
        np.testing.assert_allclose(
            batch["target_design"][0], episode["target_design"][row, :2], atol=1e-6
        )
        assert len(candidates) == batch["candidate_design"].shape[1]


def test_targets_are_selected_in_groups(episode):
    chosen = episode["target_mask"].any(axis=1) | episode["theta_mask"].any(axis=1)
    assert chosen.mean() > 0.9
    assert not (episode["target_mask"] & ~episode["target_observed"]).any()


def test_people_shared_between_episodes_keep_their_parameters():
    episode = episode_of(MigraineTask(days=DAYS, episodes_per_person=4), rows=16, pool=8)
    theta = episode["theta"].reshape(4, 4, -1)
    assert (theta == theta[:, :1]).all()
    assert len(np.unique(theta[:, 0, 0])) == 4


def test_a_pool_larger_than_the_library_is_padded():
    episode = episode_of(rows=4, pool=len(LIBRARY) + 5)
    assert episode["candidate_mask"].shape == (4, len(LIBRARY) + 5)
    assert not episode["candidate_mask"][:, len(LIBRARY) :].any()


def test_the_same_seed_gives_the_same_episodes(episode):
    again = episode_of(compiled=lambda _: graph())
    for name in episode:
        assert np.array_equal(episode[name], again[name]), name


def test_runs_under_xla():
    task = MigraineTask(days=10)
    jitted = functools.partial(tf.function, jit_compile=True)
    plain = episode_of(task, rows=8, pool=8)
    compiled = episode_of(task, rows=8, pool=8, compiled=jitted)
    np.testing.assert_allclose(plain["theta"], compiled["theta"], atol=1e-4)
    # Rounding may tip a single draw over a threshold, no more.
    for name in ("context_status", "candidate_status", "target_mask"):
        assert (plain[name] == compiled[name]).mean() > 0.99, name


@pytest.mark.parametrize(
    "options", [{"days": 0}, {"days": 113}, {"targets": 1}, {"episodes_per_person": 0}]
)
def test_sizes_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="Expected"):
        MigraineTask(**options)
