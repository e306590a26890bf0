"""Made-up timelines for tests of what is written and read back."""

from hypothesis import strategies as st

from aline_tf.migraine.records.timeline import KINDS, NOT_ANSWERED, OBSERVED, Timeline

_OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: 15 * quarters)


@st.composite
def rows(draw):
    """One row of a timeline, any that is allowed."""
    channel = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[channel]
    begin = draw(st.integers(650_000_000, 4_000_000_000))
    length = draw(st.integers(0, 200_000))
    is_open = channel == "attack" and draw(st.booleans())
    answered = draw(st.booleans())
    value = draw(st.floats(kind.low, kind.high)) if kind.unit else kind.high
    return (
        begin,
        None if is_open else begin + length,
        begin + draw(st.integers(0, 400_000)),
        draw(_OFFSETS),
        draw(_OFFSETS),
        channel,
        value if answered else 0.0,
        kind.unit,
        OBSERVED if answered else NOT_ANSWERED,
        draw(st.sampled_from(["diary", "apple_health/watch-1", 'a "source"\n\u2028 ü'])),
    )


def timelines():
    """Timelines of up to a dozen rows."""
    return st.lists(rows(), max_size=12).map(Timeline.from_rows)
