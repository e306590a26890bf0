"""Training on people who recorded themselves."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aline_tf import cli
from aline_tf.batch import BATCH_FIELDS, MISSING, OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.evaluation.studies.planning import person_history
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema import channels
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELDS
from aline_tf.migraine.simulation.cohort import sample_cohort
from aline_tf.migraine.simulation.recording import ATTACK_DIARY
from aline_tf.migraine.simulation.simulator import simulate_people
from aline_tf.migraine.task.recorded import LEAST_HISTORY, RecordedTask, recorded_attacks
from aline_tf.models.aline import ALINE
from aline_tf.tasks import check_contract
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.models.batches import SIZES
from tests.seeds import seed_weights

PEOPLE, DAYS = 6, 40
ATTACK = list(channels.places("attack"))


def history(value, status):
    now = datetime(2025, 3, 2, 20, tzinfo=UTC)
    dates = tuple((now - timedelta(days=d)).date() for d in range(len(value) - 1, -1, -1))
    return DayHistory(np.where(status == OBSERVED, value, 0).astype("f"), status, dates, now)


@pytest.fixture(scope="module")
def histories():
    world = {k: np.asarray(v) for k, v in simulate_people((4, 4), PEOPLE, DAYS).items()}
    return [history(world["value"][p], world["status_if_tried"][p]) for p in range(PEOPLE)]


@pytest.fixture(scope="module")
def task(histories):
    return RecordedTask(histories)


def test_attacks_are_reported_or_not():
    value, status = np.zeros([4, len(FIELDS)]), np.zeros([4, len(FIELDS)], np.int32)
    status[0, ATTACK] = status[1, ATTACK] = 1
    status[2, ATTACK[0]] = status[3, ATTACK[0]] = 1
    value[1, ATTACK[2]] = value[3, ATTACK[0]] = 1.0
    # An attack in the only slot that is told does not make the day a told one.
    np.testing.assert_array_equal(recorded_attacks(value, status), [0.0, 1.0, np.nan, np.nan])


@given(st.lists(st.sampled_from(["attack", "free", "part", "silent"]), min_size=1, max_size=60))
def test_whoever_notes_attacks_alone_tells_no_share_of_days(days):
    """Days that were all attack are reported whole, and none without one ever is."""
    value, status = np.zeros([len(days), len(FIELDS)]), np.zeros([len(days), len(FIELDS)], int)
    for day, kind in enumerate(days):
        slots = {"silent": [], "part": ATTACK[:2]}.get(kind, ATTACK)
        status[day, slots] = OBSERVED
        value[day, slots] = kind != "free"
    found = recorded_attacks(value, status)
    whole = np.isin(days, ["attack", "free"])
    if "free" in days or np.mean(np.array(days) == "attack") >= 0.9:
        np.testing.assert_array_equal(np.isfinite(found), whole)
        np.testing.assert_array_equal(found[whole], np.array(days)[whole] == "attack")
    else:
        assert np.isnan(found).all()


def test_people_of_the_simulator_record_attacks_as_often_as_they_have_them():
    """The share of recorded evenings that an attack follows is that of the same people's days."""
    cohort = sample_cohort(1, 60, 80, 40)
    own = RecordedTask([person_history(cohort, person) for person in range(60)])
    person, day = own.evenings.T
    attack = cohort.world["attack"].numpy().max(axis=2) > 0
    recorded = attack[person, day + 1]
    every_day = attack[:, :80].mean(axis=1)[person]
    assert len(person) > 300
    assert abs(recorded.mean() - every_day.mean()) < 0.05
    alone = cohort.recording["style"].numpy() == ATTACK_DIARY
    assert alone.any() and not alone[person].any()


def test_episodes_hold_what_was_recorded_and_nothing_else(task, histories):
    episode = {k: v.numpy() for k, v in task.sample_episodes((1, 2), 64, 24).items()}
    assert not episode["theta_observed"].any() and not episode["theta_mask"].any()
    recorded = {
        (int(f), round(float(h.values[d, f]), 4))
        for h in histories
        for d, f in zip(*np.nonzero(h.status == OBSERVED), strict=True)
    }
    for part in ("context", "candidate"):
        rows, tokens, fields = np.nonzero(episode[f"{part}_status"] == OBSERVED)
        values = episode[f"{part}_outcome"][rows, tokens, fields]
        assert len(values) > 200
        assert {(int(f), round(float(v), 4)) for f, v in zip(fields, values, strict=True)} <= (
            recorded
        )
    assert not episode["context_outcome"][episode["context_status"] != OBSERVED].any()
    one_field = (episode["candidate_status"] != MISSING).sum(2)
    np.testing.assert_array_equal(one_field, episode["candidate_mask"].astype(int))


