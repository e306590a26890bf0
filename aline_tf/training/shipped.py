"""How the models in savedmodels/ are trained: sizes and recipe by task name."""

from __future__ import annotations

from aline_tf.training.recipe import Recipe

SHIPPED: dict[str, tuple[dict, Recipe]] = {
    "psychometric": (
        {"width": 32, "depth": 3, "heads": 4},
        Recipe(
            warmup_steps=5000,
            joint_steps=2000,
            pool=200,
            offer=40,
            states=8,
            teacher=(1.0, 0.5),
            policy_weight=0.1,
            entropy=(0.0, 0.0),
            temperature=(1.0, 0.3),
        ),
    ),
}


def shipped_settings(task: str) -> tuple[dict, Recipe]:
    """Model sizes and recipe for a task; the defaults for a task of one's own."""
    return SHIPPED.get(task, ({}, Recipe()))
