"""Wishes about prompts, gains of evenings, events, and who is called about them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "wishes",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("week", sa.Integer, nullable=False),
        sa.Column("quiet_from", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_wishes"),
        _of("people", "wishes", "person"),
    )
    op.create_table(
        "gains",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("evening", sa.String(10), nullable=False),
        sa.Column("gain", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("person", "evening", name="pk_gains"),
        _of("people", "gains", "person"),
    )
    op.create_table(
        "events",
        sa.Column("number", _COUNTED, nullable=False, autoincrement=True),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sa.UniqueConstraint("person", "name", name="uq_events_person"),
        _of("people", "events", "person"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhooks",
        sa.Column("number", _COUNTED, nullable=False, autoincrement=True),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_webhooks"),
        _of("people", "webhooks", "person"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhooks_person", "webhooks", ["person"])
    op.create_table(
        "deliveries",
        sa.Column("webhook", _COUNTED, nullable=False),
        sa.Column("event", _COUNTED, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.PrimaryKeyConstraint("webhook", "event", name="pk_deliveries"),
        _of("webhooks", "deliveries", "webhook", "number"),
        _of("events", "deliveries", "event", "number"),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due"])


def downgrade() -> None:
    for table in ("deliveries", "webhooks", "events", "gains", "wishes"):
        op.drop_table(table)


def _of(owner: str, table: str, column: str, key: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{owner}.{key or column}"], ondelete="CASCADE", name=f"fk_{table}_{column}"
    )
