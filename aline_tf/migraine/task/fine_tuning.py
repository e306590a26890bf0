"""A trained model trained on with people who recorded themselves, in one way for all who do it.

A few dozen people say how often attacks come and how far the model's forecasts are to be trusted in
their world, and are few to teach what a day's record means. So only the head that forecasts is
trained unless more is asked for: what is said of a person's parameters, and what is asked, stay as
they were.
"""

from __future__ import annotations

from aline_tf.errors import InputError

#: Steps, evenings in each, and the learning rate at its highest.
STEPS, BATCH, RATE = 300, 64, 2e-4
#: What can be trained: the head that forecasts, or everything.
WEIGHTS = ("outcome_head", "all")


def fine_tune(
    model,
    task,
    steps: int = STEPS,
    learning_rate: float = RATE,
    seed: int = 1,
    weights: str = WEIGHTS[0],
    **fit,
) -> dict:
    """Trains a model on evenings of recorded people, in its place.

    Args:
        model: an ALINE of the migraine task.
        task: a `RecordedTask`, or any other task with episodes of the same specification.
        steps: of 64 evenings each.
        learning_rate: at its highest; a cosine takes it down.
        seed: of everything random.
        weights: "outcome_head" trains the head that forecasts and leaves all else as it is, "all"
            everything.
        **fit: arguments of `Trainer.fit` (callbacks, verbose).

    Returns:
        the recipe, as a dictionary.

    Raises:
        InputError: weights that are none of these.
        ValueError: a setting out of its range.
    """
    from aline_tf.training.recipe import Optimizer, Recipe
    from aline_tf.training.run import seed_keras
    from aline_tf.training.trainer import Trainer

    if weights not in WEIGHTS:
        raise InputError(f"expected weights as one of {', '.join(WEIGHTS)}; received {weights!r}")
    recipe = Recipe(
        batch=BATCH,
        warmup_batch=BATCH,
        warmup_steps=steps,
        joint_steps=0,
        horizon=5,
        pool=16,
        candidates_per_step=16,
        conditioning_rate=0.0,
        learning_rate=learning_rate,
        # A small rate does not rise to where others end.
        final_learning_rate=min(learning_rate, Optimizer.final_learning_rate),
    )
    seed_keras(seed)
    frozen = [] if weights == "all" else _others(model)
    try:
        for variable in frozen:
            variable.trainable = False
        trainer = Trainer(model, task)
        trainer.compile(recipe=recipe, seed=seed)
        trainer.fit(steps_per_epoch=min(50, steps), **fit)
    finally:
        for variable in frozen:
            variable.trainable = True
    return recipe.to_dict()


def _others(model) -> list:
    """Trainable weights that are no part of the outcome head alone: the normalisation before it is
    shared with the head of the parameters."""
    own = {id(variable) for variable in model.outcome_head.mlp.trainable_variables}
    return [variable for variable in model.trainable_variables if id(variable) not in own]
