"""Times of repeated calls: warm-up apart, medians of the rest."""

import pytest

from aline_tf.bench.stopwatch import Stopwatch


def test_the_first_call_stands_apart_and_the_rest_give_medians():
    watch = Stopwatch(skip=2)
    for wall, cpu in ((9.0, 8.0), (5.0, 5.0), (1.0, 0.5), (3.0, 0.7), (2.0, 0.1)):
        watch.note(wall, cpu)
    times = watch.times()
    assert (times.first, times.wall, times.cpu, times.calls) == (9.0, 2.0, 0.5, 3)


def test_a_call_gives_what_it_returned_and_takes_time():
    watch = Stopwatch()
    assert [watch.run(lambda k=k: k * k) for k in range(3)] == [0, 1, 4]
    assert len(watch.wall) == 3 and min(watch.wall) > 0.0 and min(watch.cpu) >= 0.0


def test_warm_up_alone_is_no_measurement():
    watch = Stopwatch(skip=2)
    watch.note(1.0, 1.0)
    watch.note(1.0, 1.0)
    with pytest.raises(ValueError, match="2 calls"):
        watch.times()
    with pytest.raises(ValueError, match="skip=0"):
        Stopwatch(skip=0)
