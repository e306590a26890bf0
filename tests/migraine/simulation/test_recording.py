"""How people record: those who answer prompts, and that the others stay as they were."""

import dataclasses

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING
from aline_tf.migraine.schema.channels import FIELD_NAMES, PASSIVE_NAMES, SPOT_READING
from aline_tf.migraine.simulation.cohort import sample_cohort
from aline_tf.migraine.simulation.recording import PROMPTS, prompted_recording, sample_recording

FIRST = len(PASSIVE_NAMES)


def test_prompted_people_are_asked_about_everything_first_and_a_little_later():
    people = sample_cohort(3, 40, 60, 20)
    who = tf.range(40) < 20
    recording = prompted_recording(draws.as_seed(5), people.recording, who)
    assert (recording["style"].numpy()[:20] == PROMPTS).all()
    for name, own in people.recording.items():
        assert (recording[name].numpy()[20:] == own.numpy()[20:]).all(), name
    recording["run_in"] = tf.fill([40], 10)
    status = dataclasses.replace(people, recording=recording).records(60)[1][:20, :, FIRST:]
    known = status != MISSING
    spot = FIELD_NAMES.index(SPOT_READING) - FIRST
    assert np.delete(known, spot, axis=2)[:, :10].all()
    assert known[:, :10, spot].mean() < 0.5, "a minute of rest is no matter of routine"
    a_day = known[:, 10:-1].sum(axis=2).mean(axis=1)
    expected = recording["prompt_probability"].numpy()[:20].sum(axis=1)
    assert np.abs(a_day - expected).max() < 1.0 and 0.0 < a_day.mean() < 6.0
    assert not known[:, -1].any(), "the questions of this evening are still to be chosen"


def test_recordings_of_others_do_not_change_by_it():
    seed = draws.as_seed(9)
    alone = sample_recording(seed, 5)
    nobody = prompted_recording(seed, alone, tf.zeros([5], tf.bool))
    assert all((nobody[name].numpy() == alone[name].numpy()).all() for name in alone)
