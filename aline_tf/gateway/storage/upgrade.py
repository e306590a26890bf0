"""Migrations, run by Alembic when a database is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from aline_tf.errors import InputError

if TYPE_CHECKING:
    from aline_tf.gateway.storage.database import Database

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
#: Any number that no other program takes for its lock in the same PostgreSQL.
_LOCK = 0x616C696E


def alembic_config(connection=None) -> Config:
    """The configuration of Alembic, without a file.

    Args:
        connection: in which the migrations run.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> None:
    """Bring a database to the tables of this version, in one transaction.

    Raises:
        InputError: it cannot be opened, or is of a later version.
    """
    known = {
        script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    }
    try:
        with database.writing() as connection:
            if database.dialect == "postgresql":
                # Released with the transaction; SQLite's own lock is taken already.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            found = MigrationContext.configure(connection).get_current_revision()
            if found is not None and found not in known:
                raise InputError(
                    f"expected a database of this version or before; received revision {found}"
                )
            command.upgrade(alembic_config(connection), "head")
    except OperationalError as error:
        place = database.engine.url.render_as_string(hide_password=True)
        raise InputError(
            f"expected a database that can be opened; received {place}: {error.orig}"
        ) from error
