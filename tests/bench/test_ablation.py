"""The rows of the ablation: each adds one thing to the row before."""

import pytest

from aline_tf.bench.ablation import rules
from aline_tf.experiments import model_settings
from aline_tf.tasks import task_by_name

CHANGES = [
    {"credit"},
    {"group_size"},
    {"counterfactual", "policy_weight"},
    {"teacher"},
    {"num_posterior_labels"},
]


def settings(recipe):
    """Every setting by its own name."""
    return {name: value for part in recipe.to_dict().values() for name, value in part.items()}


@pytest.mark.parametrize("task", ["location_finding", "psychometric", "gp1d"])
def test_each_row_changes_what_its_name_says(task):
    found = [settings(rule.recipe) for rule in rules(model_settings(task)[1])]
    # Labels are shared only where the recipe does so.
    changes = CHANGES if model_settings(task)[1].phases.num_posterior_labels else CHANGES[:-1]
    for before, after, allowed in zip(found[:-1], found[1:], changes, strict=True):
        changed = {name for name in before if before[name] != after[name]}
        assert changed and changed <= allowed
    shipped = settings(model_settings(task)[1])
    last = {name for name in shipped if shipped[name] != found[-1][name]}
    assert last <= {"teacher", "counterfactual", "group_size"}


def test_the_first_row_is_the_papers_rule():
    paper = rules(model_settings("location_finding")[1])[0].recipe
    loss = paper.policy_loss
    assert (loss.credit, paper.rollout.group_size) == ("immediate_reward", 1)
    assert loss.counterfactual == 0.0
    assert max(loss.teacher) == 0.0 and loss.policy_weight == 1.0


def test_what_needs_a_likelihood_is_marked():
    marked = [rule.name for rule in rules(model_settings("hpo")[1]) if rule.needs_likelihood]
    assert marked == ["+ teacher"]
    task = task_by_name("hpo")
    for rule in rules(model_settings("hpo")[1]):
        if rule.needs_likelihood:
            with pytest.raises(ValueError, match="log_likelihood"):
                rule.recipe.check_task(task)
        else:
            rule.recipe.check_task(task)
