"""Triggers: the two parts of a spike and slab, read off correctly and told honestly."""

import math

import numpy as np
import pytest

from aline_tf import batch_ops
from aline_tf.migraine.forecast.triggers import SOURCE_CHANNEL, trigger_posteriors
from aline_tf.migraine.schema.parameters import TRIGGERS


@pytest.fixture(scope="module")
def triggers(model, evening):
    return trigger_posteriors(model, evening[0])


def test_every_trigger_is_told_once(triggers):
    assert {trigger.name for trigger in triggers} == {trigger.name for trigger in TRIGGERS}
    assert set(SOURCE_CHANNEL) == {trigger.name for trigger in TRIGGERS}


def test_strongest_come_first_and_those_without_record_last(triggers):
    recorded = [trigger for trigger in triggers if trigger.days_recorded]
    assert triggers[: len(recorded)] == recorded
    for part in (recorded, triggers[len(recorded) :]):
        strengths = [trigger.strength for trigger in part]
        assert strengths == sorted(strengths, reverse=True)


def test_slab_is_the_posterior_without_its_atom(model, evening, triggers):
    outputs = batch_ops.map_rows(model, evening[0])
    posterior = model.theta_posterior(outputs)
    names = model.spec.parameter_names
    for trigger in (trigger for trigger in triggers if trigger.days_recorded):
        index = names.index(f"beta_{trigger.name}")
        chance = float(posterior.probability()[0, index])
        assert trigger.probability == pytest.approx(chance, abs=1e-6)
        for odds, level in ((trigger.low, 0.05), (trigger.high, 0.95)):
            effect = np.zeros([1, len(names)], np.float32)
            effect[0, index] = math.log(odds)
            whole = float(posterior.cdf(effect)[0, index])
            # cdf = P slab + (1 - P) [effect >= 0]
            slab = (whole - (1 - chance) * (effect[0, index] >= 0)) / chance
            assert slab == pytest.approx(level, abs=2e-3)
        mean = float(posterior.mean_sd()[0][0, index])
        assert chance * math.log(trigger.odds_ratio) == pytest.approx(mean, abs=1e-4)


def test_of_a_trigger_without_records_it_is_said_what_holds_of_anybody(model, evening, triggers):
    batch = evening[0] | {
        "context_mask": np.zeros_like(evening[0]["context_mask"]),
        "context_status": np.zeros_like(evening[0]["context_status"]),
    }
    anybody = {trigger.name: trigger for trigger in trigger_posteriors(model, batch)}
    silent = [trigger for trigger in triggers if not trigger.days_recorded]
    assert silent
    for trigger in triggers:
        assert trigger.usual == pytest.approx(anybody[trigger.name].probability, abs=1e-5)
    for trigger in silent:
        assert trigger.low == pytest.approx(anybody[trigger.name].low, rel=1e-4)
        assert trigger.probability == trigger.usual


def test_days_recorded_are_counted_from_the_history(evening, triggers):
    history = evening[2]
    by_name = {trigger.name: trigger for trigger in triggers}
    assert by_name["pressure"].days_recorded == 0
    alcohol = np.isfinite(history.column("alcohol")).sum()
    assert by_name["alcohol"].days_recorded == alcohol > 50
