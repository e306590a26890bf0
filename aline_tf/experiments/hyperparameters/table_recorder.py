"""Records a small real meta-dataset of hyper-parameter evaluations, in the HPO-B format.

    aline-tf record-hpo --out aline_tf/tasks/data/hpo

Three learners of scikit-learn (the search spaces), each with the same random configurations on
every classification table, scored by the accuracy of 3-fold cross-validation. The tables come from
the data that scikit-learn bundles: one source gives several tables by other labels (one class
against the rest, a median split) and other columns (the measurements of one kind, the upper half
of a picture). Sources, not tables, are divided between training, validation and test, so that
nothing of a held-out source is ever met in training.

Written: meta-{train,validation,test}-dataset.json.gz, {search space: {data set: {"X": [[...]],
"y": [[...]]}}} with X in [0, 1], and search-spaces.json, which names the columns of X. An
interrupted recording goes on where it was. No TensorFlow.

Format: Pineda Arango et al., "HPO-B" (arXiv 2106.06257).
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from aline_tf.errors import InputError
from aline_tf.runtime.atomic_files import atomic_path

CONFIGURATIONS = 280
ROWS = 240
FOLDS = 3
SPLITS = {
    "train": ("digits", "diabetes", "photos"),
    "validation": ("iris",),
    "test": ("wine", "breast_cancer"),
}
_PATCH = 8


@dataclasses.dataclass(frozen=True)
class Table:
    """One classification problem: `features` [n, d], `labels` int [n]."""

    name: str
    features: np.ndarray
    labels: np.ndarray


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """A learner and its hyper-parameters.

    Attributes:
        hyperparameters: names of the columns of X.
        make: (one configuration in [0, 1]^D, seed) -> an estimator with fit and score.
    """

    hyperparameters: tuple[str, ...]
    make: Callable


def _log(unit: float, low: float, high: float) -> float:
    return float(low * (high / low) ** unit)


def _boosting(unit, seed):
    from sklearn.ensemble import GradientBoostingClassifier

    rate, trees, depth, leaf, rows, columns = unit
    return GradientBoostingClassifier(
        learning_rate=_log(rate, 0.003, 1.0),
        n_estimators=round(_log(trees, 2, 50)),
        max_depth=round(1 + 6 * depth),
        min_samples_leaf=round(_log(leaf, 1, 60)),
        subsample=0.2 + 0.8 * rows,
        max_features=max(columns, 0.05),
        random_state=seed,
    )


def _svm(unit, seed):
    from sklearn.svm import SVC

    penalty, gamma, polynomial, degree, shift = unit
    return SVC(
        C=_log(penalty, 1e-3, 1e3),
        gamma=_log(gamma, 1e-5, 1e1),
        kernel="poly" if polynomial > 0.5 else "rbf",
        degree=round(1 + 4 * degree),
        coef0=2.0 * shift,
        tol=1e-2,
        max_iter=3000,
        random_state=seed,
    )


def _elastic_net(unit, seed):
    from sklearn.linear_model import SGDClassifier

    penalty, ratio, rate, power, epochs = unit
    return SGDClassifier(
        loss="log_loss",
        penalty="elasticnet",
        alpha=_log(penalty, 1e-6, 1e1),
        l1_ratio=float(ratio),
        learning_rate="invscaling",
        eta0=_log(rate, 1e-4, 1e1),
        power_t=float(power),
        max_iter=round(_log(epochs, 1, 40)),
        tol=None,
        random_state=seed,
    )


SPACES = {
    "boosting": SearchSpace(
        ("log_learning_rate", "log_trees", "depth", "log_leaf", "row_share", "column_share"),
        _boosting,
    ),
    "svm": SearchSpace(("log_penalty", "log_gamma", "polynomial", "degree", "shift"), _svm),
    "elastic_net": SearchSpace(
        ("log_penalty", "l1_ratio", "log_rate", "rate_power", "log_epochs"), _elastic_net
    ),
}


def configurations(space: str, count: int, seed: int) -> np.ndarray:
    """`count` random configurations of a search space, [count, D] in [0, 1], 4 decimals.

    A hyper-parameter without effect (degree and shift of a radial kernel) is 0, as in HPO-B.
    """
    rng = np.random.default_rng([seed, list(SPACES).index(space)])
    unit = rng.random((count, len(SPACES[space].hyperparameters)))
    if space == "svm":
        unit[:, 2] = unit[:, 2] > 0.5
        unit[:, 3:] *= unit[:, 2:3]
    return np.round(unit, 4)


def bundled_tables(source: str, seed: int) -> Iterator[Table]:
    """The tables made of one of scikit-learn's bundled data sets, at most `ROWS` rows each."""
    for name, features, labels in _SOURCES[source]():
        rng = np.random.default_rng([seed, len(labels)])
        kept = np.sort(rng.permutation(len(labels))[:ROWS])
        yield Table(f"{source}-{name}", np.asarray(features, float)[kept], labels[kept])


