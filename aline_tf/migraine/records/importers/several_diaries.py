"""Several diaries of one person that contradict each other: which counts, and on how many days.

Which of two files is the newer one shows in when their rows were filled in and in nothing else. Of
two answers the one known last is used (`aline_tf.migraine.records.days`), of two that are as new
the larger one, whatever the files are called. A day without an attack that was noted on a later day
than every word of an attack takes the attack back, with what was said of it; else the attack is
kept. It is where several apps tell of a day: what one knows nothing of, the other was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from aline_tf.migraine.records.timeline import DAY_S, OBSERVED, SLOT_S, Timeline

#: Source of a table without an app; of two of them the newer word is a correction.
_TABLE = "diary"
_OF_ATTACKS = ("attack", "attack_report")
#: After all words there are.
_NEVER = 1 << 60
#: What a diary puts into the slots of an attack.
_BESIDE = ("pain", "medication")


def settled(diaries: Sequence[Timeline]) -> tuple[list[Timeline], list[str]]:
    """The diaries without the attacks that others take back, and notes for the person.

    Args:
        diaries: one a file.
    """
    words = [_words(diary) for diary in diaries]
    said: dict[int, list[tuple[bool, int]]] = defaultdict(list)
    for of_file in words:
        for day, word in of_file.items():
            said[day].append(word)
    taken_back, kept = set(), 0
    for day, found in said.items():
        yes, no = ([known // DAY_S for attack, known in found if attack is each] for each in (1, 0))
        if yes and no and max(no) > max(yes):
            taken_back.add(day)
        else:
            kept += bool(yes and no)
    notes = []
    if two := _answers(diaries):
        notes.append(f"diaries disagree in {two} answers, of which the newest are used")
    if kept:
        notes.append(f"diaries disagree on {kept} days with or without attack: the attack is kept")
    if taken_back:
        notes.append(
            f"diaries disagree on {len(taken_back)} days with an attack that one of them takes back"
            " later: it is left out"
        )
        diaries = [
            _without(diary, {day for day in taken_back if of_file.get(day, (0, 0))[0]})
            for diary, of_file in zip(diaries, words, strict=True)
        ]
    return list(diaries), notes


def _words(diary: Timeline) -> dict[int, tuple[int, int]]:
    """Day -> whether a diary tells of an attack on it, 1 or 0, and the wall time of its last word;
    an app has no word that takes another back or is taken back."""
    found: dict[int, tuple[int, int]] = {}
    frame = diary.frame
    of_app = bool((frame["source"] != _TABLE).any())
    wall, _, known = _walls(diary)
    observed = frame["channel"].isin(_OF_ATTACKS) & (frame["status"] == OBSERVED)
    for row in np.flatnonzero(observed):
        attack, last = found.get(day := int(wall[row]) // DAY_S, (0, 0))
        attack = max(attack, int(frame["value"].iloc[row] > 0.5))
        found[day] = attack, _NEVER * attack if of_app else max(last, int(known[row]))
    return found


def _without(diary: Timeline, days: set[int]) -> Timeline:
    """A diary without its attacks on some days, and what it says of them."""
    wall, end, _ = _walls(diary)
    channel = diary.frame["channel"]
    on_day = np.isin(wall // DAY_S, list(days))
    of_attack = on_day & channel.isin(_OF_ATTACKS).to_numpy()
    slots: set[int] = set()
    for row in np.flatnonzero(of_attack & (channel == "attack").to_numpy()):
        slots.update(range(wall[row] // SLOT_S, max(wall[row], end[row] - 1) // SLOT_S + 1))
    beside = on_day & channel.isin(_BESIDE).to_numpy() & np.isin(wall // SLOT_S, list(slots))
    return Timeline(diary.frame[~(of_attack | beside)], diary.summary)


def _walls(diary: Timeline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Begin, end and time of knowing of each row on the wall clock, seconds since 1970."""
    offset, end_offset = (60 * diary.frame[name].to_numpy() for name in ("offset", "end_offset"))
    time, end, known = (diary.seconds(name) for name in ("time", "end", "known"))
    return time + offset, end + end_offset, known + end_offset


def _answers(diaries: Sequence[Timeline]) -> int:
    """Places for which several diaries have several answers."""
    answers: dict[tuple, set[float]] = defaultdict(set)
    for diary in diaries:
        frame = diary.frame[diary.frame["status"] == OBSERVED]
        rest = frame[~frame["channel"].isin(_OF_ATTACKS)]
        for key in zip(rest["channel"], rest["time"], rest["end"], rest["value"], strict=True):
            answers[key[:3]].add(key[3])
    return sum(len(values) > 1 for values in answers.values())
