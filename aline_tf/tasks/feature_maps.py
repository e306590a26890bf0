"""Fixed maps of designs and outcomes that a task wants its network to see beside the raw values.

A map is found by a name, so that a task's description stays plain data; it has no weights.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

#: Modules by name; each has `design_features`, `outcome_features` and their two sizes.
FEATURE_MAPS = {"ces": "aline_tf.tasks.ces_features"}
#: Modules by name; each has `history_features` and `HISTORY_FEATURES`.
HISTORY_MAPS = {"migraine": "aline_tf.migraine.task.day_features"}


class FeatureMap(NamedTuple):
    """Pure functions of tensors in natural units, and how many features they give.

    Attributes:
        design: designs [..., D] -> [..., design_size].
        outcome: outcomes [..., F], all fields observed -> [..., outcome_size].
    """

    design: Callable
    design_size: int
    outcome: Callable
    outcome_size: int


def feature_map(name: str) -> FeatureMap | None:
    """The map of that name; None where there is none."""
    if name not in FEATURE_MAPS:
        return None
    module = importlib.import_module(FEATURE_MAPS[name])
    return FeatureMap(
        module.design_features,
        module.DESIGN_FEATURES,
        module.outcome_features,
        module.OUTCOME_FEATURES,
    )


class HistoryMap(NamedTuple):
    """A pure function of a whole context that is a history of days.

    Attributes:
        days: (design, outcome, status, mask) of the context -> features [B, L, size] of the last L
            days, the latest first; known bool [B, L]; place int32 [B, C], each token's day.
        size: H.
    """

    days: Callable
    size: int


def history_map(name: str) -> HistoryMap | None:
    """The map of that name; None where there is none."""
    if name not in HISTORY_MAPS:
        return None
    module = importlib.import_module(HISTORY_MAPS[name])
    return HistoryMap(module.history_features, module.HISTORY_FEATURES)
