"""The tables. `migrations/` brings a database to them, step by step; a test holds the two equal.

Moments are whole seconds since 1970 UTC: the same number in every database.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
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
#: Programs that may act for several people, and of their tokens the digests alone.
SERVICES = Table(
    "services",
    METADATA,
    Column("service", String(32), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("created", BigInteger, nullable=False),
)
SERVICE_TOKENS = Table(
    "service_tokens",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("service", ForeignKey("services.service", ondelete="CASCADE"), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)
#: What a person lets a service do: scopes, joined by spaces.
GRANTS = Table(
    "grants",
    METADATA,
    _person(primary_key=True),
    Column("service", ForeignKey("services.service", ondelete="CASCADE"), primary_key=True),
    Column("scopes", String(200), nullable=False),
    Column("created", BigInteger, nullable=False),
)
#: Which device of a person counts where several tell the same reading: names, the first first.
DEVICES = Table(
    "devices",
    METADATA,
    _person(primary_key=True),
    Column("priority", JSON, nullable=False),
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
#: How often, and until when in the evening (minutes after midnight), a person will be prompted.
WISHES = Table(
    "wishes",
    METADATA,
    _person(primary_key=True),
    Column("day", Integer, nullable=False),
    Column("week", Integer, nullable=False),
    Column("quiet_from", Integer, nullable=False),
)
#: What the best question of an evening was expected to tell, in nats.
GAINS = Table(
    "gains",
    METADATA,
    _person(primary_key=True),
    Column("evening", String(10), primary_key=True),
    Column("gain", Float, nullable=False),
)
#: What happened that somebody may want to know; its name is there once for every person.
EVENTS = Table(
    "events",
    METADATA,
    Column("number", COUNTED, primary_key=True, autoincrement=True),
    _person(nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
    UniqueConstraint("person", "name"),
    sqlite_autoincrement=True,
)
#: Who is called about events. The secret signs, so that it has to be kept as it is.
WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("number", COUNTED, primary_key=True, autoincrement=True),
    _person(nullable=False),
    Column("url", String(500), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("ix_webhooks_person", "person"),
    sqlite_autoincrement=True,
)
#: Calls to make; due is NULL for those that were made or given up.
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("webhook", ForeignKey("webhooks.number", ondelete="CASCADE"), primary_key=True),
    Column("event", ForeignKey("events.number", ondelete="CASCADE"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger),
    Index("ix_deliveries_due", "due"),
)
