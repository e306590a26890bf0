"""The models of a directory: which exist, in which versions, and the one a request means.

Layout, as TensorFlow Serving has it: ``<base path>/<model name>/<version number>/saved_model.pb``.
A `models.config` in the base path (TensorFlow Serving's text format) may add labels, limit the
versions of a model, or place it elsewhere.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.config import model_server_config_pb2

from aline_tf.errors import InputError
from aline_tf.serving.limits import Limits

LOG = logging.getLogger(__name__)
CONFIG_FILE = "models.config"
SAVED_MODEL = "saved_model.pb"


class NotFoundError(LookupError):
    """No such model, version or label; the message says which there are.

    Example:
        >>> import pathlib, tempfile
        >>> from aline_tf.serving import ModelRepository, NotFoundError
        >>> with tempfile.TemporaryDirectory() as base:
        ...     version = pathlib.Path(base, "mine", "1")
        ...     version.mkdir(parents=True)
        ...     (version / "saved_model.pb").touch()
        ...     try:
        ...         ModelRepository(base).find("yours")
        ...     except NotFoundError as error:
        ...         print(error)
        expected a model of mine; received 'yours'
    """


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    """A SavedModel in memory.

    Attributes:
        functions: signature name -> function of named tensors.
        definitions: signature name -> SignatureDef.
        owner: keeps the variables alive.
        limits: of a request's sizes, where the export has some.
    """

    functions: dict[str, Any]
    definitions: dict[str, Any]
    owner: Any
    limits: Limits | None = None

    def warm_up(self) -> None:
        """Run every signature once on a row of zeros.

        TensorFlow optimises a graph when it first runs, which takes seconds: better before the
        first request than during it.
        """
        for name, function in self.functions.items():
            inputs = {
                key: tf.zeros([max(dim.size, 1) for dim in info.tensor_shape.dim], info.dtype)
                for key, info in self.definitions[name].inputs.items()
            }
            try:
                function(**inputs)
            except tf.errors.OpError:
                # A model may refuse zeros; a request will tell whether anything is wrong.
                LOG.info("signature %s was not warmed up: it refuses zeros", name)


class ModelVersion:
    """One version directory; loaded when first asked for, and then once.

    Attributes:
        error: why it cannot be loaded, or None.
    """

    def __init__(self, path: Path, number: int):
        self.path, self.number = path, number
        self.stamp = _stamp(path)
        self.error: str | None = None
        self._loaded: LoadedModel | None = None
        self._lock = threading.Lock()

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    def load(self) -> LoadedModel:
        """The model in memory.

        Raises:
            NotFoundError: it cannot be loaded.
        """
        with self._lock:
            if self._loaded is None and self.error is None:
                try:
                    self._loaded = _load(self.path)
                except Exception as error:  # whatever a broken file makes TensorFlow raise
                    LOG.exception("cannot load %s", self.path)
                    self.error = f"{type(error).__name__} while loading"
            if self._loaded is None:
                raise NotFoundError(
                    f"expected a SavedModel that loads; version {self.number} of"
                    f" {self.path.parent.name!r} does not: {self.error}"
                )
            return self._loaded


@dataclasses.dataclass(frozen=True)
class ServedVersions:
    """The versions of one model, and its labels (label -> version number)."""

    versions: dict[int, ModelVersion]
    labels: dict[str, int]


class ModelRepository:
    """The models under a base path, re-read by `refresh`.

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
        ...     ModelRepository(base).names  # nothing is loaded before it is asked for
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
        self._models: dict[str, ServedVersions] = {}
        self._refreshing = threading.Lock()
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

    def refresh(self, prepare: Callable[[ModelVersion], None] | None = None) -> None:
        """Read the directory again; versions that did not change stay loaded.

        Args:
            prepare: called with each latest version that is new, before any request can mean it.
        """
        with self._refreshing:
            configs = self._read_config()
            found: dict[str, ServedVersions] = {}
            for name, place in self._directories(configs).items():
                if self._selected is not None and name not in self._selected:
                    continue
                config = configs.get(name)
                versions = self._versions(name, place)
                if config is not None:
                    versions = _allowed(versions, config.model_version_policy)
                if versions:
                    labels = dict(config.version_labels) if config is not None else {}
                    found[name] = ServedVersions(versions, labels)
                    newest = versions[max(versions)]
                    if prepare is not None and not newest.is_loaded and newest.error is None:
                        prepare(newest)
            self._models = found

    def versions(self, name: str) -> dict[int, ModelVersion]:
        """Version number -> version, of one model.

        Raises:
            NotFoundError: no such model.
        """
        return dict(self._model(name).versions)

    def find(self, name: str, version: int | None = None, label: str | None = None) -> ModelVersion:
        """The version a request means: the one numbered or labelled, by default the latest.

        A latest version that cannot be loaded is passed over for the one before it. Version 0
        means the latest too, unless there is a version 0: some clients always send a number.

        Args:
            name: of the model.
            version: its number; None or 0 for the latest.
            label: of a version, instead of its number; goes before it.

        Raises:
            NotFoundError: no such model, version or label.
        """
        model = self._model(name)
        numbers = sorted(model.versions)
        if label:
            if label not in model.labels:
                known = ", ".join(sorted(model.labels)) or "none"
                raise NotFoundError(
                    f"expected a label of model {name!r} ({known}); received {label[:80]!r}"
                )
            version = model.labels[label]
        if version is None or (version == 0 and 0 not in model.versions):
            return self._latest(model)
        if version not in model.versions:
            raise NotFoundError(
                f"expected a version of model {name!r} ({', '.join(map(str, numbers))}); received"
                f" {version}"
            )
        return model.versions[version]

    def _latest(self, model: ServedVersions) -> ModelVersion:
        newest_first = [model.versions[number] for number in sorted(model.versions, reverse=True)]
        for version in newest_first:
            try:
                version.load()
            except NotFoundError:
                continue
            return version
        return newest_first[0]

    def _model(self, name: str) -> ServedVersions:
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
        config = model_server_config_pb2.ModelServerConfig()
        try:
            text_format.Parse(self._config_file.read_text(encoding="utf-8"), config)
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise InputError(
                f"expected a model_config_list in TensorFlow Serving's text format; received"
                f" {self._config_file}: {error}"
            ) from error
        return {model.name: model for model in config.model_config_list.config}

    def _directories(self, configs: dict[str, Any]) -> dict[str, Path]:
        """Model name -> its directory of versions."""
        if _version_directories(self.base_path):
            return {self.base_path.resolve().name: self.base_path}
        directories = {
            path.name: path
            for path in sorted(self.base_path.iterdir())
            if path.is_dir() and not path.name.startswith(".")
        }
        for name, config in configs.items():
            place = Path(config.base_path)
            # A config written for a container names the container's own paths; its models are
            # then those of the same directory name here.
            directories[name] = place if place.is_dir() else self.base_path / (place.name or name)
        return {name: place for name, place in directories.items() if place.is_dir()}

    def _versions(self, name: str, place: Path) -> dict[int, ModelVersion]:
        before = self._models[name].versions if name in self._models else {}
        versions = {}
        for number, path in _version_directories(place).items():
            known = before.get(number)
            unchanged = known is not None and known.path == path and known.stamp == _stamp(path)
            versions[number] = known if unchanged else ModelVersion(path, number)
        return versions


