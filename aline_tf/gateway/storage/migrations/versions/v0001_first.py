"""People, tokens, payloads and the last forecast of everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("zone", sa.String(64)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_people"),
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("digest", name="pk_tokens"),
        _of_person("tokens"),
    )
    op.create_index("ix_tokens_person", "tokens", ["person"])
    op.create_table(
        "payloads",
        sa.Column("number", _COUNTED, nullable=False, autoincrement=True),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.JSON, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_payloads"),
        sa.UniqueConstraint("person", "client_id", name="uq_payloads_person"),
        _of_person("payloads"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "forecasts",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("computed", sa.BigInteger, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_forecasts"),
        _of_person("forecasts"),
    )


def downgrade() -> None:
    for table in ("forecasts", "payloads", "tokens", "people"):
        op.drop_table(table)


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person"], ["people.person"], ondelete="CASCADE", name=f"fk_{table}_person"
    )
