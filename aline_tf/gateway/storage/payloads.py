"""What people sent, kept as it came: once for every client id, and never changed."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.tables import PAYLOADS

#: Payloads that are unpacked at the same time.
AT_ONCE = 256
_WITHOUT_CONTENT = [column for column in PAYLOADS.c if column.name != "content"]


class ClientIdTaken(Exception):
    """The same client id came with another content."""


class PersonErased(Exception):
    """The person was erased in the meantime."""


@dataclasses.dataclass(frozen=True)
class Receipt:
    """What is known of a payload that was kept.

    Attributes:
        number: of the payload; later ones have larger numbers.
        client_id: as the client chose it, or the digest of the content.
        kind: which format it is.
        received: seconds since 1970 UTC.
        account: what the importers made of it.
        repeated: whether it had been kept before.
    """

    number: int
    client_id: str
    kind: str
    received: int
    account: dict[str, Any]
    repeated: bool = False


def keep(
    database: Database,
    person: str,
    client_id: str | None,
    kind: str,
    content: bytes,
    account: dict[str, Any],
    now: int,
) -> Receipt:
    """Keep a payload, or find that it is kept already; on disk when this returns.

    Args:
        database: to keep it in.
        person: whose it is.
        client_id: the same for the same payload however often it is sent; None for the digest of
            its content.
        kind: which format it is.
        content: as it came, unpacked.
        account: what the importers make of it.
        now: seconds since 1970 UTC.

    Raises:
        ClientIdTaken: the client id is that of another content.
        PersonErased: there is no such person any more.
    """
    digest = digest_of(content)
    row = {
        "person": person,
        "client_id": digest if client_id is None else client_id,
        "kind": kind,
        "digest": digest,
        # No time inside: the same content gives the same bytes.
        "content": gzip.compress(content, mtime=0),
        "account": account,
        "received": now,
    }
    try:
        with database.writing() as connection:
            found = _find(connection, person, row["client_id"])
            if found is None:
                number = connection.execute(insert(PAYLOADS).values(row)).inserted_primary_key[0]
                return Receipt(number, row["client_id"], kind, now, account)
    except IntegrityError as error:
        # PostgreSQL lets two writers look at the same time; the other one was first.
        with database.reading() as connection:
            found = _find(connection, person, row["client_id"])
        if found is None:
            raise PersonErased(person) from error
    if found.digest != digest:
        raise ClientIdTaken(row["client_id"])
    return _receipt(found, repeated=True)


def digest_of(content: bytes) -> str:
    """The client id of a payload that comes without one."""
    return hashlib.sha256(content).hexdigest()


def receipt(connection: Connection, person: str, client_id: str) -> Receipt | None:
    """The receipt of a payload of this person; None where there is none."""
    found = _find(connection, person, client_id)
    return None if found is None else _receipt(found)


def number_of_payloads(connection: Connection, person: str) -> int:
    """How many payloads of a person there are."""
    query = select(func.count()).select_from(PAYLOADS).where(PAYLOADS.c.person == person)
    return connection.execute(query).scalar_one()


def payloads_after(
    connection: Connection, person: str, number: int
) -> Iterator[tuple[Receipt, bytes]]:
    """Payloads of a person that came after number `number`, oldest first, with their content."""
    while True:
        rows = connection.execute(
            select(PAYLOADS)
            .where(PAYLOADS.c.person == person, PAYLOADS.c.number > number)
            .order_by(PAYLOADS.c.number)
            .limit(AT_ONCE)
        ).all()
        for row in rows:
            yield _receipt(row), gzip.decompress(row.content)
        if len(rows) < AT_ONCE:
            return
        number = rows[-1].number


def receipts_since(connection: Connection, person: str, moment: int) -> list[Receipt]:
    """Receipts of what a person sent after a moment, in seconds since 1970 UTC, oldest first."""
    mine = (PAYLOADS.c.person == person) & (PAYLOADS.c.received > moment)
    query = select(*_WITHOUT_CONTENT).where(mine).order_by(PAYLOADS.c.number)
    return [_receipt(row) for row in connection.execute(query)]


def _find(connection: Connection, person: str, client_id: str) -> Row | None:
    mine = (PAYLOADS.c.person == person) & (PAYLOADS.c.client_id == client_id)
    return connection.execute(select(*_WITHOUT_CONTENT).where(mine)).first()


def _receipt(row: Row, repeated: bool = False) -> Receipt:
    return Receipt(row.number, row.client_id, row.kind, row.received, row.account, repeated)
