"""Classes of this package that Keras finds in a file before anything of it was imported.

Keras reads a `.keras` file by the registered names in it and imports no module of its own accord.
So `import aline_tf` tells it where the classes are: at once when Keras is there, otherwise when it
is imported. Nothing is loaded for it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

#: Classes that stand at the top of a file or of a compiled optimiser, and their modules.
CLASSES = {
    "ALINE": "aline_tf.models.aline",
    "CosineRate": "aline_tf.training.schedules",
}
_REGISTRY = "keras.src.saving.object_registration"


def register_lazily() -> None:
    """Tells Keras of `CLASSES`, now or when it is imported."""
    if _REGISTRY in sys.modules:
        _register(sys.modules[_REGISTRY])
    elif not any(isinstance(finder, _WhenImported) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenImported())


def _register(registry) -> None:
    for name, module in CLASSES.items():
        registry.GLOBAL_CUSTOM_OBJECTS.setdefault(f"aline_tf>{name}", _deferred(name, module))


def _deferred(name: str, module: str) -> type:
    """A stand-in that imports the class when a configuration asks for it."""

    def from_config(config, *args, **kwargs):
        return getattr(import_module(module), name).from_config(config, *args, **kwargs)

    return type(name, (), {"from_config": staticmethod(from_config)})


class _WhenImported:
    """Finds nothing itself; registers as soon as Keras's registry is imported."""

    def find_spec(self, name, path=None, target=None):
        if name != _REGISTRY:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            _register(module)

        spec.loader.exec_module = exec_module
        return spec
