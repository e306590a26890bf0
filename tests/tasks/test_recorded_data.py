"""Recorded data without a simulator: episodes of real records, trained on, asked, refused."""

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.acquisition.session import Session
from aline_tf.batch import EPISODE_FIELDS, MISSING, OBSERVED, check
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.spec import Channel, TaskSpec
from aline_tf.tasks import RecordedDataTask, task_by_name
from aline_tf.tasks.contract import check_contract
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.graphs import without_graphs
from tests.seeds import seed_weights
from tests.tasks.own_tasks import RECIPE, SIZES, DoseCounts, NoParameters, TwoOutcomes

S, N = 30, 20


def data(seed=0):
    rng = np.random.default_rng(seed)
    designs = rng.uniform(0, 10, (S, N, 1))
    theta = rng.uniform([5, 0.5, 0], [40, 8, 5], (S, 3))
    top, decay, floor = np.split(theta[:, None], 3, axis=2)
    return designs, rng.poisson(top * np.exp(-designs / decay) + floor).astype(float), theta


def with_gaps():
    designs, outcomes, theta = data()
    outcomes[:, 5:9] = np.nan
    outcomes[0, 3:] = np.nan
    designs[0, 3:] = np.nan
    theta[::2, 1] = np.nan
    return designs, outcomes, theta


#: A module may hold a task itself: recorded data are often read where they are named.
TASK = RecordedDataTask(NoParameters.spec, *data()[:2])


def test_an_episode_is_one_subject_whose_records_are_pool_or_prediction_never_both():
    designs, outcomes, theta = data()
    task = RecordedDataTask(DoseCounts.spec, designs, outcomes, theta, predictions=6)
    episode = task.sample_episodes(draws.as_seed(1), 40, 14)
    check(episode, task.spec, EPISODE_FIELDS)
    for row in range(40):
        subject = np.flatnonzero((task.theta == episode["theta"][row].numpy()).all(1))[0]
        recorded = dict(
            zip(designs[subject, :, 0].astype("f4"), outcomes[subject, :, 0], strict=True)
        )
        pool = episode["candidate_design"][row, :, 0].numpy()
        queries = episode["target_design"][row, :, 0].numpy()
        assert len({*pool, *queries}) == 20
        for place, outcome in (
            (pool, episode["candidate_outcome"][row, :, 0].numpy()),
            (queries, episode["target_outcome"][row].numpy()),
        ):
            assert [recorded[x] for x in place] == list(outcome)
    assert episode["candidate_mask"].numpy().all() and episode["target_observed"].numpy().all()
    other = task.sample_episodes(draws.as_seed(2), 40, 14)
    assert (other["candidate_design"].numpy() != episode["candidate_design"].numpy()).any()


def test_what_was_not_recorded_is_masked_and_never_a_number():
    task = RecordedDataTask(DoseCounts.spec, *with_gaps(), predictions=6)
    episode = task.episodes_of(draws.as_seed(1), np.arange(S, dtype=np.int32), 18)
    for name, value in episode.items():
        assert np.isfinite(np.asarray(value, float)).all(), name
    pool, predicted = episode["candidate_mask"].numpy(), episode["target_observed"].numpy()
    assert list(pool[1:].sum(1)) == [10] * (S - 1) and list(predicted[1:].sum(1)) == [6] * (S - 1)
    # Three records: two to learn from, one to predict.
    assert (pool[0].sum(), predicted[0].sum()) == (2, 1)
    assert ((episode["candidate_status"].numpy()[..., 0] == OBSERVED) == pool).all()
    assert not episode["theta_observed"].numpy()[::2, 1].any()
    assert not (episode["theta_mask"].numpy() & ~episode["theta_observed"].numpy()).any()
    selected = episode["theta_mask"].numpy().any(1), episode["target_mask"].numpy().any(1)
    assert (selected[0] ^ selected[1]).all() and selected[0].any() and selected[1].any()


def test_a_field_that_was_not_recorded_is_missing_beside_one_that_was():
    rng = np.random.default_rng(0)
    outcomes = rng.normal(size=(4, 6, 2))
    outcomes[:, ::2, 1] = np.nan
    designs = np.concatenate([rng.uniform(-1, 1, (4, 6, 1)), np.zeros((4, 6, 2))], -1)
    spec = TwoOutcomes.spec
    task = RecordedDataTask(spec, designs, outcomes, rng.normal(size=(4, 2)), predictions=3)
    episode = task.sample_episodes(draws.as_seed(1), 30, 3)
    status = episode["candidate_status"].numpy()
    assert (status[..., 0] == OBSERVED).all() and {*status[..., 1].ravel()} == {MISSING, OBSERVED}
    parabola = episode["target_design"].numpy()[..., 2] == 1
    observed = episode["target_observed"].numpy()
    assert observed[~parabola].all() and 0.2 < observed[parabola].mean() < 0.8


@pytest.mark.parametrize("theta", [True, False])
def test_it_keeps_the_contract_trains_in_both_phases_and_is_asked(theta):
    designs, outcomes, known = with_gaps()
    spec = DoseCounts.spec if theta else NoParameters.spec
    task = RecordedDataTask(spec, designs, outcomes, known if theta else None)
    check_contract(task)
    seed_weights(1)
    model = ALINE(task.spec, **SIZES)
    trainer = Trainer(model, task)
    trainer.compile(recipe=Recipe(**RECIPE), seed=1)
    with without_graphs():
        history = trainer.fit(epochs=1, steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["loss"][0])
    session = Session(model, np.linspace(0, 10, 9)[:, None], target_designs=[[2.0]])
    session.tell(session.ask().index, 12)
    assert np.isfinite(session.predict([[2.0]])[0].mean)


