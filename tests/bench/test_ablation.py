"""The rows of the ablation: each adds one thing to the row before."""

import pytest

from aline_tf.bench.ablation import rules
from aline_tf.tasks import task_by_name
from aline_tf.training.shipped import SHIPPED

CHANGES = [
    {"credit"},
    {"group"},
    {"counterfactual", "policy_weight"},
    {"teacher"},
    {"alternatives"},
]


@pytest.mark.parametrize("task", ["location_finding", "psychometric", "gp1d"])
def test_each_row_changes_what_its_name_says(task):
    found = [rule.recipe.to_dict() for rule in rules(SHIPPED[task][1])]
    # Labels are shared only where the recipe does so.
    changes = CHANGES if SHIPPED[task][1].alternatives else CHANGES[:-1]
    for before, after, allowed in zip(found[:-1], found[1:], changes, strict=True):
        changed = {name for name in before if before[name] != after[name]}
        assert changed and changed <= allowed
    shipped = SHIPPED[task][1].to_dict()
    last = {name for name in shipped if shipped[name] != found[-1][name]}
    assert last <= {"teacher", "counterfactual", "group"}


def test_the_first_row_is_the_papers_rule():
    paper = rules(SHIPPED["location_finding"][1])[0].recipe
    assert (paper.credit, paper.group, paper.counterfactual) == ("own_step", 1, 0.0)
    assert max(paper.teacher) == 0.0 and paper.policy_weight == 1.0


def test_what_needs_a_likelihood_is_marked():
    marked = [rule.name for rule in rules(SHIPPED["hpo"][1]) if rule.needs_likelihood]
    assert marked == ["+ teacher"]
    task = task_by_name("hpo")
    for rule in rules(SHIPPED["hpo"][1]):
        if rule.needs_likelihood:
            with pytest.raises(ValueError, match="log_likelihood"):
                rule.recipe.check_task(task)
        else:
            rule.recipe.check_task(task)
