"""Simulated people as tables (pandas frames), for notebooks, baselines and looking at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import FIELD_NAMES, SLOTS
from aline_tf.migraine.schema.parameters import PARAMETERS


def people_table(world: dict, observed_only: bool = True) -> pd.DataFrame:
    """One row a person and day.

    Args:
        world: from `aline_tf.migraine.simulation.simulator.simulate_people`.
        observed_only: leave a field empty (NaN) where an attempt to obtain it failed; otherwise
            give every field its value, as if everything were known.

    Returns:
        frame of B * days rows: person, day, weekday, female, cycling; the F fields of a day;
        true_attack_0..3 and true_phase_0..3 (0 interictal, 1 prodrome, 2 attack, 3 postdrome);
        migraine_day (an attack in any slot).
    """
    world = {name: np.asarray(value) for name, value in world.items()}
    people, days = world["weekday"].shape
    value = world["value"]
    if observed_only:
        value = np.where(world["status_if_tried"] == OBSERVED, value, np.nan)
    columns = {
        "person": np.repeat(np.arange(people), days),
        "day": np.tile(np.arange(days), people),
        "weekday": world["weekday"].ravel(),
        "female": np.repeat(world["female"], days).astype(bool),
        "cycling": np.repeat(world["cycling"], days).astype(bool),
    }
    columns |= {name: value[:, :, index].ravel() for index, name in enumerate(FIELD_NAMES)}
    for name in ("attack", "phase"):
        columns |= {f"true_{name}_{s}": world[name][:, :, s].ravel() for s in range(SLOTS)}
    columns["migraine_day"] = world["attack"].max(axis=2).ravel()
    return pd.DataFrame(columns)


def theta_table(world: dict) -> pd.DataFrame:
    """One row a person: the true parameters.

    Args:
        world: as above.

    Returns:
        frame of B rows and P columns, named like the parameters.
    """
    names = [parameter.name for parameter in PARAMETERS]
    return pd.DataFrame(np.asarray(world["theta"]), columns=names).rename_axis("person")
