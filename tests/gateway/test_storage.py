"""The database: migrations, writers beside each other, tokens, on SQLite and on PostgreSQL."""

import threading

import pytest

from aline_tf.errors import InputError
from aline_tf.gateway.storage import payloads, people
from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.last_forecasts import keep_forecast, last_forecast
from aline_tf.gateway.storage.tables import METADATA

ACCOUNT = {"read": 1, "skipped": 0, "unused": 0, "by": {}, "examples": {}, "notes": []}


@pytest.fixture(scope="module")
def postgres_database(postgres):
    return postgres.database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    else:
        database = Database(request.getfixturevalue("postgres_database"))
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def person(database):
    with database.writing() as connection:
        return people.add_person(connection, 1000)


class TestMigrations:
    def test_they_lead_to_the_tables_of_the_code(self, database):
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext

        with database.reading() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, METADATA) == []

    def test_once_more_changes_nothing(self, database, person):
        database.upgrade()
        with database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1
        with database.writing() as connection:
            assert people.issue_token(connection, person, "phone", 1).startswith("aline_")

    @pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
    def test_several_processes_may_start_at_once(self, request, tmp_path, dialect):
        url = f"sqlite:///{tmp_path / 'new.db'}"
        if dialect == "postgresql":
            url = request.getfixturevalue("postgres").database()
        databases = [Database(url) for _ in range(4)]
        failures = []

        def upgrade(database):
            try:
                database.upgrade()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=upgrade, args=[each]) for each in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        for each in databases:
            each.close()

    def test_a_later_version_is_refused(self, tmp_path):
        database = Database(f"sqlite:///{tmp_path / 'later.db'}")
        database.upgrade()
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(InputError, match="this version or before; received revision 9999"):
            database.upgrade()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("nonsense", "the URL of a database"),
            ("mysql://x/y", "sqlite or postgresql"),
            ("sqlite://", "a file of a database"),
            ("sqlite:///:memory:", "a file of a database"),
            ("postgresql+nothing://x/y", "a driver that is installed"),
        ],
    )
    def test_databases_that_cannot_be_meant(self, url, message):
        with pytest.raises(InputError, match=message):
            Database(url)

    def test_a_database_that_cannot_be_opened_is_named_without_its_password(self, tmp_path):
        with pytest.raises(InputError, match="a database that can be opened"):
            Database(f"sqlite:///{tmp_path / 'nowhere' / 'gateway.db'}").upgrade()
        with pytest.raises(InputError) as refused:
            Database("postgresql+psycopg://me:secret@127.0.0.1:1/x").upgrade()
        assert "127.0.0.1" in str(refused.value) and "secret" not in str(refused.value)


class TestPayloads:
    def test_one_client_id_is_one_payload_whoever_writes_first(self, database, person):
        """Eight writers send the same eight payloads, each in another order."""
        receipts, failures = [], []

        def send(first):
            for step in range(8):
                key = (first + step) % 8
                try:
                    receipts.append(
                        payloads.keep(
                            database, person, f"key-{key}", "readings", b"%d" % key, ACCOUNT, 5
                        )
                    )
                except Exception as error:
                    failures.append(error)

        threads = [threading.Thread(target=send, args=[first]) for first in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == [] and len(receipts) == 64
        assert sum(not receipt.repeated for receipt in receipts) == 8
        with database.reading() as connection:
            kept = list(payloads.payloads_after(connection, person, 0))
            assert payloads.number_of_payloads(connection, person) == 8
        assert sorted(content for _, content in kept) == [b"%d" % key for key in range(8)]

    def test_pages_lose_nothing(self, database, person, monkeypatch):
        monkeypatch.setattr(payloads, "AT_ONCE", 3)
        for key in range(7):
            payloads.keep(database, person, str(key), "readings", b"%d" % key, ACCOUNT, 5)
        with database.reading() as connection:
            kept = [content for _, content in payloads.payloads_after(connection, person, 0)]
            middle = payloads.receipt(connection, person, "3").number
            rest = [content for _, content in payloads.payloads_after(connection, person, middle)]
        assert kept == [b"%d" % key for key in range(7)] and rest == kept[4:]

    def test_who_reads_sees_one_state_whatever_is_written_meanwhile(self, database, person):
        payloads.keep(database, person, "a", "readings", b"1", ACCOUNT, 5)
        with database.reading() as connection:
            assert payloads.number_of_payloads(connection, person) == 1
            payloads.keep(database, person, "b", "readings", b"2", ACCOUNT, 5)
            assert payloads.number_of_payloads(connection, person) == 1
            assert len(list(payloads.payloads_after(connection, person, 0))) == 1
        with database.reading() as connection:
            assert payloads.number_of_payloads(connection, person) == 2

    def test_another_content_under_the_same_id_is_refused(self, database, person):
        payloads.keep(database, person, "a", "readings", b"1", ACCOUNT, 5)
        with pytest.raises(payloads.ClientIdTaken):
            payloads.keep(database, person, "a", "readings", b"2", ACCOUNT, 5)

    def test_nothing_is_kept_of_a_person_who_is_erased(self, database, person):
        payloads.keep(database, person, "a", "readings", b"1", ACCOUNT, 5)
        with database.writing() as connection:
            keep_forecast(connection, person, {"risk": 0.5}, 6)
            keep_forecast(connection, person, {"risk": 0.6}, 7)
            assert last_forecast(connection, person) == (7, {"risk": 0.6})
            somebody = people.Person(person, None, "phone")
            assert people.erase(connection, somebody, 8)
            assert not people.erase(connection, somebody, 9)
        with database.reading() as connection:
            assert payloads.number_of_payloads(connection, person) == 0
            assert last_forecast(connection, person) is None
        with pytest.raises(payloads.PersonErased):
            payloads.keep(database, person, "b", "readings", b"1", ACCOUNT, 5)


class TestTokens:
    def test_a_token_is_found_until_it_is_revoked_and_stands_nowhere(self, database, person):
        with database.writing() as connection:
            token = people.issue_token(connection, person, "phone", 1)
            assert people.person_of(connection, token).id == person
            rows = connection.exec_driver_sql("SELECT * FROM tokens").all()
            assert token not in str(rows) and token.removeprefix("aline_") not in str(rows)
            assert people.revoke_token(connection, token, 2)
            assert not people.revoke_token(connection, token, 3)
            assert people.person_of(connection, token) is None

    @pytest.mark.parametrize("label", ["", " ", "x" * 81, "a\nb"])
    def test_labels_that_cannot_be_shown(self, database, person, label):
        with database.writing() as connection, pytest.raises(InputError, match="a label of 1 to"):
            people.issue_token(connection, person, label, 1)

    def test_no_such_person_and_no_such_zone(self, database):
        with database.writing() as connection:
            with pytest.raises(InputError, match="the id of a person"):
                people.issue_token(connection, "nobody", "phone", 1)
            with pytest.raises(InputError, match="a time zone"):
                people.add_person(connection, 1, "Mars/Olympus")
