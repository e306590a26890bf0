"""Several answers for one place of a timeline: which counts, whatever the files are called."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Sums and means of an hour: of two that a device states, the later one is complete.
_HOURLY = ("steps", "heart_rate")


def complete_hours(frame: pd.DataFrame) -> pd.DataFrame:
    """Of several sums that a device states for an hour or a day, the one that was known last.

    Of two that do not say when they were known, the larger one: a day that was exported at noon
    grew until midnight.
    """
    hourly = frame["channel"].isin(_HOURLY)
    kept = (
        frame[hourly]
        .sort_values(["known", "value"], kind="stable")
        .drop_duplicates(["channel", "time", "end", "source"], keep="last")
    )
    return pd.concat([frame[~hourly], kept]).sort_index(kind="stable").reset_index(drop=True)


def in_one_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Answers for one place that were known at the same time by their value, not by their file.

    Of two such answers the last row is used, the larger one: what a file is called says nothing.
    """
    place = ["channel", "time", "end", "known"]
    several = frame[frame.duplicated(place, keep=False)]
    order = np.arange(len(frame))
    order[several.sort_values(place, kind="stable").index] = several.sort_values(
        [*place, "value", "source"], kind="stable"
    ).index
    return frame.iloc[order].reset_index(drop=True)
