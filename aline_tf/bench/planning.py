"""How many steps of a recipe fit into a budget of CPU seconds. Plain arithmetic, no TensorFlow."""

from __future__ import annotations

import dataclasses

from aline_tf.errors import InputError
from aline_tf.training.recipe import Recipe

#: Share of the budget that is planned for; the rest is for steps that take longer than the few
#: that were timed.
PLANNED = 0.97


@dataclasses.dataclass(frozen=True)
class StepCosts:
    """CPU seconds: of building and compiling, of a warm-up step, of a joint step.

    Example:
        >>> from aline_tf.bench.planning import StepCosts, planned
        >>> from aline_tf.training import Recipe
        >>> recipe = Recipe(warmup_steps=300, joint_steps=100)
        >>> planned(recipe, StepCosts(start=1.0, warmup=0.1, joint=0.7), seconds=440.0).steps
        1702
    """

    start: float
    warmup: float
    joint: float


def planned(recipe: Recipe, costs: StepCosts, seconds: float) -> Recipe:
    """The recipe with as many steps as the budget has room for, its phases in proportion.

    Raises:
        InputError: not even one step of each phase fits.
    """
    phases = recipe.phases
    one = phases.warmup_steps * costs.warmup + phases.joint_steps * costs.joint
    room = PLANNED * seconds - costs.start
    least = min(steps for steps in (phases.warmup_steps, phases.joint_steps) if steps)
    if room * least < one:
        needed = (costs.start + one / least) / PLANNED
        raise InputError(
            f"expected a budget of at least {needed:.0f} CPU seconds on this machine; "
            f"received {seconds:g}"
        )
    return dataclasses.replace(
        recipe,
        warmup_steps=int(phases.warmup_steps * room / one),
        joint_steps=int(phases.joint_steps * room / one),
    )
