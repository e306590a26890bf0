"""How often a person will be prompted, and what prompts were expected to tell before."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Connection, select

from aline_tf.errors import InputError
from aline_tf.gateway.storage.tables import GAINS, PEOPLE, WISHES
from aline_tf.gateway.storage.upsert import put
from aline_tf.migraine.interview.prompt_budget import PROMPTS_A_DAY, PROMPTS_A_WEEK

#: Minutes after midnight: the model knows evenings, which begin then.
EVENING = 18 * 60
#: Evenings whose gains are compared.
REMEMBERED = 60


@dataclasses.dataclass(frozen=True)
class Wishes:
    """How often, and until when in the evening, a person will be prompted.

    Attributes:
        day, week: prompts at most; 0 for none.
        quiet_from: minutes after midnight, from 18:00 to midnight, after which there are none.

    Raises:
        InputError: numbers that cannot be meant.
    """

    day: int = PROMPTS_A_DAY
    week: int = PROMPTS_A_WEEK
    quiet_from: int = 22 * 60

    def __post_init__(self) -> None:
        if not 0 <= self.day <= self.week <= 100:
            raise InputError(
                "expected prompts of a day and of a week, 0 to 100, the week's not fewer; received"
                f" {self.day} and {self.week}"
            )
        if not EVENING <= self.quiet_from <= 24 * 60:
            raise InputError(
                f"expected quiet hours from 18:00 or later; received {self.quiet_from // 60:02d}:"
                f"{self.quiet_from % 60:02d}"
            )


def keep_wishes(connection: Connection, person: str, wishes: Wishes) -> None:
    """Keep the wishes of a person; whoever states none is not prompted."""
    put(connection, WISHES, {"person": person}, dataclasses.asdict(wishes))


def wishes_of(connection: Connection, person: str) -> Wishes | None:
    """The wishes of a person; None where they stated none."""
    query = select(WISHES.c.day, WISHES.c.week, WISHES.c.quiet_from)
    found = connection.execute(query.where(WISHES.c.person == person)).first()
    return None if found is None else Wishes(*found)


def who_may_be_prompted(connection: Connection) -> list[tuple[str, str | None, Wishes]]:
    """Id, time zone and wishes of everybody who stated some."""
    columns = (PEOPLE.c.person, PEOPLE.c.zone, WISHES.c.day, WISHES.c.week, WISHES.c.quiet_from)
    query = select(*columns).join(WISHES, WISHES.c.person == PEOPLE.c.person)
    rows = connection.execute(query.order_by(PEOPLE.c.person))
    return [(person, zone, Wishes(*wishes)) for person, zone, *wishes in rows]


def keep_gain(connection: Connection, person: str, evening: str, gain: float) -> None:
    """Keep what the best question of an evening, 2025-03-10, was expected to tell."""
    put(connection, GAINS, {"person": person, "evening": evening}, {"gain": gain})


def gains_before(connection: Connection, person: str, evening: str) -> list[float]:
    """What the best questions of evenings before were expected to tell, the newest first."""
    mine = (GAINS.c.person == person) & (GAINS.c.evening < evening)
    query = select(GAINS.c.gain).where(mine).order_by(GAINS.c.evening.desc()).limit(REMEMBERED)
    return list(connection.execute(query).scalars())
