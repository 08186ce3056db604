"""The whole path on PostgreSQL: the real `connector serve` on a private cluster."""

import contextlib

import pytest

from connector.store import open_store
from connector.store.tables import REVISION
from tests import postgres
from tests.installation import SAMPLE, Installation, customer, wait_for


@contextlib.contextmanager
def on_postgres(folder, crm, template="migrated"):
    with postgres.database(template, tcp=True) as url:
        installed = Installation(folder, crm.port, csv=True, database=url.replace("test@", "test:geheim@"), lease="2s")
        try:
            yield installed
        finally:
            installed.stop()


def rows(installed):
    book = installed.folder / "contacts.csv"
    return book.read_text(encoding="utf-8-sig").splitlines()[1:] if book.exists() else []


@pytest.mark.slow
def test_a_store_that_is_not_up_to_date_is_refused_with_the_cure(tmp_path, crm):
    with on_postgres(tmp_path, crm, "template0") as installed:
        for command in ("serve", "worker", "_door"):
            code, _, said = installed.cli(command)
            assert (code, "run `connector db upgrade`" in said) == (1, True), (command, said)
        code, said, _ = installed.cli("db", "upgrade")
        assert (code, f"now schema {REVISION}" in said, "test:***@" in said) == (0, True, True)
        assert "geheim" not in said


def test_a_webhook_is_a_row_and_again_is_none(tmp_path, crm):
    with on_postgres(tmp_path, crm) as installed:
        installed.serve()
        assert [installed.post(SAMPLE)[0] for _ in range(3)] == [202, 200, 200]
        wait_for(lambda: len(rows(installed)) == 1 and len(crm.all()["contacts"]) == 1)
        # The server goes away under both: the door says 503 until it is back, and nothing that was acked is missing.
        postgres.cluster().stop()
        try:
            assert installed.post(customer(1))[0] == 503
        finally:
            postgres.cluster().start()
        wait_for(lambda: installed.post(customer(1))[0] in {200, 202})
        assert installed.post(customer(1))[0] == 200
        wait_for(lambda: len(rows(installed)) == 2 and len(crm.all()["contacts"]) == 2)
        assert "geheim" not in installed.log()
        with contextlib.closing(open_store(postgres_url(installed))) as store:
            assert {state for _, state in store.desk.counts()} == {"delivered"}
            assert store.desk.event_counts() == {"accepted": 2}


def postgres_url(installed):
    return (installed.folder / "config.yaml").read_text().split('"')[1]
