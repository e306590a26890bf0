"""Tables of hyper-parameter evaluations, read from files in the HPO-B format. No TensorFlow.

    meta-train-dataset.json, meta-validation-dataset.json, meta-test-dataset.json (or .json.gz):
    {search space: {data set: {"X": [[...]], "y": [[...]]}}}, X in [0, 1]
    search-spaces.json (optional): {search space: [name of each column of X]}

Format: Pineda Arango et al., "HPO-B" (arXiv 2106.06257). The tables that ship were recorded by
`aline_tf.experiments.hyperparameters.table_recorder`.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import zlib
from pathlib import Path

import numpy as np

from aline_tf.errors import InputError

SHIPPED = Path(__file__).parent / "data" / "hpo"
SPLITS = ("train", "validation", "test")

#: Spread of the scores of a typical table, and how many initial points it weighs as much as.
TYPICAL_SPREAD = 0.1
TYPICAL_WEIGHT = 2.0

_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Landscape:
    """All evaluations on one data set: `design` [n, D] in [0, 1] and `score` [n], float32."""

    name: str
    design: np.ndarray
    score: np.ndarray

    @property
    def spread(self) -> float:
        """Standard deviation of the scores over the whole table."""
        return float(self.score.std())


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """One learner's hyper-parameters and what is recorded about them.

    Attributes:
        name: its id in the files.
        hyperparameters: D names.
        landscapes: by split ("train", "validation", "test"); no data set is in two splits.
    """

    name: str
    hyperparameters: tuple[str, ...]
    landscapes: dict[str, tuple[Landscape, ...]]


@dataclasses.dataclass(frozen=True)
class ScoreScale:
    """How scores are standardised: by the initial points, which is all that a user has.

    z = (score - loc) / scale. Few points say little about the spread, so it is shrunk towards
    that of a typical table. The model reads and predicts z:

        scale = ScoreScale.of(initial_scores)
        session.tell(configuration, scale.standardise(score))
        scale.score(session.predict(others)[0].mean)
    """

    loc: float
    scale: float

    @classmethod
    def of(cls, scores, typical: float = TYPICAL_SPREAD) -> ScoreScale:
        """The scale of an episode whose initial points have these scores [n].

            scale^2 = (w typical^2 + sum (score - loc)^2) / (w + n - 1),  w = TYPICAL_WEIGHT

        Raises:
            InputError: no scores, or one that is not finite.
        """
        scores = np.asarray(scores, float)
        if scores.ndim != 1 or not scores.size or not np.isfinite(scores).all():
            raise InputError(
                f"expected at least one finite initial score; received {scores.tolist()}"
            )
        loc = scores.mean()
        squares = TYPICAL_WEIGHT * typical**2 + np.square(scores - loc).sum()
        return cls(float(loc), float(np.sqrt(squares / (TYPICAL_WEIGHT + scores.size - 1))))

    def standardise(self, score):
        """Scores as the model sees them; any shape."""
        return (np.asarray(score) - self.loc) / self.scale

    def score(self, standardised):
        """Back again; any shape."""
        return self.loc + self.scale * np.asarray(standardised)


def read_tables(path: str | Path, space: str) -> tuple[Landscape, ...]:
    """The tables of one search space in one file, .json or .json.gz.

    Raises:
        InputError: not such a file, an unknown search space, arrays that do not fit together, a
            number that is not finite, or a configuration outside of [0, 1].
        OSError: the file cannot be read.
    """
    path = Path(path)
    content = path.read_bytes()
    try:
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        spaces = json.loads(text)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"expected JSON in {path}; received: {error}") from error
    if not isinstance(spaces, dict) or not all(isinstance(part, dict) for part in spaces.values()):
        raise InputError(
            f"expected {{search space: {{data set: table}}}} in {path}; received something else"
        )
    if space not in spaces:
        raise InputError(
            f"expected a search space of {', '.join(spaces)} in {path}; received {space!r}"
        )
    found = tuple(
        _landscape(f"{path}, {space}/{name}", name, table) for name, table in spaces[space].items()
    )
    if not found:
        raise InputError(f"expected a data set of search space {space} in {path}; received none")
    sizes = {landscape.design.shape[1] for landscape in found}
    if len(sizes) > 1:
        raise InputError(
            f"expected as many hyper-parameters on every data set of {space} in {path}; "
            f"received {sorted(sizes)}"
        )
    return found


def load_search_space(space: str, directory: str | Path | None = None) -> SearchSpace:
    """One search space of a directory of HPO-B files.

    Args:
        space: its id.
        directory: where the files are; None for the shipped ones.

    Raises:
        InputError: a file that is missing or malformed, splits that do not agree about the number
            of hyper-parameters, or a data set in two splits.
    """
    directory = SHIPPED if directory is None else Path(directory)
    landscapes = {split: read_tables(_split_file(directory, split), space) for split in SPLITS}
    sizes = {tables[0].design.shape[1] for tables in landscapes.values()}
    if len(sizes) > 1:
        raise InputError(
            f"expected as many hyper-parameters of {space} in every file of {directory}; "
            f"received {sorted(sizes)}"
        )
    owner: dict[str, str] = {}
    for split, tables in landscapes.items():
        for table in tables:
            if owner.setdefault(table.name, split) != split:
                raise InputError(
                    f"expected every data set in one split; received {table.name} in "
                    f"{owner[table.name]} and in {split} of {directory}"
                )
    return SearchSpace(space, _column_names(directory, space, sizes.pop()), landscapes)


def _split_file(directory: Path, split: str) -> Path:
    for suffix in (".json", ".json.gz"):
        path = directory / f"meta-{split}-dataset{suffix}"
        if path.exists():
            return path
    raise InputError(
        f"expected meta-{split}-dataset.json or .json.gz in {directory}; received no such file"
    )


def _landscape(where: str, name: str, table) -> Landscape:
    if not isinstance(table, dict) or not {"X", "y"} <= set(table):
        raise InputError(f'expected a table with "X" and "y" at {where}; received something else')
    try:
        design, score = np.array(table["X"], np.float32), np.array(table["y"], np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected rows of numbers at {where}; received: {error}") from error
    if design.ndim != 2 or 0 in design.shape:
        raise InputError(f"expected X of shape [n, D] at {where}; received {design.shape}")
    if score.shape not in ((len(design),), (len(design), 1)):
        raise InputError(
            f"expected y with one score for each of the {len(design)} rows of X at {where}; "
            f"received shape {score.shape}"
        )
    if not (np.isfinite(design).all() and np.isfinite(score).all()):
        raise InputError(f"expected finite numbers at {where}; received NaN or infinite ones")
    if design.min() < -_TOLERANCE or design.max() > 1.0 + _TOLERANCE:
        raise InputError(
            f"expected X in [0, 1] at {where}; received {design.min():g} to {design.max():g}"
        )
    return Landscape(name, design.clip(0.0, 1.0), score.reshape(-1))


def _column_names(directory: Path, space: str, count: int) -> tuple[str, ...]:
    path = directory / "search-spaces.json"
    if not path.exists():
        return tuple(f"x{j + 1}" for j in range(count))
    try:
        names = json.loads(path.read_text())[space]
        valid = len(names) == count and all(isinstance(name, str) for name in names)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise InputError(f"expected {count} names of {space} in {path}; received something else")
    return tuple(names)
