"""Ablation: from the paper's training to ours, each row a change of the one before it."""

from __future__ import annotations

import dataclasses

from aline_tf.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Rule:
    """One row of the ablation.

    Attributes:
        name: "+" adds to the row before it.
        recipe: the rule, applied to the task's shipped recipe.
        needs_likelihood: whether it only works where the task's likelihood is known.

    Example:
        >>> from aline_tf.bench.ablation import Rule
        >>> from aline_tf.training import Recipe
        >>> Rule("paper", Recipe()).needs_likelihood
        False
    """

    name: str
    recipe: Recipe
    needs_likelihood: bool = False


def rules(shipped: Recipe) -> list[Rule]:
    """The rows for a task with this recipe.

    Everything that no row names is as shipped: sizes, phases, learning rate, how the policy is
    annealed. The weight of the rewards is 1, as in the paper, until a second source of credit
    stands beside them; then it is the shipped recipe's.
    """
    settings = shipped.policy_loss
    paper = dataclasses.replace(
        shipped,
        credit="immediate_reward",
        group_size=1,
        discount=1.0,
        policy_weight=1.0,
        counterfactual=0.0,
        teacher=(0.0, 0.0),
        num_posterior_labels=0,
    )
    to_go = dataclasses.replace(paper, credit="reward_to_go")
    grouped = dataclasses.replace(to_go, group_size=max(shipped.rollout.group_size, 4))
    counterfactual = dataclasses.replace(
        grouped,
        policy_weight=settings.policy_weight,
        counterfactual=settings.counterfactual or 1.0,
    )
    taught = dataclasses.replace(
        counterfactual, teacher=settings.teacher if max(settings.teacher) > 0 else (1.0, 0.5)
    )
    made = [
        Rule("paper's rule", paper),
        Rule("+ reward-to-go", to_go),
        Rule("+ group baseline", grouped),
        Rule("+ counterfactual", counterfactual),
        Rule("+ teacher", taught, needs_likelihood=True),
    ]
    if shipped.phases.num_posterior_labels:
        labels = shipped.phases.num_posterior_labels
        shared = dataclasses.replace(taught, num_posterior_labels=labels)
        made.append(Rule("+ posterior labels", shared, needs_likelihood=True))
    return made
