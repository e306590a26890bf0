"""Limits are written as people say them, and say what they refuse."""

import json

import pytest

from aline_tf.cli import main
from aline_tf.errors import InputError
from aline_tf.serving.limits import LIMITS_FILE, Limits, pairs_of

SIZES = {"B": 2, "C": 3, "M": 1, "N": 5, "P": 4}


def test_pairs_are_of_what_reads_and_what_is_read():
    # The start, 4 parameters and 3 observations are read by themselves, by 4 + 1 targets and by 5
    # candidates, which read the targets too.
    assert pairs_of(SIZES) == 2 * (8 * (8 + 5 + 5) + 5 * 5)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(), None),
        (Limits(N=4), "expected at most 4 candidates (N); received 5"),
        (Limits(B=1), "expected at most 1 batch rows (B); received 2"),
        (
            Limits(pairs=337),
            "expected B (1 + 2 P + C + M) (1 + P + C + N), the pairs of tokens that read each"
            " other, of at most 337; received 338",
        ),
        (Limits(pairs=338), None),
    ],
)
def test_what_is_too_much_is_said(limits, sentence):
    assert limits.exceeded(SIZES) == sentence


@pytest.mark.parametrize(
    "settings",
    [["C"], ["C=x"], ["C=-1"], ["C=0"], ["D=3"], ["C=3", "C=4"], ["C=1048577"], ["pairs=1e6"]],
)
def test_a_setting_that_cannot_be_meant(settings, tmp_path, capsys):
    with pytest.raises(InputError, match=r"expected .*; received"):
        Limits.parse(settings)
    options = [word for setting in settings for word in ("--limit", setting)]
    assert main(["export", "ces", "--out", str(tmp_path / "1"), *options]) == 2
    assert "expected" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_export_without_limits_has_none_and_a_broken_file_is_said(tmp_path):
    assert Limits.of_export(tmp_path) is None
    file = tmp_path / LIMITS_FILE
    file.parent.mkdir()
    for text in ("{", '{"X": 1}', '{"B": 0}', "[]"):
        file.write_text(text)
        with pytest.raises(InputError, match=r"expected .*received"):
            Limits.of_export(tmp_path)
    file.write_text(json.dumps(Limits(C=7).to_dict()))
    assert Limits.of_export(tmp_path) == Limits(C=7)