def test_it_learns_to_predict_subjects_that_it_never_saw():
    rng = np.random.default_rng(3)
    designs = rng.uniform(0, 10, (300, 20, 1))
    rate = rng.uniform(5, 60, (300, 1, 1)) * np.exp(-designs / 4)
    task = RecordedDataTask(NoParameters.spec, designs, rng.poisson(rate).astype(float))
    train, test = task.split(0.2)
    assert (train.subjects, test.subjects) == (240, 60)
    assert not {*train.designs.ravel()} & {*test.designs.ravel()}
    seed_weights(0)
    model = ALINE(train.spec, **SIZES)
    trainer = Trainer(model, train)
    recipe = RECIPE | {"warmup_batch": 32, "warmup_steps": 400, "joint_steps": 0}
    trainer.compile(recipe=Recipe(**recipe, learning_rate=4e-3), seed=1)
    trainer.fit(epochs=1, steps_per_epoch=400, verbose=0)
    episode = test.episodes_of(draws.as_seed(1), np.arange(60, dtype=np.int32), 3)
    nothing = {name: value.numpy() for name, value in episode.items()}
    three = nothing | {
        f"context_{name}": nothing[f"candidate_{name}"] for name in ("design", "outcome", "status")
    }
    three["context_mask"] = np.ones((60, 3), bool)
    scores = [
        model.target_log_prob(model(batch), batch, nothing["target_outcome"]).numpy().mean()
        for batch in (nothing, three)
    ]
    assert scores[1] > scores[0] + 0.2


def test_it_may_be_named_as_module_and_object():
    assert task_by_name("tests.tasks.test_recorded_data:TASK") is TASK


def test_it_has_no_simulator_and_says_so():
    with pytest.raises(NotImplementedError, match="no simulator"):
        TASK.simulate(None, None, None)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d, y, t: (d[..., 0], y, t), r"designs \[S, N, 1\] .*; received \[30, 20\]"),
        (lambda d, y, t: (d, y[:, 1:], t), r"outcomes \[30, 20, 1\]; received \[30, 19, 1\]"),
        (lambda d, y, t: (d, y, None), r"theta \[30, 3\] .*; received \[30, 0\]"),
        (lambda d, y, t: (d, y + 0.5, t), "outcomes to hold count as a whole number, 0 or more"),
        (lambda d, y, t: (d, y - 99, t), "outcomes to hold count as a whole number, 0 or more"),
        (lambda d, y, t: (d + 5, y, t), r"designs to hold dose in \[0, 10\]; received"),
        (lambda d, y, t: (d * np.nan, y, t), "a design where an outcome is recorded"),
        (lambda d, y, t: (d, y + np.inf, t), "finite outcomes"),
        (lambda d, y, t: (d, y, t * 9), r"theta to hold top in \[5, 40\]; received"),
        (lambda d, y, t: (d, np.where(np.arange(S)[:, None, None], y, np.nan), t), "subject 0"),
        (lambda d, y, t: (d, [["a"]], t), "outcomes as an array of numbers"),
        (lambda d, y, t: (d[:0], y[:0], t[:0]), "at least one subject"),
    ],
)
def test_each_mistake_is_one_sentence(change, complaint):
    with pytest.raises(InputError, match=complaint):
        RecordedDataTask(DoseCounts.spec, *change(*data()))


def test_a_split_leaves_somebody_on_both_sides():
    with pytest.raises(InputError, match=r"on both sides; received 0\.001"):
        TASK.split(0.001)


def test_a_description_of_other_channels_is_none_of_ours():
    spec = TaskSpec("x", ("x",), (0.0,), (10.0,), (Channel("y"),), (Channel("y"),), (), 3)
    assert RecordedDataTask(spec, *data()[:2]).spec is spec


def test_what_is_masked_was_not_recorded():
    designs, outcomes, theta = data()
    hidden = outcomes > 30
    masked = np.ma.array(outcomes, mask=hidden)
    task = RecordedDataTask(DoseCounts.spec, designs, masked, theta)
    assert hidden.any() and (task.exists == ~hidden[..., 0]).all()


def test_a_parameter_that_nobody_recorded_is_said():
    designs, outcomes, theta = data()
    theta[:, 1] = np.nan
    with pytest.warns(UserWarning, match="decay is recorded of none of 30 subjects"):
        RecordedDataTask(DoseCounts.spec, designs, outcomes, theta)


@pytest.mark.parametrize(
    "arguments",
    [("a",), (None,), (float("nan"),), (0.25, -1), (0.25, 1.5), (0.25, "a"), (0.25, None)],
)
def test_a_split_that_cannot_be_is_one_sentence(arguments):
    with pytest.raises(InputError, match=r"expected a s.*; received"):
        TASK.split(*arguments)


@pytest.mark.parametrize("predictions", [0, 1.5, "2", True, None])
def test_predictions_are_a_whole_number(predictions):
    with pytest.raises(InputError, match="at least 1 prediction; received"):
        RecordedDataTask(NoParameters.spec, *data()[:2], predictions=predictions)
