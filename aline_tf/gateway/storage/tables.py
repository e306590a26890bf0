"""The tables. `migrations/` brings a database to them, step by step; a test holds the two equal.

Moments are whole seconds since 1970 UTC: the same number in every database.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
#: SQLite counts rows by itself only where the type is exactly INTEGER.
COUNTED = BigInteger().with_variant(Integer, "sqlite")
CLIENT_ID = 200


def _person(**arguments):
    return Column(
        "person", String(32), ForeignKey("people.person", ondelete="CASCADE"), **arguments
    )


PEOPLE = Table(
    "people",
    METADATA,
    Column("person", String(32), primary_key=True),
    Column("zone", String(64)),
    Column("created", BigInteger, nullable=False),
)
#: Of a token its digest alone is kept.
TOKENS = Table(
    "tokens",
    METADATA,
    Column("digest", String(64), primary_key=True),
    _person(nullable=False),
    Column("label", String(80), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    Index("ix_tokens_person", "person"),
)
#: What was sent, as it came (compressed), and what the importers made of it.
PAYLOADS = Table(
    "payloads",
    METADATA,
    Column("number", COUNTED, primary_key=True, autoincrement=True),
    _person(nullable=False),
    Column("client_id", String(CLIENT_ID), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("account", JSON, nullable=False),
    Column("received", BigInteger, nullable=False),
    UniqueConstraint("person", "client_id"),
    # A number is never given twice, so that what was read up to one can be told from the rest.
    sqlite_autoincrement=True,
)
#: Who did what with whose records; it outlives them.
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", COUNTED, primary_key=True, autoincrement=True),
    Column("person", String(32), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_audit_person", "person"),
    sqlite_autoincrement=True,
)
#: The last forecast of every person, for when no new one can be made.
FORECASTS = Table(
    "forecasts",
    METADATA,
    _person(primary_key=True),
    Column("computed", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
)
