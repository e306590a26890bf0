"""Days compared with one another, on histories made by hand."""

import numpy as np
import pytest

from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELDS
from aline_tf.migraine.schema.designs import design
from aline_tf.migraine.task import day_features
from aline_tf.migraine.task.day_features import DAYS, HISTORY_FEATURES, history_features

READINGS = len(day_features._NAMES)
TRIGGERS = 2 * READINGS
BESIDE = TRIGGERS + 2 * day_features._TRIGGERS
#: Where the last block of the features begins, counted from the end.
WEIGHED = 4 + 1 + len(day_features._DIPS)
SLOPES = 2 * len(day_features._FOLLOWERS) + WEIGHED
TOGETHER = -(2 + READINGS + day_features._TRIGGERS + day_features._SIGNS + SLOPES)


class History:
    """Tokens of one person."""

    def __init__(self, ages):
        self.design = design(np.array([ages]), 0, -1, -1).numpy()
        self.outcome = np.zeros([1, len(ages), len(FIELDS)], np.float32)
        self.status = np.zeros([1, len(ages), len(FIELDS)], np.int32)
        self.mask = np.ones([1, len(ages)], bool)

    def note(self, token, field, value):
        self.outcome[0, token, FIELD_INDEX[field]] = value
        self.status[0, token, FIELD_INDEX[field]] = OBSERVED

    def days(self):
        return history_features(self.design, self.outcome, self.status, self.mask)


def test_sizes_and_places():
    history = History([3, 1, 0])
    days = history.days()
    assert days.feature.shape == (1, DAYS, HISTORY_FEATURES)
    assert days.place.numpy().tolist() == [[3, 1, 0]]
    assert np.flatnonzero(days.known[0]).tolist() == [0, 1, 3]


def test_a_reading_is_seen_against_the_persons_own():
    history = History([4, 3, 2, 1, 0])
    for token, value in enumerate((60.0, 60.0, 60.0, 60.0, 70.0)):
        history.note(token, "resting_hr", value)
    column = history.days().feature.numpy()[0, :, FIELD_INDEX["resting_hr"]]
    assert column[0] > 0.8
    np.testing.assert_allclose(column[1:5], column[1], atol=1e-5)
    assert column[1] < 0 and not column[5:].any()


def test_a_fall_in_stress_needs_both_days():
    history = History([2, 1, 0])
    history.note(0, "stress_3", 8.0)
    history.note(1, "stress_3", 2.0)
    feature = history.days().feature.numpy()[0]
    fall, known = feature[:, TRIGGERS + 1], feature[:, TRIGGERS + day_features._TRIGGERS + 1]
    assert fall[1] > 0 and known.tolist()[:3] == [0.0, 1.0, 0.0]
    assert fall[0] == fall[2] == 0.0


def test_drinks_count_the_day_after():
    history = History([2, 1, 0])
    history.note(0, "alcohol", 5.0)
    history.note(1, "alcohol", 1.0)
    feature = history.days().feature.numpy()[0]
    assert feature[:3, TRIGGERS + 7].tolist() == [0.0, 1.0, 0.0]


def test_a_day_sees_the_attack_of_the_day_after():
    history = History([2, 1, 0])
    for token in range(3):
        for slot in range(4):
            history.note(token, f"attack_{slot}", float(token == 1 and slot > 1))
    tomorrow, reported, begins, today = history.days().feature.numpy()[0, :4, BESIDE : BESIDE + 4].T
    assert tomorrow.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert reported.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert begins.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert today.tolist() == [0.0, 1.0, 0.0, 0.0]


def test_what_was_acquired_later_belongs_to_its_day():
    """One token with two fields tells the same as two tokens with one."""
    together, apart = History([1, 0]), History([1, 0, 0])
    for history, second in ((together, 1), (apart, 2)):
        history.note(1, "prodrome_3", 1.0)
        history.note(second, "stress_3", 7.0)
    first, second = together.days(), apart.days()
    np.testing.assert_allclose(first.feature, second.feature, atol=1e-6)
    np.testing.assert_array_equal(first.known, second.known)


@pytest.mark.parametrize("field", ["resting_hr", "attack_1"])
def test_padding_says_nothing_even_when_it_is_nan(field):
    history, padded = History([1, 0]), History([1, 0, 5])
    for h in (history, padded):
        h.note(0, field, 1.0)
    padded.note(2, field, np.nan)
    padded.mask[0, 2] = False
    np.testing.assert_array_equal(history.days().feature, padded.days().feature)
    np.testing.assert_array_equal(history.days().known, padded.days().known)


def test_a_little_pain_is_told_from_much_and_from_none():
    history = History([0])
    for slot, pain in ((0, 0.0), (1, 2.0), (2, 6.0)):
        history.note(0, f"pain_{slot}", pain)
    little, much = np.split(history.days().feature.numpy()[0, 0, TOGETHER - 15 : TOGETHER - 7], 2)
    assert little.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert much.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_the_last_answer_of_a_day_is_kept():
    history = History([1, 0])
    history.note(0, "attack_0", 1.0)
    history.note(0, "attack_2", 0.0)
    history.note(1, "pain_1", 1.0)
    little, much, pain, attack, attacks_reported, _, signs_reported = (
        history.days().feature.numpy()[0, :2, TOGETHER - 7 : TOGETHER].T
    )
    assert little.tolist() == [1.0, 0.0] and much.tolist() == [0.0, 0.0]
    assert pain.tolist() == [1.0, 0.0] and signs_reported.tolist() == [0.0, 0.0]
    assert attack.tolist() == [0.0, 0.0] and attacks_reported.tolist() == [0.0, 1.0]


