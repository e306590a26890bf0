"""A trained model trained on with people who recorded themselves, in one way for all who do it."""

from __future__ import annotations

#: Steps, evenings in each, and the learning rate at its highest.
STEPS, BATCH, RATE = 300, 64, 2e-4


def fine_tune(
    model, task, steps: int = STEPS, learning_rate: float = RATE, seed: int = 1, **fit
) -> dict:
    """Trains a model on evenings of recorded people, in its place.

    Args:
        model: an ALINE of the migraine task.
        task: a `RecordedTask`, or any other task with episodes of the same specification.
        steps: of 64 evenings each.
        learning_rate: at its highest; a cosine takes it down.
        seed: of everything random.
        **fit: arguments of `Trainer.fit` (callbacks, verbose).

    Returns:
        the recipe, as a dictionary.

    Raises:
        ValueError: a setting out of its range.
    """
    import keras

    from aline_tf.training.recipe import Recipe
    from aline_tf.training.trainer import Trainer

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
    )
    keras.utils.set_random_seed(seed)
    trainer = Trainer(model, task)
    trainer.compile(recipe=recipe, seed=seed)
    trainer.fit(steps_per_epoch=min(50, steps), **fit)
    return recipe.to_dict()
