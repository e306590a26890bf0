"""Arguments and weights under the names they had in version 0.1, so that what was written with them
still loads."""

from __future__ import annotations

import functools
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import h5py

#: Arguments of `ALINE`: the old name, the new one.
ARGUMENTS = {
    "width": "hidden_dim",
    "depth": "num_layers",
    "heads": "num_heads",
    "hidden": "intermediate_dim",
    "relation": "relative_position_dim",
    "kriging": "num_processes",
}
#: `features` of a task's description: the arguments of `ALINE` and their classes.
FEATURES = {
    "ces": {
        "design_features": "aline_tf.tasks.ces_features:CESDesignFeatures",
        "outcome_features": "aline_tf.tasks.ces_features:CESOutcomeFeatures",
    },
    "migraine": {"history_features": "aline_tf.migraine.task.day_features:DayFeatures"},
}
#: Paths of arrays in a weights file: what an old one begins with, and the new beginning.
WEIGHTS = (
    ("anchor/log_width", "layers/outcome_head/kernel_smoother/log_scale"),
    ("anchor", "layers/outcome_head/kernel_smoother"),
    ("bearing", "layers/policy_head/posterior_distance"),
    ("digest/belief", "history_summary/parameter_messages"),
    ("digest", "history_summary"),
    (
        "focus/relations/relations",
        "layers/theta_head/location_frame/relative_position_biases/relative_position_bias",
    ),
    ("focus", "layers/theta_head/location_frame"),
    ("kriging", "gaussian_process_mixture"),
    ("layers/layer_normalization_1", "layers/policy_head/norm"),
    ("layers/mlp_1", "layers/outcome_head/mlp"),
    ("layers/mlp_2", "layers/policy_head/mlp"),
    ("layers/mlp", "layers/theta_head/mlp"),
    ("layers/relations", "layers/relative_position_bias"),
)


def renamed(arguments: dict) -> dict:
    """The arguments of `ALINE` with today's names, features as layers.

    Raises:
        TypeError: the old and the new name of one argument.
        ValueError: features that nobody knows.
    """
    twice = [(old, new) for old, new in ARGUMENTS.items() if old in arguments and new in arguments]
    if twice:
        raise TypeError(f"Expected {twice[0][1]} once. Received: {twice[0][0]} beside it")
    arguments = {ARGUMENTS.get(name, name): value for name, value in arguments.items()}
    spec = arguments.get("spec")
    features = spec.get("features") if isinstance(spec, dict) else None
    if not features:
        return arguments
    if features not in FEATURES:
        raise ValueError(f"Expected features of {sorted(FEATURES)}. Received: {features!r}")
    return {name: _made(place) for name, place in FEATURES[features].items()} | arguments


def _made(place: str):
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)()


def accepts_old_names(init: Callable) -> Callable:
    """A constructor that takes the old names too, with a DeprecationWarning."""

    @functools.wraps(init)
    def accepting(self, spec, *args, **kwargs):
        old = sorted(set(kwargs) & set(ARGUMENTS))
        kwargs = renamed(kwargs | {"spec": spec})
        if old:
            pairs = ", ".join(f"{ARGUMENTS[name]} for {name}" for name in old)
            warnings.warn(f"these arguments have new names: {pairs}", DeprecationWarning, 2)
        return init(self, kwargs.pop("spec"), *args, **kwargs)

    return accepting


@contextmanager
def todays_weights(path) -> Iterator[Path]:
    """The path of a weights file with today's names: `path` itself, or a temporary copy of an old
    file."""
    path = Path(path)
    arrays = _arrays(path) if path.is_file() and h5py.is_hdf5(path) else []
    if all(array == _todays(array) for array in arrays):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.weights.h5"
        with h5py.File(path) as old, h5py.File(copy, "w") as new:
            for array in arrays:
                old.copy(array, new, _todays(array))
        yield copy


def _arrays(path: Path) -> list[str]:
    """Paths of the arrays that an HDF5 file holds."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(name) if _is_array(item) else None)
    return found


def _is_array(item) -> bool:
    return isinstance(item, h5py.Dataset)


def _todays(array: str) -> str:
    # Layers of a kind are numbered: relations, relations_1.
    for old, new in WEIGHTS:
        found = re.match(rf"{old}(_\d+)?/", array)
        if found:
            return f"{new}{found[1] or ''}/{array[found.end() :]}"
    return array
