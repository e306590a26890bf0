"""A trained model as a SavedModel: named signatures over stock TensorFlow operations.

The written graph needs neither Keras nor TensorFlow Probability nor this package to be loaded, by
`tf.saved_model.load`, by TensorFlow Serving or by the session loader.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, LETTER_MEANING, field_dtype
from aline_tf.errors import InputError
from aline_tf.models.presets import CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE, save_preset
from aline_tf.runtime.atomic_files import atomic_path
from aline_tf.serving.signatures import (
    DEFAULT_SIGNATURE,
    SERVING_DEFAULT,
    SIGNATURES,
    free_shape,
)
from aline_tf.spec import TaskSpec
from aline_tf.units.trained_range import trained_ranges

PRESET = "preset"
#: What an export writes; any other file of the directory (a model card, a log) is kept.
_EXPORTED = re.compile(
    r"saved_model\.pb|fingerprint\.pb|variables/variables\.(index|data-\d+-of-\d+)"
    rf"|{PRESET}/({'|'.join(map(re.escape, (CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE)))})"
)
#: Score of a candidate that may not be chosen: far below any logit, still finite.
NOT_ALLOWED = -1e9


class SignatureFunctions(tf.Module):
    """The signatures of one model, as functions from named tensors to a dict of named tensors.

    Only the variables are tracked, so that the SavedModel holds no Keras object.

    Args:
        model: an `ALINE` model, or anything with its `spec`, `variables`, call and summaries.
    """

    def __init__(self, model: Any):
        super().__init__()
        self._model = _Untracked(model)
        self.weights = [getattr(variable, "value", variable) for variable in model.variables]
        self._sizes = dict(model.spec.sizes)

    def signature(self, name: str) -> Any:
        """The concrete function of signature `name`, with free B, C, M and N."""
        specs = {
            field: tf.TensorSpec(free_shape(field, self._sizes), field_dtype(field), name=field)
            for field in SIGNATURES[name]
        }
        function = tf.function(getattr(self, name), autograph=False)
        return function.get_concrete_function(**specs)

    def predict(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Outcomes at the target designs."""
        outputs, batch = self._run(inputs)
        return self._outcomes(outputs, batch)

    def infer(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Posterior of every parameter."""
        outputs, _ = self._run(inputs)
        return self._parameters(outputs)

    def propose(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores over the candidates and the chosen index."""
        outputs, batch = self._run(inputs)
        return choice(outputs["candidate_logits"], batch["candidate_mask"])

    def step(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """All three from one pass."""
        outputs, batch = self._run(inputs)
        return (
            self._outcomes(outputs, batch)
            | self._parameters(outputs)
            | choice(outputs["candidate_logits"], batch["candidate_mask"])
        )

    def _run(self, inputs: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], dict]:
        with tf.control_dependencies(size_assertions(inputs)):
            inputs = {name: tf.identity(tensor) for name, tensor in inputs.items()}
        batch = self._completed(inputs)
        return self._model.target(batch), batch

    def _completed(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """A whole Batch: what the signature does not take is empty, so that it costs nothing."""
        sizes = {"B": tf.shape(inputs["context_design"])[0], "M": 0, "N": 0} | self._sizes
        for name, tensor in inputs.items():
            for axis, letter in enumerate(BATCH_FIELDS[name]):
                if letter in ("C", "M", "N"):
                    sizes[letter] = tf.shape(tensor)[axis]
        return {
            name: inputs[name]
            if name in inputs
            else tf.zeros([sizes[letter] for letter in letters], field_dtype(name))
            for name, letters in BATCH_FIELDS.items()
        }

    def _outcomes(self, outputs: dict, batch: dict) -> dict[str, tf.Tensor]:
        return dict(self._model.target.target_summary(outputs, batch))

    def _parameters(self, outputs: dict) -> dict[str, tf.Tensor]:
        summary = self._model.target.theta_summary(outputs)
        return {f"theta_{name}": tensor for name, tensor in summary.items()}


class _Untracked:
    """Holds an object where tf.Module's attribute tracking does not look."""

    def __init__(self, target: Any):
        self.target = target


def choice(logits: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """The policy over a masked pool, and its greedy choice.

    Args:
        logits: [B, N]; N may be 0.
        mask: [B, N] bool, False where a candidate may not be chosen.

    Returns:
        dict of scores [B, N], probabilities [B, N] (0 where masked), index [B] int32 (the allowed
        candidate of the highest score, -1 where there is none) and entropy [B] in nats.
    """
    scores = tf.where(mask, logits, tf.constant(NOT_ALLOWED, logits.dtype))
    log_probs = tf.nn.log_softmax(scores, axis=-1)
    probabilities = tf.where(mask, tf.exp(log_probs), tf.zeros_like(scores))
    # argmax refuses an empty pool: a last column that never wins keeps it defined.
    padded = tf.pad(scores, [[0, 0], [0, 1]], constant_values=10 * NOT_ALLOWED)
    best = tf.argmax(padded, axis=-1, output_type=tf.int32)
    return {
        "scores": scores,
        "probabilities": probabilities,
        "index": tf.where(tf.reduce_any(mask, axis=-1), best, -tf.ones_like(best)),
        "entropy": -tf.reduce_sum(tf.where(mask, probabilities * log_probs, 0.0), axis=-1),
    }


def size_assertions(inputs: dict[str, tf.Tensor]) -> list[tf.Operation]:
    """Operations that fail when inputs disagree about B, C, M or N.

    Without them a mask of one row would broadcast in silence over the rows of the others.
    """
    holders: dict[str, list[tuple[str, int]]] = {}
    for name in inputs:
        for axis, letter in enumerate(BATCH_FIELDS[name]):
            holders.setdefault(letter, []).append((name, axis))
    assertions = []
    for letter in ("B", "C", "M", "N"):
        group = holders.get(letter, ())
        if len(group) < 2:
            continue
        sizes = tf.stack([tf.shape(inputs[name])[axis] for name, axis in group])
        names = ", ".join(name for name, _ in group)
        message = f"expected one size {letter} ({LETTER_MEANING[letter]}) of {names}; received"
        assertions.append(
            tf.debugging.Assert(tf.reduce_all(sizes == sizes[0]), [message, sizes], summarize=16)
        )
    return assertions


def export_model(
    model: Any,
    directory: str | os.PathLike[str],
    *,
    preset: str | os.PathLike[str] | None = None,
    metadata: dict[str, Any] | None = None,
    force: bool = False,
) -> Path:
    """Write `model` as a SavedModel with the signatures predict, infer, propose and step.

    The directory appears whole or not at all. TensorFlow Serving expects it to be
    ``<base path>/<model name>/<version number>``.

    Args:
        model: an `ALINE` model whose weights exist.
        directory: where to write. Beside the SavedModel it holds `preset/`, from which the model
            can be loaded again and trained further.
        preset: directory of the preset the model was loaded from, to be copied; without it the
            preset is written from the model.
        metadata: metadata of a preset written from the model.
        force: replace an export that is there; every file that is not of an export is kept.

    Returns:
        The directory.

    Raises:
        InputError: the directory holds something and `force` is not set, or it holds something
            that is not an export.
    """
    directory = Path(directory)
    _check_place(directory, force)
    served = SignatureFunctions(model)
    functions = {name: served.signature(name) for name in SIGNATURES}
    functions[SERVING_DEFAULT] = functions[DEFAULT_SIGNATURE]
    with atomic_path(directory) as partial:
        tf.saved_model.save(served, str(partial), signatures=functions)
        if preset is not None:
            _copy_preset(Path(preset), partial / PRESET, model.spec)
        else:
            save_preset(model, partial / PRESET, metadata or {})
        _keep_foreign_files(directory, partial)
    return directory


def _copy_preset(source: Path, target: Path, spec: TaskSpec) -> None:
    """Copy the files of a preset, not the checkpoints and logs that may lie beside them."""
    target.mkdir()
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        shutil.copy2(source / name, target / name)
    if (source / METADATA_FILE).is_file():
        shutil.copy2(source / METADATA_FILE, target / METADATA_FILE)
        _add_ranges(target / METADATA_FILE, spec)


def _add_ranges(metadata: Path, spec: TaskSpec) -> None:
    """Says in the metadata of an older preset what designs and outcomes it was trained on."""
    try:
        stored = json.loads(metadata.read_text())
    except ValueError:
        return
    if "ranges" not in stored:
        metadata.write_text(json.dumps({**stored, "ranges": trained_ranges(spec)}, indent=1))


def _check_place(directory: Path, force: bool) -> None:
    """Refuses a place that may not be written to, or not be replaced."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise InputError(f"expected a directory to write to; received {directory}, a file")
    present = any(directory.iterdir())
    if present and not force:
        raise InputError(
            f"expected a directory that does not exist yet, or --force to replace an export;"
            f" received {directory}, which is not empty"
        )
    marks = ("saved_model.pb", f"{PRESET}/{CONFIG_FILE}")
    lacking = [mark for mark in marks if not (directory / mark).is_file()]
    if present and lacking:
        raise InputError(
            f"expected an earlier export to replace; received {directory}, which holds no"
            f" {' and no '.join(lacking)}"
        )


def _keep_foreign_files(source: Path, target: Path) -> None:
    """Copies what is not of an export, wherever it lies, so that replacing loses nothing."""
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            (target / place).mkdir(exist_ok=True)
        elif not _EXPORTED.fullmatch(place.as_posix()):
            shutil.copy2(path, target / place, follow_symlinks=False)
