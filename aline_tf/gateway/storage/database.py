"""One database by one URL, brought up to date when it is opened.

SQLite is used in WAL mode, where readers do not wait for writers, and with every commit on disk
before it is acknowledged. Writers take their lock at the beginning of a transaction: one that asked
for it later would fail where it could have waited.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from aline_tf.errors import InputError

#: Seconds that a writer waits for another one.
PATIENCE_S = 15
_DIALECTS = ("sqlite", "postgresql")


class Database:
    """A database with the tables of the gateway.

    Args:
        url: SQLAlchemy's, as sqlite:///gateway.db or postgresql+psycopg://user@host/name.

    Raises:
        InputError: not such a URL, or a database in memory, which no two threads share.

    Example:
        >>> import pathlib, tempfile
        >>> from aline_tf.gateway import Database
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     database = Database(f"sqlite:///{pathlib.Path(folder, 'gateway.db')}")
        ...     database.upgrade()
        ...     with database.reading() as connection:
        ...         print(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
        ...     database.close()
        wal
    """

    def __init__(self, url: str):
        try:
            parsed = make_url(url)
            dialect = parsed.get_backend_name()
        except ArgumentError as error:
            raise InputError(f"expected the URL of a database; received {url!r}") from error
        if dialect not in _DIALECTS:
            raise InputError(f"expected a database of {' or '.join(_DIALECTS)}; received {dialect}")
        if dialect == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise InputError(f"expected a file of a database; received {url!r}, which names none")
        try:
            self.engine: Engine = create_engine(parsed, pool_pre_ping=dialect != "sqlite")
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise InputError(
                f"expected a driver that is installed for {dialect}; received {parsed.drivername}"
            ) from error
        self.dialect = dialect
        if dialect == "sqlite":
            _sqlite_events(self.engine)

    def upgrade(self) -> None:
        """Bring the tables to those of this version; one process at a time does it.

        Raises:
            InputError: the database cannot be opened, or is of a later version.
        """
        from aline_tf.gateway.storage.upgrade import upgrade

        upgrade(self)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout."""
        with self.engine.connect() as connection:
            if self.dialect == "postgresql":
                # Otherwise each of its statements sees what was committed before that one.
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are all kept when the block ends, or none if it raises."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection that nobody is using."""
        self.engine.dispose()


def _sqlite_events(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection, _):
        # Transactions begin below; Python's driver would begin them at another moment.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {1000 * PATIENCE_S}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            # What was erased is overwritten.
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection):
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
