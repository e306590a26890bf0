"""Which promises are measured, and in which order."""

import pytest

from aline_tf.errors import InputError
from aline_tf.evaluation.promises import PROMISES, measure
from aline_tf.evaluation.promises.suite import chosen_promises


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (None, tuple(PROMISES)),
        ("joint,known", ("known", "joint")),
        (["pool", "missing,pool"], ("missing", "pool")),
    ],
)
def test_promises_come_in_the_order_of_the_table(only, names):
    assert chosen_promises(only) == names


@pytest.mark.parametrize("only", ["", ",", "knwon", ["known", "unit"]])
def test_others_are_refused(only):
    with pytest.raises(InputError, match="expected promises among missing, known"):
        chosen_promises(only)


def test_every_figure_says_which_promise_it_is_of(examined):
    said = []
    figures = measure(examined(), "known,missing", said.append)
    assert [row.promise for row in figures] == ["missing"] * 3 + ["known"] * 8
    assert said == ["missing: 3 figures", "known: 8 figures"]
