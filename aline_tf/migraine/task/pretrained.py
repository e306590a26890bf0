"""The pretrained migraine model, checked before it reads anybody's records."""

from __future__ import annotations

from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.models.packaged_presets import preset_directory
from aline_tf.models.presets import load_preset


def load_model(directory: Path | None = None):
    """The model of a preset, or the newest shipped one.

    Raises:
        InputError: no preset there, one of another task, or one trained on other channels.
    """
    directory = preset_directory(SPEC.name) if directory is None else directory
    model = load_preset(directory, task=SPEC.name)
    if _reads(model.spec) != _reads(SPEC):
        raise InputError(
            f"expected a preset trained on the channels of this version; received {directory},"
            " which was trained on others"
        )
    return model


def _reads(spec) -> tuple:
    """What a model reads and answers, in order; its scales are its own."""
    channels = (spec.fields, spec.outcomes)
    return (
        spec.design_names,
        *(tuple((c.name, c.kind, c.levels) for c in part) for part in channels),
        tuple((p.name, p.kind) for p in spec.parameters),
    )
