"""Tables of simulated people: a row a day, a row a person."""

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import (
    FIELD_INDEX,
    FIELD_NAMES,
)
from aline_tf.migraine.schema.parameters import PARAMETERS
from aline_tf.migraine.simulation.tables import people_table, theta_table


def test_table_has_a_row_a_day_and_leaves_failed_attempts_empty(simulated):
    world = simulated(3, 10)
    frame = people_table(world)
    assert len(frame) == 30 and set(FIELD_NAMES) <= set(frame.columns)
    observed = world["status_if_tried"][:, :, FIELD_INDEX["stress_3"]].ravel() == OBSERVED
    assert np.array_equal(frame["stress_3"].notna(), observed)
    assert people_table(world, observed_only=False)["stress_3"].notna().all()
    assert list(theta_table(world).columns) == [parameter.name for parameter in PARAMETERS]
