"""Missing answers: the exact posterior leaves them out, a reader of refusals is found out."""

import pytest

from aline_tf.evaluation.promises import missing
from tests.evaluation.promises.conftest import NODES, ReadsRefusals


def test_the_exact_posterior_is_as_if_they_had_not_been_asked(examined):
    rows = {row.measured: row for row in missing.figures(examined())}
    assert rows["30% missing: RMSE / exact"].figure == pytest.approx(1.0)
    assert rows["10 refusals: shift / prior's sd"].figure == pytest.approx(0.0, abs=1e-9)
    # Sixty-four parameters: nine in ten of them, give or take two standard errors.
    assert rows["50% missing: coverage of 90%"].figure == pytest.approx(0.9, abs=0.08)


def test_who_reads_a_refusal_as_a_no_is_found_out(examined):
    rows = {row.measured: row for row in missing.figures(examined(ReadsRefusals(**NODES)))}
    assert rows["30% missing: RMSE / exact"].figure > 1.1
    assert rows["10 refusals: shift / prior's sd"].figure > 0.3
    assert not rows["10 refusals: shift / prior's sd"].holds
