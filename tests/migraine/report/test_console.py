"""The forecast as plain text: what it holds, and that it computes nothing of its own."""

from aline_tf.migraine.forecast import WhatIf, wording
from aline_tf.migraine.forecast.what_if import USUAL
from aline_tf.migraine.report import console_text


def test_the_text_names_risks_triggers_and_the_next_candidates(example_outlook):
    text = console_text(example_outlook)
    assert wording.risks(example_outlook.history.now, example_outlook.risks) in text
    for valued in example_outlook.next_candidates:
        assert f"{valued.candidate.label}: {wording.worth(valued)}" in text
    assert "What if" not in text
    assert text.endswith(f"{wording.NOT_A_DEVICE}\n{wording.RED_FLAGS}")


def test_suppositions_made_by_hand_are_shown_and_what_is_left_out_is_said(example_outlook):
    made = example_outlook.what_ifs[0]
    assert isinstance(made, WhatIf)
    text = console_text(example_outlook, (made.supposition,))
    assert f"{wording.supposition(made.supposition)}: 24 h " in text and "is left out" not in text
    absent = [s for s in USUAL if s not in [each.supposition for each in example_outlook.what_ifs]]
    if absent:
        assert "is left out" in console_text(example_outlook, (absent[0],))