def _version_directories(place: Path) -> dict[int, Path]:
    return {
        int(path.name): path
        for path in place.iterdir()
        if path.name.isascii() and path.name.isdigit() and (path / SAVED_MODEL).is_file()
    }


def _allowed(versions: dict[int, ModelVersion], policy: Any) -> dict[int, ModelVersion]:
    """The versions a model_version_policy keeps; without one, all."""
    if policy.HasField("specific"):
        return {
            number: versions[number] for number in policy.specific.versions if number in versions
        }
    if policy.HasField("latest"):
        newest = sorted(versions)[-max(policy.latest.num_versions, 1) :]
        return {number: versions[number] for number in newest}
    return versions


def _stamp(path: Path) -> tuple[int, int]:
    """Changes when the version is written anew."""
    try:
        status = (path / SAVED_MODEL).stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def _load(path: Path) -> LoadedModel:
    stored = saved_model_pb2.SavedModel()
    stored.ParseFromString((path / SAVED_MODEL).read_bytes())
    graph = next(graph for graph in stored.meta_graphs if "serve" in graph.meta_info_def.tags)
    owner = tf.saved_model.load(str(path), tags=["serve"])
    functions = dict(owner.signatures)
    return LoadedModel(
        functions=functions,
        definitions={name: graph.signature_def[name] for name in functions},
        owner=owner,
        limits=Limits.of_export(path),
    )
