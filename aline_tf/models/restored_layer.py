"""Layers that are handed in: as objects, or as the configurations that Keras wrote of them."""

from __future__ import annotations

from importlib import import_module

import keras


def restored_layer(layer):
    """The layer itself, or the one that a configuration describes.

    Modules of this package are imported when a configuration names one; the module of a layer of
    one's own has to be imported before, as everywhere in Keras.

    Args:
        layer: a Keras layer, its configuration as of `keras.saving.serialize_keras_object`, or
            None.

    Raises:
        ValueError: nothing of these, or a configuration of a class that is not known.
    """
    if layer is None or isinstance(layer, keras.layers.Layer):
        return layer
    if not isinstance(layer, dict) or "class_name" not in layer:
        raise ValueError(f"Expected a Keras layer or its configuration. Received: {layer!r}")
    module = str(layer.get("module"))
    if module.startswith("aline_tf."):
        import_module(module)
    try:
        return keras.saving.deserialize_keras_object(layer)
    except TypeError as error:
        raise ValueError(
            f"Expected the module of a layer to be imported before a model that has it. Received: "
            f"{layer.get('registered_name') or layer['class_name']!r} of module {module!r}"
        ) from error