def test_signs_before_attacks_are_counted_over_the_days():
    """Yesterday evening: free, with signs, and an attack began in the night. This afternoon, and in
    the afternoon two days ago: signs that no attack is known to have followed."""
    history = History([2, 1, 0])
    for token in range(3):
        for slot in range(4):
            history.note(token, f"attack_{slot}", 0.0)
    history.note(2, "attack_0", 1.0)
    history.note(1, "prodrome_3", 1.0)
    history.note(1, "prodrome_0", 0.0)
    history.note(0, "prodrome_0", 1.0)
    history.note(2, "prodrome_2", 1.0)
    together = history.days().feature.numpy()[0, :, -day_features._SIGNS - SLOPES : -SLOPES]
    leads, leads_without, false_alarm, rightly_none = together.T
    assert leads[:3].tolist() == [0.0, 1.0, 0.0]
    assert leads_without.sum() == 0.0
    assert false_alarm[:3].tolist() == [1.0, 0.0, 1.0]
    assert rightly_none[:3].tolist() == [0.0, 1.0, 0.0]


def test_readings_of_a_day_count_where_its_attack_began_after_the_night():
    history = History([1, 0])
    for token, value in ((0, 3.0), (1, 3.8)):
        history.note(token, "ln_rmssd", value)
    history.note(1, "attack_2", 1.0)
    history.note(0, "attack_0", 1.0)
    days = history.days().feature.numpy()[0]
    own = days[:, : len(day_features._NAMES)]
    with_attacks = days[:, TOGETHER + 2 : TOGETHER + 2 + READINGS]
    assert own[0, 3] > 0.0 and with_attacks[0, 3] == own[0, 3]
    assert own[1, 3] < 0.0 and with_attacks[1, 3] == 0.0


def test_a_reading_of_a_minute_is_compared_with_the_nights():
    history = History([2, 1, 0])
    for token, value in ((0, 3.4), (1, 3.4), (2, 3.4)):
        history.note(token, "ln_rmssd", value)
    spot = FIELD_INDEX["ln_rmssd_spot"]
    history.note(2, "ln_rmssd_spot", 3.0)
    seen = history.days().feature.numpy()[0, :, spot]
    assert seen[0] < -0.3 and not seen[1:].any()
    alone = History([0])
    alone.note(0, "ln_rmssd_spot", 3.0)
    assert abs(alone.days().feature.numpy()[0, 0, spot]) < 0.1, "of one value nothing can be said"


def test_sums_of_products_give_the_slope_of_readings_on_stress():
    history = History(list(range(29, -1, -1)))
    stress = np.random.default_rng(0).integers(0, 11, 30).astype(float)
    for token in range(30):
        history.note(token, "stress_2", stress[token])
        if token % 3:
            history.note(token, "ln_rmssd", 3.4 - 0.05 * stress[token])
    product, square = history.days().feature.numpy()[0, :, -SLOPES : -SLOPES + 2].sum(axis=0)
    scales = {field.name: field.scale for field in FIELDS}
    slope = product / square * scales["ln_rmssd"] / scales["stress_2"]
    assert slope == pytest.approx(-0.05, rel=0.05)


def people_with_signs(before_attacks: bool):
    """Three weeks of attacks every third morning, with signs the evening before, or with signs on
    the evenings that nothing follows; and signs this evening."""
    history = History(list(range(20, -1, -1)))
    for token in range(21):
        attack = token % 3 == 2
        for slot in range(4):
            history.note(token, f"attack_{slot}", float(attack and slot in (0, 1)))
        signs = token % 3 == (1 if before_attacks else 0)
        history.note(token, "prodrome_3", float(signs or token == 20))
    return history.days().feature.numpy()[0, 0, -WEIGHED:]


def test_signs_are_weighed_by_what_they_have_meant_to_this_person():
    feels, does_not = (people_with_signs(before) for before in (True, False))
    assert feels[3] > 2.0 and feels[4] == feels[3], "of the evening, and so of the day"
    assert does_not[3] < 0.0
    assert not feels[:3].any(), "nothing was said of the other slots"


def test_readings_are_weighed_by_how_far_they_were_off_on_days_of_attacks():
    history = History(list(range(20, -1, -1)))
    for token in range(21):
        attack = token % 4 == 2
        for slot in range(4):
            history.note(token, f"attack_{slot}", float(attack and slot > 1))
        history.note(token, "ln_rmssd", 3.0 if attack or token == 20 else 3.4)
    rmssd, sdnn, heart, spot = history.days().feature.numpy()[0, :, -4:].T
    assert rmssd[0] > 0.5 and rmssd[1] < 0.0, "low today, as on days of attacks; usual yesterday"
    assert not (sdnn.any() or heart.any() or spot.any())


def test_the_layer_gives_the_features_as_they_are_and_round_trips():
    from aline_tf.batch import empty_batch
    from aline_tf.migraine.schema.spec import SPEC
    from aline_tf.migraine.task.day_features import DayFeatures
    from tests.models.layer_harness import check_config_round_trip

    layer, batch = DayFeatures(), empty_batch(SPEC.sizes | {"B": 2, "C": 3})
    batch["context_mask"][:] = True
    context = [batch[f"context_{name}"] for name in ("design", "outcome", "status", "mask")]
    days = layer(*context)
    check_config_round_trip(layer)
    assert not layer.weights
    assert days.feature.shape[2] == layer.num_features
    for found, expected in zip(days, history_features(*context), strict=True):
        np.testing.assert_array_equal(found, expected)
