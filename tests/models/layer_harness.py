"""One set of checks for every Keras layer: configuration, build, three ways to call, one fit."""

import keras
import numpy as np
import tensorflow as tf


def check_config_round_trip(layer) -> None:
    """The layer's configuration is plain JSON and makes an equal layer, twice over."""
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def check_build(make, shape) -> None:
    """`build` alone creates every weight, and the first call adds none."""
    layer = make()
    assert not layer.weights
    layer.build(shape)
    assert layer.built
    assert layer.weights


def check_calls(make, inputs: dict, shape) -> None:
    """Eager, graph and symbolic calls agree in value or in shape; a call creates no weight."""
    layer = make()
    layer.build(shape)
    count = len(layer.weights)
    eager = layer(**inputs)
    graph = tf.function(lambda tensors: layer(**tensors))(inputs)
    assert len(layer.weights) == count
    symbolic = layer(
        **tf.nest.map_structure(
            lambda a: keras.KerasTensor(a.shape, dtype=keras.backend.standardize_dtype(a.dtype)),
            inputs,
        )
    )
    for a, b, c in zip(*map(tf.nest.flatten, (eager, graph, symbolic)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
        assert tuple(c.shape) == tuple(a.shape)


def check_fit_step(make, inputs: dict, shape) -> None:
    """One optimiser step on the outputs' squares moves the weights and keeps them finite."""
    layer = make()
    layer.build(shape)
    before = [weight.numpy() for weight in layer.trainable_weights]
    optimizer = keras.optimizers.SGD(0.01)
    with tf.GradientTape() as tape:
        outputs = [o for o in tf.nest.flatten(layer(**inputs)) if o.dtype.is_floating]
        # Clipped, because the score of an excluded candidate is a huge negative number.
        loss = tf.add_n([tf.reduce_mean(tf.square(tf.clip_by_value(o, -9, 9))) for o in outputs])
    variables = layer.trainable_weights
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    assert all(gradient is not None for gradient in gradients)
    optimizer.apply(gradients, variables)
    after = [weight.numpy() for weight in variables]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def check_mixed_precision(make, inputs: dict, shape, policy: str, tolerance: float) -> None:
    """Half precision computes, keeps float32 weights, and is near the float32 answer: in the root
    mean square of each output, since how single numbers round differs between processors."""
    full, half = make(), make(dtype=policy)
    full.build(shape)
    half.build(shape)
    half.set_weights(full.get_weights())
    assert {weight.dtype for weight in half.weights} == {"float32"}
    for a, b in zip(tf.nest.flatten(full(**inputs)), tf.nest.flatten(half(**inputs)), strict=True):
        # Clipped, because the score of an excluded candidate would outweigh all others.
        a, b = (np.clip(tf.cast(value, tf.float32), -9.0, 9.0) for value in (a, b))
        assert np.isfinite(b).all()
        away, size = (np.sqrt(np.mean(np.square(value))) for value in (a - b, a))
        assert away <= tolerance * (1.0 + size)


def check_layer(make, inputs: dict, shape) -> None:
    """All of the above; `make(**kwargs)` makes a fresh layer, `inputs` are named as in `call`."""
    check_config_round_trip(make())
    check_build(make, shape)
    check_calls(make, inputs, shape)
    check_fit_step(make, inputs, shape)
    for policy, tolerance in (("mixed_bfloat16", 0.15), ("mixed_float16", 0.02)):
        check_mixed_precision(make, inputs, shape, policy, tolerance)
