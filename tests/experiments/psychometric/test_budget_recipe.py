"""A small budget is spent on the task alone; the shipped recipe teaches what lies beside it."""

import dataclasses

from aline_tf.experiments.lookup import budget_settings, model_settings


def test_a_small_budget_has_no_long_histories():
    sizes, shipped = model_settings("psychometric")
    fewer, quick = budget_settings("psychometric")
    assert shipped.phases.long_batch > 0 and quick.phases.long_batch == 0
    assert set(sizes) - set(fewer) == {"evidence_dim", "joint_components"}
    assert quick.policy_loss == shipped.policy_loss and quick.rollout == shipped.rollout


def test_other_tasks_have_one_recipe():
    for task in ("gp1d", "location_finding"):
        (sizes, shipped), (same, quick) = model_settings(task), budget_settings(task)
        assert sizes == same and dataclasses.asdict(shipped) == dataclasses.asdict(quick)
