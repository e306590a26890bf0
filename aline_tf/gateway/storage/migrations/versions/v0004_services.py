"""Services that act for several people, what people let them do, and devices that count first."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "services",
        sa.Column("service", sa.String(32), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("service", name="pk_services"),
    )
    op.create_table(
        "service_tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("service", sa.String(32), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("digest", name="pk_service_tokens"),
        _of("services", "service_tokens", "service"),
    )
    op.create_table(
        "grants",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("service", sa.String(32), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person", "service", name="pk_grants"),
        _of("people", "grants", "person"),
        _of("services", "grants", "service"),
    )
    op.create_table(
        "devices",
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("priority", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_devices"),
        _of("people", "devices", "person"),
    )


def downgrade() -> None:
    for table in ("devices", "grants", "service_tokens", "services"):
        op.drop_table(table)


def _of(owner: str, table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{owner}.{column}"], ondelete="CASCADE", name=f"fk_{table}_{column}"
    )
