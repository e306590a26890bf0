"""Hyper-parameter landscapes: which configuration to try next, from tables of past evaluations.

    episode: a data set; 5 to 10 random configurations already tried; a pool of others; the scores
    of 100 more configurations are what is wanted

There is no simulator and no parameter, only recorded tables: every outcome is looked up. Scores
are standardised by the initial points of the episode (`ScoreScale`), which is all that a user has:
neither the level nor the spread of a data set is told.

A handful of tables would be learned by heart, so an episode of training shows a landscape that is
made of them, each time another: a convex mixture of tables, blended with a function from a
Gaussian process over the hyper-parameters, bent by a monotone curve. A share is shown as recorded.
Source: ALINE (arXiv 2506.07259), hyper-parameter optimisation; HPO-B (arXiv 2106.06257).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.errors import InputError
from aline_tf.spec import Channel, TaskSpec
from aline_tf.tasks.gp import KERNELS, covariance
from aline_tf.tasks.hpo_tables import (
    TYPICAL_SPREAD,
    TYPICAL_WEIGHT,
    Landscape,
    load_search_space,
)
from aline_tf.tasks.task import Task

DEFAULT_SPACE = "svm"
HORIZON = 30
INITIAL = (5, 10)
#: Fewer configurations than this leave no episode: initial points, pool and targets.
LEAST = INITIAL[1] + 2 * HORIZON
#: Share of training episodes shown as recorded, and made of a Gaussian process alone.
RECORDED, INVENTED = 0.1, 0.3
#: Range of the lengthscales of invented functions, log-uniform, in units of the unit cube.
LENGTHSCALE = (0.15, 3.0)
#: Standard deviations of the bend of a landscape and of the log of its spread.
BEND, SPREAD_CHANGE = 0.25, 0.4
_JITTER = 1e-3
_MIXED = 3


class _Tables(NamedTuple):
    """R tables as constants; `design` and `score` are padded to the longest.

    Attributes:
        design: [R, n, D].
        score: [R, n], standardised over each table.
        spread: [R], what a unit of `score` is.
        count: int32 [R].
        aligned: whether all tables have the same configurations, so that scores can be mixed.
    """

    design: tf.Tensor
    score: tf.Tensor
    spread: tf.Tensor
    count: tf.Tensor
    aligned: bool


class HPO(Task):
    """One search space.

    Args:
        space: its id; or `DIRECTORY/ID` for files of one's own in the HPO-B format.
        predictions: M, configurations whose scores are wanted.
        typical_spread: of the scores of a table, see `ScoreScale`.
        limit: configurations kept of a table that has more of them (HPO-B has tens of thousands).

    Raises:
        InputError: malformed files, or no table with at least `LEAST` configurations.
        ValueError: a number out of its range.

    Example:
        >>> from aline_tf.tasks import HPO
        >>> task = HPO("svm")
        >>> task.spec.sizes["D"], sorted(task.landscapes)
        (5, ['test', 'train', 'validation'])
    """

    def __init__(
        self,
        space: str = DEFAULT_SPACE,
        predictions: int = 100,
        typical_spread: float = TYPICAL_SPREAD,
        limit: int = 2000,
    ):
        if predictions < 1 or not typical_spread > 0 or limit < LEAST:
            raise ValueError(
                f"Expected predictions >= 1, typical_spread > 0 and limit >= {LEAST}. Received: "
                f"predictions={predictions}, typical_spread={typical_spread}, limit={limit}"
            )
        path = Path(space)
        name, directory = path.name, path.parent if "/" in space else None
        self.space = load_search_space(name, directory)
        self.predictions = predictions
        self.typical_spread = typical_spread
        self.landscapes = {
            split: tuple(_shortened(t, limit) for t in tables if _is_usable(t))
            for split, tables in self.space.landscapes.items()
        }
        for split in ("train", "test"):
            if not self.landscapes[split]:
                raise InputError(
                    f"expected a {split} data set of search space {name} with at least {LEAST} "
                    "configurations that do not all score alike; received none"
                )
        self._tables = {split: _stacked(found) for split, found in self.landscapes.items() if found}
        dims = len(self.space.hyperparameters)
        score = Channel("score", description="standardised by the initial points: see ScoreScale")
        self.spec = TaskSpec(
            name="hpo" if (directory, name) == (None, DEFAULT_SPACE) else f"hpo:{name}",
            design_names=self.space.hyperparameters,
            design_low=(0.0,) * dims,
            design_high=(1.0,) * dims,
            fields=(score,),
            outcomes=(score,),
            parameters=(),
            horizon=HORIZON,
        )

    def sample_theta(self, seed, batch):
        """A landscape has no parameters: [B, 0]."""
        return tf.zeros([batch, 0])

    def sample_designs(self, seed, batch, count):
        """Configurations of the training tables, with repetition: [B, N, D]."""
        tables = self._tables["train"]
        row_seed, place_seed = draws.split(seed, 2)
        row = _index(row_seed, [batch], len(tables.count))
        place = draws.uniform(place_seed, [batch, count])
        place *= tf.cast(tf.gather(tables.count, row), tf.float32)[:, None]
        return tf.gather(tf.gather(tables.design, row), tf.cast(place, tf.int32), batch_dims=1)

    def simulate(self, theta, design, seed):
        """Not to be had: outcomes are looked up in tables.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Recorded landscapes have no simulator: use sample_episodes.")

    def sample_episodes(self, seed, batch, candidates):
        """Training episodes, from the training tables alone (see the module), with
        C = 10 initial points, of which 5 to 10 are shown."""
        row_seed, place_seed, change_seed = draws.split(seed, 3)
        tables = self._tables["train"]
        row = _index(row_seed, [batch], len(tables.count))
        place, design = self._places(tables, row, place_seed, candidates)
        score, spread = _changed(tables, row, place, design, change_seed)
        return self._episode(score, spread, place, design, tables, row, place_seed, candidates)[0]

    def recorded_episodes(self, seed, split: str, row, candidates: int) -> tuple[dict, tf.Tensor]:
        """Episodes on given tables, as recorded; another pool size leaves the initial points and
        the targets as they are, where the table is large enough.

        Args:
            seed: int32 [2]; of the initial points, the pool and the targets.
            split: "train", "validation" or "test".
            row: int32 [B], indices into `landscapes[split]`.
            candidates: N.

        Returns:
            the Episode, and what a unit of its outcomes is in scores: [B].
        """
        tables, row = self._tables[split], tf.convert_to_tensor(row, tf.int32)
        place, design = self._places(tables, row, seed, candidates)
        score = tf.gather(tf.gather(tables.score, row), place, batch_dims=1)
        spread = tf.gather(tables.spread, row)
        return self._episode(score, spread, place, design, tables, row, seed, candidates)

    def _places(self, tables, row, seed, candidates):
        """A random order of each row's configurations, as far as an episode needs: indices and
        designs of [B, C + M + N] places, of which the first `count` are real."""
        size = INITIAL[1] + self.predictions + candidates
        longest = tables.score.shape[1]
        key = draws.uniform(draws.fold_in(seed, 1), [row.shape[0], longest])
        real = tf.range(longest)[None] < tf.gather(tables.count, row)[:, None]
        order = tf.math.top_k(tf.where(real, key, -1.0), min(size, longest)).indices
        order = tf.pad(order, [[0, 0], [0, size - order.shape[1]]])
        return order, tf.gather(tf.gather(tables.design, row), order, batch_dims=1)

    def _episode(self, score, spread, place, design, tables, row, seed, candidates):
        """Initial points first, then targets, then the pool; what a table has not is masked."""
        batch, initial = row.shape[0], INITIAL[1]
        count = tf.gather(tables.count, row)[:, None]
        drawn = draws.uniform(draws.fold_in(seed, 2), [batch, 1], INITIAL[0], INITIAL[1] + 1)
        shown = tf.range(initial)[None] < tf.cast(drawn, tf.int32)
        # A short table is divided evenly between targets and pool.
        wanted = tf.minimum(self.predictions, (count - initial) // 2)
        asked = tf.range(self.predictions)[None] < wanted
        offered = tf.range(candidates)[None] < count - initial - wanted
        score *= spread[:, None]
        loc, scale = self._scale(score[:, :initial], shown)
        outcome = (score - loc) / scale

        def cut(array, first, size):
            at = tf.minimum(first + tf.range(size)[None], array.shape[1] - 1)
            return tf.gather(array, tf.broadcast_to(at, [batch, size]), batch_dims=1)

        def clean(array, mask):
            return tf.where(mask[..., None] if array.shape.rank == 3 else mask, array, 0.0)

        pool = initial + wanted
        episode = {
            "context_design": clean(design[:, :initial], shown),
            "context_outcome": clean(outcome[:, :initial], shown)[..., None],
            "context_status": tf.where(shown, OBSERVED, MISSING)[..., None],
            "context_mask": shown,
            "known_theta": tf.zeros([batch, 0]),
            "known_mask": tf.zeros([batch, 0], tf.bool),
            "theta_mask": tf.zeros([batch, 0], tf.bool),
            "target_design": clean(cut(design, initial, self.predictions), asked),
            "target_mask": asked,
            "candidate_design": clean(cut(design, pool, candidates), offered),
            "candidate_mask": offered,
            "theta": tf.zeros([batch, 0]),
            "theta_observed": tf.zeros([batch, 0], tf.bool),
            "target_outcome": clean(cut(outcome, initial, self.predictions), asked),
            "target_observed": asked,
            "candidate_outcome": clean(cut(outcome, pool, candidates), offered)[..., None],
            "candidate_status": tf.fill([batch, candidates, 1], OBSERVED),
            "candidate_cost": tf.ones([batch, candidates]),
        }
        return episode, scale[:, 0]

    def _scale(self, initial, shown):
        """loc and scale of the initial scores [B, C], as `ScoreScale` has them: two [B, 1].

        Args:
            shown: bool [B, C].
        """
        weight = tf.cast(shown, tf.float32)
        count = tf.reduce_sum(weight, axis=1, keepdims=True)
        loc = tf.reduce_sum(weight * initial, axis=1, keepdims=True) / count
        squares = tf.reduce_sum(weight * tf.square(initial - loc), axis=1, keepdims=True)
        squares += TYPICAL_WEIGHT * self.typical_spread**2
        return loc, tf.sqrt(squares / (TYPICAL_WEIGHT + count - 1.0))


def _changed(tables, row, place, design, seed):
    """Landscapes of training: scores [B, S] in units of spreads [B], made of the tables."""
    kind_seed, mix_seed, blend_seed, invent_seed, bend_seed, spread_seed = draws.split(seed, 6)
    batch = row.shape[0]
    kind = draws.uniform(kind_seed, [batch, 1])
    as_recorded, invented = kind < RECORDED, kind > 1.0 - INVENTED
    recorded = tf.gather(tf.gather(tables.score, row), place, batch_dims=1)
    spread = tf.gather(tables.spread, row)

    mixed = recorded
    if tables.aligned:
        mixed = _standard(_mixture(tables, row, place, mix_seed))
    function = _standard(invented_functions(design, invent_seed))
    # The share of the invented function's variance; for half of the rows none.
    share = tf.maximum(draws.uniform(blend_seed, [batch, 1], -1.0, 1.0), 0.0)
    share = tf.where(invented, 1.0, share)
    made = tf.sqrt(1.0 - share) * mixed + tf.sqrt(share) * function
    made = _standard(bent(made, draws.normal(bend_seed, [batch, 1], 0.0, BEND)))
    changed = spread * tf.exp(draws.normal(spread_seed, [batch], 0.0, SPREAD_CHANGE))
    return (
        tf.where(as_recorded, recorded, made),
        tf.where(as_recorded[:, 0], spread, changed),
    )


def _mixture(tables, row, place, seed):
    """Convex mixtures of up to `_MIXED` tables, each row's own among them: [B, S]."""
    other_seed, weight_seed = draws.split(seed, 2)
    batch = row.shape[0]
    others = _index(other_seed, [batch, _MIXED - 1], len(tables.count))
    # Exponentials of a wide spread: sometimes one table stands out, sometimes all are alike.
    weight = tf.nn.softmax(draws.normal(weight_seed, [batch, _MIXED], 0.0, 1.5))
    chosen = tf.gather(tables.score, tf.concat([row[:, None], others], axis=1))
    return tf.gather(tf.einsum("br,brn->bn", weight, chosen), place, batch_dims=1)


def invented_functions(design, seed) -> tf.Tensor:
    """Functions of a Gaussian process at designs [B, S, D] of the unit cube: [B, S].

    Each row has its own kernel and, for each hyper-parameter, its own lengthscale: from decisive
    to without effect; measured with noise of variance up to a tenth.
    """
    kernel_seed, length_seed, noise_seed, value_seed = draws.split(seed, 4)
    batch, count, dims = design.shape
    low, high = (math.log(bound) for bound in LENGTHSCALE)
    length = tf.exp(draws.uniform(length_seed, [batch, dims], low, high))
    kernel = draws.categorical(kernel_seed, tf.zeros([batch, len(KERNELS)]))
    noise = draws.uniform(noise_seed, [batch, 1, 1], 0.0, 0.1) + _JITTER
    matrix = covariance(design, tf.ones([batch]), length, kernel) + noise * tf.eye(count)
    return (tf.linalg.cholesky(matrix) @ draws.normal(value_seed, [batch, count, 1]))[..., 0]


def bent(score, bend) -> tf.Tensor:
    """A monotone curve through 0 with slope 1 there: (exp(bend score) - 1) / bend.

    Args:
        score: [B, S], standardised.
        bend: [B, 1]; negative: good scores crowd at a ceiling; 0 changes nothing.
    """
    safe = tf.where(tf.abs(bend) < 1e-3, 1e-3, bend)
    score = tf.clip_by_value(score, -6.0, 6.0)
    return tf.where(tf.abs(bend) < 1e-3, score, tf.math.expm1(safe * score) / safe)


def _standard(score):
    """Mean 0 and standard deviation 1 over each row of [B, S]."""
    # The offset stands outside of the root: variance + epsilon would be taken by TensorFlow's
    # graph rewriting for an instance normalisation of pictures.
    deviation = tf.math.reduce_std(score, axis=1, keepdims=True) + 1e-6
    return (score - tf.reduce_mean(score, axis=1, keepdims=True)) / deviation


def _index(seed, shape, count):
    """Uniform int32 indices below `count`."""
    return tf.minimum(tf.cast(draws.uniform(seed, shape) * count, tf.int32), count - 1)


def _is_usable(table: Landscape) -> bool:
    return len(table.score) >= LEAST and table.spread > 1e-6


def _shortened(table: Landscape, limit: int) -> Landscape:
    """At most `limit` configurations, evenly spaced over the table's own order."""
    if len(table.score) <= limit:
        return table
    kept = np.linspace(0, len(table.score) - 1, limit).astype(int)
    return Landscape(table.name, table.design[kept], table.score[kept])


def _stacked(landscapes: tuple[Landscape, ...]) -> _Tables:
    count = np.array([len(table.score) for table in landscapes], np.int32)
    rows, dims = len(landscapes), landscapes[0].design.shape[1]
    design = np.zeros((rows, count.max(), dims), np.float32)
    score = np.zeros((rows, count.max()), np.float32)
    for r, table in enumerate(landscapes):
        design[r, : count[r]] = table.design
        score[r, : count[r]] = (table.score - table.score.mean()) / table.spread
    first = landscapes[0].design
    aligned = all(np.array_equal(first, table.design) for table in landscapes)
    spread = np.array([table.spread for table in landscapes], np.float32)
    return _Tables(*(tf.constant(a) for a in (design, score, spread, count)), aligned)
