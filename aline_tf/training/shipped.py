"""Model sizes and recipes by task name.

They began the models in savedmodels/; each model card tells of its sittings and of what was set
otherwise in them.
"""

from __future__ import annotations

import dataclasses

from aline_tf.training.recipe import Recipe

_SMALL = {"hidden_dim": 32, "num_layers": 3, "num_heads": 4}
#: Tasks whose designs are places: see `aline_tf.models.layers.relative_position_bias`.
_PLACES = _SMALL | {"relative_position_dim": 16}
#: Tasks of smooth functions: see `aline_tf.models.layers.gaussian_process_mixture`.
_FUNCTIONS = {"hidden_dim": 32, "num_layers": 2, "num_heads": 4, "num_processes": 12}
# Small batches and many steps, here and for the psychometric task: with posterior labels a row
# tells more than one truth.
_LOCATION = Recipe(
    batch=32,
    warmup_batch=64,
    warmup_steps=4000,
    joint_steps=1200,
    pool=200,
    candidates_per_step=40,
    steps_per_episode=4,
    group_size=1,
    policy_weight=0.0,
    teacher=(1.0, 1.0),
    teacher_states=3,
    teacher_draws=32,
    teacher_inverse_temperature=30.0,
    num_posterior_labels=31,
    entropy=(0.0, 0.0),
    temperature=(1.0, 0.1),
    conditioning_rate=0.05,
    learning_rate=3e-3,
    joint_learning_rate=1e-3,
)
_GAUSSIAN_PROCESS = Recipe(
    batch=48,
    warmup_batch=64,
    warmup_steps=2400,
    joint_steps=250,
    pool=250,
    candidates_per_step=40,
    steps_per_episode=4,
    group_size=4,
    policy_weight=0.1,
    teacher=(1.0, 0.5),
    teacher_states=3,
    teacher_inverse_temperature=20.0,
    random_design_weight=0.5,
    entropy=(0.0, 0.0),
    temperature=(0.5, 0.1),
    conditioning_rate=0.05,
    learning_rate=2e-3,
    joint_learning_rate=1e-3,
)

SHIPPED: dict[str, tuple[dict, Recipe]] = {
    "psychometric": (
        _PLACES,
        Recipe(
            batch=32,
            warmup_batch=64,
            warmup_steps=12_000,
            joint_steps=1200,
            pool=200,
            candidates_per_step=40,
            steps_per_episode=3,
            teacher=(1.0, 0.5),
            num_posterior_labels=31,
            policy_weight=0.1,
            random_design_weight=0.5,
            entropy=(0.0, 0.0),
            temperature=(1.0, 0.3),
            learning_rate=3e-3,
            joint_learning_rate=1e-3,
        ),
    ),
    "location_finding": (_PLACES, _LOCATION),
    # To be trained as ces:0.6, with close pairs in its pools.
    "ces": (
        _SMALL,
        Recipe(
            batch=64,
            warmup_steps=4500,
            joint_steps=1100,
            pool=128,
            candidates_per_step=48,
            steps_per_episode=4,
            group_size=2,
            policy_weight=0.02,
            teacher=(2.0, 1.0),
            teacher_states=4,
            teacher_draws=32,
            teacher_inverse_temperature=20.0,
            random_design_weight=0.5,
            entropy=(0.0, 0.0),
            temperature=(0.5, 0.1),
            conditioning_rate=0.1,
            learning_rate=2e-3,
            joint_learning_rate=1e-3,
        ),
    ),
    "gp1d": (_FUNCTIONS, _GAUSSIAN_PROCESS),
    "gp2d": (_FUNCTIONS, _GAUSSIAN_PROCESS),
    # Recorded tables: no likelihood, no teacher; outcomes of the pool are known, so are gains.
    "hpo": (
        _FUNCTIONS,
        dataclasses.replace(
            _GAUSSIAN_PROCESS,
            warmup_steps=2500,
            joint_steps=200,
            pool=100,
            group_size=1,
            policy_weight=0.0,
            teacher=(0.0, 0.0),
            counterfactual=1.0,
            num_counterfactuals=6,
            steps_per_episode=2,
            random_design_weight=1.0,
            conditioning_rate=0.0,
        ),
    ),
    "migraine": (
        {"hidden_dim": 48, "num_layers": 2, "num_heads": 4},
        Recipe(
            batch=96,
            warmup_batch=128,
            warmup_steps=4500,
            joint_steps=650,
            joint_learning_rate=6e-4,
            horizon=5,
            pool=32,
            candidates_per_step=32,
            steps_per_episode=2,
            policy_weight=0.1,
            counterfactual=1.0,
            num_counterfactuals=8,
            random_design_weight=1.0,
            entropy=(0.01, 0.001),
            temperature=(1.0, 0.5),
        ),
    ),
}


def shipped_settings(task: str) -> tuple[dict, Recipe]:
    """Model sizes and recipe for a task; the defaults for a task of one's own."""
    # A shipped task may carry an argument after a colon, as in hpo:boosting.
    return SHIPPED.get(task.partition(":")[0], ({}, Recipe()))
