"""The measures of acquisition do the work that they time."""

import pytest

from aline_tf.bench import acquisition_speed
from aline_tf.bench.configurations import ACQUISITION
from aline_tf.training.recipe import Recipe
from tests.training.small_tasks import SIZES


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(acquisition_speed, "model_settings", lambda task: (SIZES, Recipe()))


@pytest.mark.parametrize(
    ("measure", "calls"),
    [
        ("forward", 6),
        ("forward_frozen", 6),
        ("ask_tell", 6),
        ("run", 2),
        ("run_frozen", 2),
        ("rollout", 2),
    ],
)
def test_every_call_of_every_later_run_is_timed(measure, calls):
    assert measure in ACQUISITION
    found = acquisition_speed.acquisition(measure, "gp1d", 12, 3, predicts=True, runs=2)
    assert found["calls"] == calls
    assert found["wall"] > 0.0 and found["first"] > 0.0


def test_a_session_starts_with_what_the_episode_knows_and_wants_what_it_wants():
    bench = acquisition_speed._Bench("gp1d", 12, 3, predicts=True)
    session = bench.session()
    assert session.steps == 1 and session.target == ()
    assert session.batch()["target_mask"].all()
    bench.ask_and_tell(session)
    assert session.steps == 2
    parameters = acquisition_speed._Bench("psychometric", 12, 3, predicts=False).session()
    assert parameters.steps == 0 and len(parameters.target) == 4