def _digits():
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    yield "parity", pixels, digit % 2
    yield "high", pixels, (digit >= 5).astype(int)
    yield "prime", pixels, np.isin(digit, (2, 3, 5, 7)).astype(int)
    yield "loops", pixels, np.isin(digit, (0, 6, 8, 9)).astype(int)
    yield "eight", pixels, (digit == 8).astype(int)
    yield "thirds", pixels, np.minimum(digit // 3, 2)
    yield "parity-upper", pixels[:, :32], digit % 2
    yield "high-lower", pixels[:, 32:], (digit >= 5).astype(int)
    yield "loops-middle", pixels[:, 16:48], np.isin(digit, (0, 6, 8, 9)).astype(int)


def _diabetes():
    from sklearn.datasets import load_diabetes

    measured, progression = load_diabetes(return_X_y=True)
    for name, columns in (("all", slice(None)), ("body", slice(4)), ("serum", slice(4, None))):
        above = progression > np.median(progression)
        yield f"median-{name}", measured[:, columns], above.astype(int)
    yield "upper", measured, (progression > np.quantile(progression, 0.75)).astype(int)
    yield "lower-body", measured[:, :4], (progression < np.quantile(progression, 0.3)).astype(int)
    yield "sex", np.delete(measured, 1, axis=1), (measured[:, 1] > 0).astype(int)


def _photos():
    from sklearn.datasets import load_sample_images

    features, place = [], []
    for picture, image in enumerate(load_sample_images().images):
        height, width = (size // _PATCH for size in image.shape[:2])
        cut = image[: height * _PATCH, : width * _PATCH] / 255.0
        cut = cut.reshape(height, _PATCH, width, _PATCH, 3).swapaxes(1, 2)
        patches = cut.reshape(-1, _PATCH * _PATCH, 3)
        colours = np.concatenate([patches.mean(1), patches.std(1)], axis=1)
        texture = patches.mean(-1)[:, ::7] - patches.mean((1, 2))[:, None]
        features.append(np.concatenate([colours, texture], axis=1))
        row, column = np.divmod(np.arange(len(patches)), width)
        place.append(np.stack([np.full(len(row), picture), row * 2 // height, column * 2 // width]))
    features, (picture, low, right) = np.concatenate(features), np.concatenate(place, axis=1)
    yield "picture", features, picture
    yield "picture-texture", features[:, 3:], picture
    yield "low-first", features[picture == 0], low[picture == 0]
    yield "low-second", features[picture == 1], low[picture == 1]
    yield "right-second", features[picture == 1][:, :6], right[picture == 1]
    yield "quadrants", features, 2 * picture + low


def _iris():
    from sklearn.datasets import load_iris

    flower, kind = load_iris(return_X_y=True)
    yield "kinds", flower, kind
    yield "kinds-sepal", flower[:, :2], kind
    yield "versicolor", flower, (kind == 1).astype(int)


def _wine():
    from sklearn.datasets import load_wine

    measured, grower = load_wine(return_X_y=True)
    yield "growers", measured, grower
    yield "growers-acids", measured[:, 1:5], grower
    yield "second", measured[:, 5:], (grower == 1).astype(int)
    yield "third-acids", measured[:, :5], (grower == 2).astype(int)


def _breast_cancer():
    from sklearn.datasets import load_breast_cancer

    measured, benign = load_breast_cancer(return_X_y=True)
    yield "all", measured, benign
    yield "errors", measured[:, 10:20], benign
    yield "texture", measured[:, [1, 4, 8, 9]], benign
    yield "large", measured[:, 4:10], (measured[:, 3] > np.median(measured[:, 3])).astype(int)


_SOURCES = {
    "digits": _digits,
    "diabetes": _diabetes,
    "photos": _photos,
    "iris": _iris,
    "wine": _wine,
    "breast_cancer": _breast_cancer,
}


def cross_validated(table: Table, space: str, unit: np.ndarray, seed: int) -> list[float]:
    """Accuracy of `FOLDS`-fold cross-validation of each configuration [n, D], 4 decimals."""
    from sklearn.model_selection import StratifiedKFold

    folds = []
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in splits.split(table.features, table.labels):
        centre = table.features[train].mean(0)
        spread = table.features[train].std(0) + 1e-9
        scaled = (table.features - centre) / spread
        folds.append((scaled[train], table.labels[train], scaled[test], table.labels[test]))
    scores = []
    for configuration in unit:
        correct = 0
        for train, labels, test, truth in folds:
            model = SPACES[space].make(configuration, seed).fit(train, labels)
            correct += int((model.predict(test) == truth).sum())
        scores.append(round(correct / len(table.labels), 4))
    return scores


def record(
    out: Path,
    spaces: Sequence[str] = tuple(SPACES),
    count: int = CONFIGURATIONS,
    seed: int = 0,
    splits: dict[str, tuple[str, ...]] = SPLITS,
    report: Callable[[str], None] = print,
) -> None:
    """Writes the meta-dataset; what an interrupted call had measured is kept and reused.

    Args:
        out: directory.
        spaces: search spaces to record.
        count: configurations of each.
        seed: of configurations, rows, folds and learners.
        splits: sources of each split.
        report: called with a line for each finished table.

    Raises:
        InputError: no configuration, or a negative seed.
    """
    if count < 1 or seed < 0:
        raise InputError(
            "expected at least 1 configuration and a seed of 0 or more; received "
            f"--configurations {count} --seed {seed}"
        )
    out = Path(out)
    checkpoint = out / "recording.json"
    setting = [list(spaces), count, seed, ROWS, FOLDS, {k: list(v) for k, v in splits.items()}]
    done = json.loads(checkpoint.read_text()) if checkpoint.exists() else {}
    if done.get("setting") != setting:
        done = {"setting": setting, "scores": {}}
    for source in (source for sources in splits.values() for source in sources):
        for table in bundled_tables(source, seed):
            for space in spaces:
                key = f"{space}/{table.name}"
                if key in done["scores"]:
                    continue
                started = time.process_time()
                unit = configurations(space, count, seed)
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    # Configurations that do not converge are part of the landscape.
                    warnings.simplefilter("ignore")
                    done["scores"][key] = cross_validated(table, space, unit, seed)
                with atomic_path(checkpoint) as partial:
                    partial.write_text(json.dumps(done))
                report(f"{key}: {time.process_time() - started:.1f} CPU s")
    for split, sources in splits.items():
        _write_split(out, split, sources, spaces, count, seed, done["scores"])
    with atomic_path(out / "search-spaces.json") as partial:
        names = {space: list(SPACES[space].hyperparameters) for space in spaces}
        partial.write_text(json.dumps(names, indent=1) + "\n")
    checkpoint.unlink(missing_ok=True)


def _write_split(out, split, sources, spaces, count, seed, scores):
    content = {}
    for space in spaces:
        unit = configurations(space, count, seed).tolist()
        content[space] = {
            key.split("/", 1)[1]: {"X": unit, "y": [[score] for score in values]}
            for key, values in scores.items()
            if key.startswith(f"{space}/") and key.split("/", 1)[1].split("-")[0] in sources
        }
    text = json.dumps(content, separators=(",", ":"))
    with atomic_path(out / f"meta-{split}-dataset.json.gz") as partial:
        # Without a time stamp: the same measurements give the same bytes.
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))