@pytest.mark.parametrize("last_slot", [MISSING, OBSERVED])
def test_evenings_that_leave_nothing_to_ask_are_learned_from(histories, last_slot):
    """A diary of attacks alone, every other evening left open: then whether anything can be held
    back and asked is a matter of luck, or out of the question."""
    for person in histories:
        status = np.zeros_like(person.status)
        status[:, ATTACK] = OBSERVED
        status[::2, ATTACK[-1]] = last_slot
        task = RecordedTask([history(person.values, status)])
        mask = task.sample_episodes((0, 0), 64, 8)["candidate_mask"].numpy()
        assert mask.any() == (last_slot == OBSERVED) and not mask.any(axis=1).all()
        check_contract(task, policy=False)
        if last_slot == MISSING:
            with pytest.raises(InputError, match="expected a candidate in some episode"):
                check_contract(task)


def test_a_candidate_is_never_in_the_context(task):
    episode = {k: v.numpy() for k, v in task.sample_episodes((3, 2), 64, 24).items()}
    age = np.rint(episode["context_design"][..., 0] * 112).astype(int)
    ages = np.rint(episode["candidate_design"][..., 0] * 112).astype(int)
    for row, candidate in zip(*np.nonzero(episode["candidate_mask"]), strict=True):
        field = episode["candidate_status"][row, candidate].argmax()
        same_day = age[row] == ages[row, candidate]
        assert not episode["context_status"][row, same_day, field].any()


def test_forecasts_are_the_days_after(histories):
    """A history whose only attack is known: each evening's forecasts can be told by hand."""
    value, status = np.zeros([14, len(FIELDS)]), np.zeros([14, len(FIELDS)], np.int32)
    status[:, ATTACK], value[10, ATTACK[1]] = 1, 1.0
    status[:, FIELD_INDEX["resting_hr"]], value[:, FIELD_INDEX["resting_hr"]] = (
        1,
        np.arange(14) + 50,
    )
    episode = RecordedTask([history(value, status)]).sample_episodes((5, 6), 200, 4)
    evening = 13 - LEAST_HISTORY
    seen = set()
    rate = episode["context_outcome"].numpy()[:, :, FIELD_INDEX["resting_hr"]]
    for row in range(200):
        if episode["context_status"][row, -1, FIELD_INDEX["resting_hr"]] != OBSERVED:
            continue
        day = int(rate[row, -1]) - 50
        known = episode["target_observed"][row, :2].numpy().tolist()
        outcome = episode["target_outcome"][row, :2].numpy().tolist()
        assert day >= LEAST_HISTORY and known[0]
        assert outcome[0] == float(day + 1 == 10)
        assert known[1] == (day + 2 < 14)
        if known[1]:
            assert outcome[1] == float(10 in (day + 1, day + 2))
        seen.add(day)
    assert len(seen) == evening


def test_nobody_with_a_diary_is_refused():
    value, status = np.zeros([30, len(FIELDS)]), np.zeros([30, len(FIELDS)], np.int32)
    status[:, FIELD_INDEX["resting_hr"]] = 1
    with pytest.raises(InputError, match="diary that tells of the day after"):
        RecordedTask([history(value, status)])


def test_a_model_learns_from_records(task):
    seed_weights(2)
    model = ALINE.for_task(task, **SIZES)
    trainer = Trainer(model, task)
    sizes = {
        "batch": 16,
        "warmup_batch": 16,
        "horizon": 2,
        "pool": 4,
        "candidates_per_step": 4,
        "conditioning_rate": 0.0,
    }
    trainer.compile(
        recipe=Recipe(**sizes, warmup_steps=30, joint_steps=0, learning_rate=3e-3), seed=1
    )
    fitted = trainer.fit(steps_per_epoch=10, verbose=0)
    assert fitted.history["inference"][-1] < fitted.history["inference"][0] - 0.1


def test_episodes_are_batches_of_the_task(task):
    episode = task.sample_episodes((1, 1), 3, 40)
    assert set(BATCH_FIELDS) <= set(episode)
    assert episode["candidate_mask"].shape == (3, 40)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a folder of timelines"),
        (["--steps", "0"], "--steps of 1 or more"),
        (["--learning-rate", "2"], "--learning-rate between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(tmp_path, capsys, arguments, message):
    missing = tmp_path / "nowhere"
    out = tmp_path / "out"
    code = cli.main(["migraine", "train", str(missing), "--out", str(out), *arguments])
    assert code == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_without_timelines_is_refused(tmp_path, capsys):
    assert cli.main(["migraine", "train", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "received none" in capsys.readouterr().err
