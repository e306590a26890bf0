"""The models of a directory: which exist, in which versions, and the one a request means.

Layout, as TensorFlow Serving has it: ``<base path>/<model name>/<version number>/saved_model.pb``.
A `models.config` in the base path (TensorFlow Serving's text format) names the models that are
served, and may add labels, limit the versions of a model, or place it elsewhere; without one every
directory is served, in all its versions.

What is loaded goes on being served until something else can be served in its place: a version that
is written anew until the new one is loaded, a version that is gone until another of its model is.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from aline_tf.errors import InputError
from aline_tf.runtime.malloc import return_memory
from aline_tf.serving.embedded.loading import SAVED_MODEL
from aline_tf.serving.embedded.versions import (
    ModelVersion,
    NotFoundError,
    contents_stamp,
    version_directories,
)

LOG = logging.getLogger(__name__)
CONFIG_FILE = "models.config"


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """The versions of one model, what is to take their place, and labels of version numbers."""

    versions: dict[int, ModelVersion] = dataclasses.field(default_factory=dict)
    successors: dict[int, ModelVersion] = dataclasses.field(default_factory=dict)
    labels: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def loaded(self) -> dict[int, ModelVersion]:
        return {number: found for number, found in self.versions.items() if found.is_loaded}


class ModelRepository:
    """The models under a base path: read by `refresh`, loaded by `load`.

    Args:
        base_path: directory of model directories; or one model's directory of versions.
        config_file: TensorFlow Serving's model config; by default `models.config` in the base path
            if there is one.
        names: of the models that are served; all by default.

    Raises:
        InputError: the base path is not a directory, holds no model or not one of `names`, or the
            config does not parse.

    Example:
        >>> import pathlib, tempfile
        >>> from aline_tf.serving import ModelRepository
        >>> with tempfile.TemporaryDirectory() as base:
        ...     version = pathlib.Path(base, "mine", "1")
        ...     version.mkdir(parents=True)
        ...     (version / "saved_model.pb").touch()
        ...     ModelRepository(base).names  # nothing is loaded yet
        ['mine']
    """

    def __init__(
        self,
        base_path: str | os.PathLike[str],
        config_file: str | os.PathLike[str] | None = None,
        names: Collection[str] | None = None,
    ):
        self.base_path = Path(base_path)
        if not self.base_path.is_dir():
            raise InputError(f"expected a directory of models; received {base_path}")
        self._config_file = Path(config_file) if config_file else self.base_path / CONFIG_FILE
        self._must_have_config = config_file is not None
        self._selected = None if names is None else frozenset(names)
        self._models: dict[str, ServedModel] = {}
        self._missing: set[str] = set()
        # One thread reads and loads at a time; requests see whole states only.
        self._changing = threading.Lock()
        self.refresh()
        lacking = sorted((self._selected or set()) - set(self._models))
        if lacking or not self._models:
            raise InputError(
                f"expected models as {base_path}/<name>/<version number>/{SAVED_MODEL};"
                f" received a directory without {', '.join(lacking) or 'any'}"
            )

    @property
    def names(self) -> list[str]:
        """Names of the models, sorted."""
        return sorted(self._models)

    @property
    def available(self) -> list[str]:
        """Names of the models of which a version is loaded, sorted."""
        return sorted(name for name, model in self._models.items() if model.loaded)

    def refresh(self) -> None:
        """Read the directory again. Nothing is loaded, and nothing that is loaded is lost before
        something takes its place.

        Raises:
            InputError: the config cannot be read; what was there before stays.
            OSError: the directory cannot be read; what was there before stays.
        """
        with self._changing:
            configs = self._read_config()
            places = self._directories(configs)
            found: dict[str, ServedModel] = {}
            for name in sorted({*places, *self._models}):
                if name not in places and configs and name not in configs:
                    continue  # it was taken out of the config
                config = configs.get(name)
                on_disk = version_directories(places[name]) if name in places else {}
                if config is not None:
                    on_disk = _allowed(on_disk, config.model_version_policy)
                labels = dict(config.version_labels) if config is not None else {}
                model = _merged(self._models.get(name, ServedModel()), on_disk, labels)
                if model.versions:
                    found[name] = model
                self._tell_if_missing(name, not on_disk)
            self._models = found

    def load(self, warm_up: bool = False, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Load what is not loaded yet: the latest version of every model, then those before.

        A version that cannot be loaded is tried again by a later call.

        Args:
            warm_up: run each version before it is served.
            should_stop: asked before each version.
        """
        with self._changing:
            due = [
                (rank, name, number)
                for name, model in self._models.items()
                for rank, number in enumerate(sorted(model.versions, reverse=True))
            ]
            for _, name, number in sorted(due):
                model = self._models[name]
                version = model.successors.get(number) or model.versions.get(number)
                if version is None or not version.is_due():
                    continue
                if should_stop():
                    return
                try:
                    version.load(warm_up)
                except NotFoundError:
                    continue
                self._models = self._models | {name: _with_loaded(model, version)}
                return_memory()

    def versions(self, name: str) -> dict[int, ModelVersion]:
        """Version number -> version, of one model.

        Raises:
            NotFoundError: no such model.
        """
        return dict(self._model(name).versions)

    def find(self, name: str, version: int | None = None, label: str | None = None) -> ModelVersion:
        """The version a request means: the one numbered or labelled, by default the latest.

        The latest is the highest number that is loaded. Version 0 means the latest too, unless
        there is a version 0: some clients always send a number.

        Args:
            name: of the model.
            version: its number; None or 0 for the latest.
            label: of a version, instead of its number; goes before it.

        Raises:
            NotFoundError: no such model, version or label.
        """
        model = self._model(name)
        if label:
            if label not in model.labels:
                known = ", ".join(sorted(model.labels)) or "none"
                raise NotFoundError(
                    f"expected a label of model {name!r} ({known}); received {label[:80]!r}"
                )
            version = model.labels[label]
        if version is None or (version == 0 and 0 not in model.versions):
            return model.versions[max(model.loaded or model.versions)]
        if version not in model.versions:
            numbers = ", ".join(map(str, sorted(model.versions)))
            raise NotFoundError(
                f"expected a version of model {name!r} ({numbers}); received {version}"
            )
        return model.versions[version]

    def _model(self, name: str) -> ServedModel:
        model = self._models.get(name)
        if model is None:
            raise NotFoundError(
                f"expected a model of {', '.join(self.names)}; received {name[:80]!r}"
            )
        return model

    def _read_config(self) -> dict[str, Any]:
        if not self._config_file.is_file():
            if self._must_have_config:
                raise InputError(f"expected a model config file; received {self._config_file}")
            return {}
        # What had a config once is not served without one while the file is being replaced.
        self._must_have_config = True
        config = model_server_config_pb2.ModelServerConfig()
        try:
            text_format.Parse(self._config_file.read_text(encoding="utf-8"), config)
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise InputError(
                f"expected a model_config_list in TensorFlow Serving's text format; received"
                f" {self._config_file}: {error}"
            ) from error
        configs = {model.name: model for model in config.model_config_list.config}
        if not configs:
            raise InputError(
                f"expected a model_config_list that names models; received {self._config_file},"
                " which names none"
            )
        return configs

    def _directories(self, configs: dict[str, Any]) -> dict[str, Path]:
        """Model name -> its directory of versions, of those that are served."""
        if version_directories(self.base_path):
            directories = {self.base_path.resolve().name: self.base_path}
        else:
            directories = {
                path.name: path
                for path in sorted(self.base_path.iterdir())
                if path.is_dir() and not path.name.startswith(".")
            }
        if configs:
            # A config written for a container names the container's own paths; its models are
            # then those of the same directory name here.
            named = {name: Path(config.base_path) for name, config in configs.items()}
            directories = {
                name: place
                if place.is_dir()
                else directories.get(place.name or name, self.base_path / (place.name or name))
                for name, place in named.items()
            }
        return {
            name: place
            for name, place in directories.items()
            if place.is_dir() and (self._selected is None or name in self._selected)
        }

    def _tell_if_missing(self, name: str, missing: bool) -> None:
        if missing and name not in self._missing:
            LOG.warning(
                "model=%r has no version in its directory now; what is loaded is served on", name
            )
        self._missing = self._missing | {name} if missing else self._missing - {name}


