"""The batch of an evening: one builder, whoever asks for it."""

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.evening_batch import candidate_designs, evening_batch


def test_a_person_is_a_cohort_of_one_without_the_days_of_which_nothing_is_known(evening):
    batch, candidates, history = evening
    outcome = np.where(history.status == OBSERVED, history.values, 0.0)[None]
    today = [history.dates[-1].weekday()]
    alone = evening_batch(outcome, history.status[None], today)
    known = alone["context_mask"][0]
    assert 0 < known.sum() < len(known)
    for name in ("context_design", "context_outcome", "context_status", "context_mask"):
        np.testing.assert_array_equal(alone[name][:, known], batch[name])
    np.testing.assert_array_equal(alone["target_design"], batch["target_design"])
    design = candidate_designs(candidates, np.array(today, np.int32))
    np.testing.assert_array_equal(design, batch["candidate_design"])


def test_every_candidate_has_a_design_of_its_own():
    design = candidate_designs(LIBRARY, np.array([0, 3], np.int32)).numpy()
    assert design.shape[:2] == (2, len(LIBRARY))
    assert len(np.unique(design[0], axis=0)) == len(LIBRARY)
