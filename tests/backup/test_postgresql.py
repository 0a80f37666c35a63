"""PostgreSQL with its own tools: one moment, a real drill, damage named, databases exchanged."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from backup import cluster, postgresql, restore, switch
from backup.keys import Trust
from backup.plan import Level, Stage
from backup.restore import Access
from backup.switch import Names, Phase
from server.core.errors import Broken, Conflict, Missing, Unreachable
from tests.backup.house import House, ask_postgresql, die, in_a_process


@pytest.fixture
def drills(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder in which drills start their servers, to this test alone."""
    folder = Path(tempfile.mkdtemp(prefix="daftar-test-", dir=cluster.PLACE))
    folder.chmod(0o711)
    monkeypatch.setattr(cluster, "PLACE", folder)
    yield folder
    folder.rmdir()


def test_a_backup_is_restored_for_real_by_a_server_of_its_own(
    postgres_house: House, drills: Path
) -> None:
    made = postgres_house.back_up()

    found = postgres_house.verify(made.id)

    assert found.ok, found.problems
    assert found.level is Level.DRILL
    assert found.restore_seconds is not None
    assert {table.name: table.rows for table in made.tables} == {"companies": 2, "people": 500}
    assert list(drills.iterdir()) == []


def test_a_drill_can_use_a_database_of_a_given_server(postgres_house: House) -> None:
    from backup import verify

    url = postgres_house.plan.database_url
    made = postgres_house.back_up()
    how = replace(postgres_house.how(), scratch_server=url)

    assert verify.verify(postgres_house.store, made.id, how).ok
    assert not ask_postgresql(url, "SELECT 1 FROM pg_database WHERE datname LIKE '%drill%'")


def test_the_dump_is_of_the_moment_that_was_counted(postgres_house: House) -> None:
    from backup import run

    url = postgres_house.plan.database_url

    def meddle(stage: Stage, _done: int, _total: int) -> None:
        if stage is Stage.DATABASE:
            ask_postgresql(url, "INSERT INTO companies (name) VALUES ('too late')")

    made = run.back_up(postgres_house.plan, postgres_house.store, progress=meddle)

    assert postgres_house.verify(made.id).ok


def test_a_changed_row_is_found_in_the_restored_database(postgres_house: House) -> None:
    made = postgres_house.back_up()
    url = postgresql.create_database(postgres_house.plan.database_url, "changed")
    try:
        with postgres_house.store.reading():
            restore.restore(
                postgres_house.store,
                made.id,
                postgres_house.root / "r",
                access=postgres_house.access,
                database_url=url,
            )
        ask_postgresql(url, "UPDATE people SET score = score + 1 WHERE id = 7")
        problems = restore.compare(postgresql.tables(url), made)
    finally:
        postgresql.drop_database(postgres_house.plan.database_url, "changed")

    assert problems == ["The content of table people differs."]


def test_a_restore_refuses_a_database_with_tables(postgres_house: House) -> None:
    made = postgres_house.back_up()

    with pytest.raises(Conflict) as refused:
        restore.restore(
            postgres_house.store,
            made.id,
            postgres_house.root / "r",
            access=postgres_house.access,
            database_url=postgres_house.plan.database_url,
        )

    assert refused.value.code == "not_empty"


def test_a_server_that_does_not_answer_is_named(house: House, tmp_path: Path) -> None:
    away = house.with_database(f"postgresql+psycopg://daftar@/daftar?host={tmp_path}")

    with pytest.raises(Unreachable):
        away.back_up()

    assert house.store.set_ids() == []


def test_a_dump_that_dies_half_way_leaves_nothing(postgres_house: House) -> None:
    """The output is cut where it is no longer asked for: the next backup is whole."""
    from backup import run

    def work() -> None:
        run.back_up(
            postgres_house.plan,
            postgres_house.store,
            progress=lambda stage, _d, _t: die() if stage is Stage.DATABASE else None,
        )

    assert in_a_process(work) == -9
    assert postgres_house.store.set_ids() == []
    assert postgres_house.verify(postgres_house.back_up().id).ok


def test_a_killed_drill_leaves_no_server_behind(postgres_house: House, drills: Path) -> None:
    from backup import verify

    made = postgres_house.back_up()

    def work() -> None:
        verify.verify(
            postgres_house.store,
            made.id,
            postgres_house.how(),
            progress=lambda stage, _d, _t: die() if stage is Stage.CHECK else None,
        )

    assert in_a_process(work) == -9
    assert postgres_house.verify(made.id).ok
    assert list(drills.iterdir()) == []
    assert [path for path in (postgres_house.root / "scratch").iterdir() if path.is_dir()] == []


def exchanged(house: House, names: Names) -> tuple[restore.Report, str]:
    """Restore beside the live database, ready to be exchanged."""
    url = house.plan.database_url
    made = house.back_up()
    house.attach(b"came later")
    ask_postgresql(url, "DELETE FROM people")
    into = postgresql.create_database(url, names.restored)
    report = restore.restore(
        house.store,
        made.id,
        house.root / "keep" / "restored",
        access=house.access,
        database_url=into,
    )
    return report, postgresql.with_database(url, "postgres")


@pytest.fixture
def names(postgres_house: House) -> Names:
    live = postgresql.database_name(postgres_house.plan.database_url)
    return Names(live, f"{live}_restored", f"{live}_kept")


def test_databases_and_files_are_exchanged_and_back(postgres_house: House, names: Names) -> None:
    house, keep = postgres_house, postgres_house.root / "keep"
    report, admin = exchanged(house, names)

    switch.switch_in_postgresql(report, house.files, keep, names=names, admin_url=admin)
    assert ask_postgresql(house.plan.database_url, "SELECT count(*) FROM people") == [(500,)]
    assert len([each for each in house.files.rglob("*") if each.is_file()]) == 4

    switch.undo(keep, admin)
    assert ask_postgresql(house.plan.database_url, "SELECT count(*) FROM people") == [(0,)]
    assert len([each for each in house.files.rglob("*") if each.is_file()]) == 5
    assert switch.read(keep).phase is Phase.UNDONE
    postgresql.drop_database(admin, names.restored)


def test_an_exchange_in_use_is_refused_and_nothing_moved(
    postgres_house: House, names: Names
) -> None:
    house, keep = postgres_house, postgres_house.root / "keep"
    report, admin = exchanged(house, names)

    with (
        psycopg.connect(postgresql.conninfo(house.plan.database_url)),
        pytest.raises((Conflict, Missing)),
    ):
        switch.switch_in_postgresql(report, house.files, keep, names=names, admin_url=admin)

    assert ask_postgresql(house.plan.database_url, "SELECT count(*) FROM people") == [(0,)]
    assert len([each for each in house.files.rglob("*") if each.is_file()]) == 5
    postgresql.drop_database(admin, names.restored)


def test_without_trust_in_the_signer_nothing_is_restored(postgres_house: House) -> None:
    made = postgres_house.back_up()

    with pytest.raises(Broken):
        restore.restore(
            postgres_house.store,
            made.id,
            postgres_house.root / "r",
            access=Access(postgres_house.working, Trust(())),
        )