def _merged(before: ServedModel, on_disk: dict[int, Path], labels: dict[str, int]) -> ServedModel:
    """The versions of a directory as it is now, and what is still served of before."""
    versions, successors = {}, {}
    for number, path in on_disk.items():
        stamp = contents_stamp(path)
        same = [
            known
            for known in (before.versions.get(number), before.successors.get(number))
            if known is not None and (known.path, known.stamp) == (path, stamp)
        ]
        newest = same[0] if same else ModelVersion(path, number)
        served = before.versions.get(number)
        if served is not None and served is not newest and served.is_loaded:
            versions[number], successors[number] = served, newest
        else:
            versions[number] = newest
    if not any(version.is_loaded for version in versions.values()):
        versions = before.loaded | versions
    return ServedModel(versions, successors, labels)


def _with_loaded(model: ServedModel, version: ModelVersion) -> ServedModel:
    """`version`, which is loaded, in its place."""
    versions = model.versions | {version.number: version}
    successors = {n: found for n, found in model.successors.items() if n != version.number}
    return ServedModel(versions, successors, model.labels)


def _allowed(versions: dict[int, Path], policy: Any) -> dict[int, Path]:
    """The versions a model_version_policy keeps; without one, all."""
    if policy.HasField("specific"):
        return {
            number: versions[number] for number in policy.specific.versions if number in versions
        }
    if policy.HasField("latest"):
        newest = sorted(versions)[-max(policy.latest.num_versions, 1) :]
        return {number: versions[number] for number in newest}
    return versions
