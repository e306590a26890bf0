"""What can be acquired, and what is worth offering."""

import numpy as np

from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.migraine.schema.candidates import LIBRARY, candidates_for
from aline_tf.migraine.schema.channels import FIELD_INDEX


def test_people_are_offered_prompts_look_ups_and_what_their_own_devices_missed():
    status = np.zeros((10, len(FIELD_INDEX)), np.int32)
    status[:-1, FIELD_INDEX["ln_sdnn"]] = OBSERVED
    status[-1, FIELD_INDEX["stress_3"]] = NO_ANSWER
    labels = [item.label for item in candidates_for(status)]
    assert "Heart rate variability (SDNN) today" in labels
    assert "Heart rate variability (SDNN) yesterday" not in labels
    assert "Last night's heart rate variability (RMSSD)" not in labels
    assert "Air pressure change today" in labels
    assert "Warning signs of an attack now" in labels and "Stress now" not in labels
    assert len(candidates_for(status[:0])) == len(LIBRARY)
    assert len({item.label for item in LIBRARY}) == len(LIBRARY)
