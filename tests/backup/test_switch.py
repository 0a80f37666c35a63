"""Exchanging live data: whole or not at all, wherever it is killed, with a way back."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backup import restore, switch
from backup.restore import Report
from backup.switch import Live, Phase
from server.core.errors import Conflict, NotFound
from tests.backup.house import House, in_a_process, query
from tests.backup.test_crash import die_at_step


def prepared(house: House) -> tuple[Report, Live, Path]:
    """Back up, ruin the live data, restore beside it."""
    made = house.back_up()
    house.query("DELETE FROM people")
    house.attach(b"came later")
    keep = house.root / "data" / "keep"
    report = restore.restore(house.store, made.id, keep / "restored", access=house.access)
    return report, Live(house.database, house.files), keep


def people(house: House) -> int:
    return int(str(query(house.database, "SELECT count(*) FROM people")[0][0]))


def attachments(house: House) -> int:
    return len([each for each in house.files.rglob("*") if each.is_file()])


def test_the_backup_is_live_and_the_old_data_is_kept(house: House) -> None:
    report, live, keep = prepared(house)

    done = switch.switch_in(report, live, keep)

    assert done.phase is Phase.SWITCHED
    assert (people(house), attachments(house)) == (500, 4)
    assert query(keep / "old" / "daftar.sqlite3", "SELECT count(*) FROM people") == [(0,)]


def test_what_stood_beside_the_old_database_does_not_spoil_the_new(house: House) -> None:
    report, live, keep = prepared(house)
    with closing(sqlite3.connect(house.database)) as connection:
        connection.execute("INSERT INTO ledger (amount) VALUES (1)")
        connection.commit()
        wal = house.database.with_name("daftar.sqlite3-wal")
        shutil.copyfile(wal, wal.with_suffix(".saved"))
    shutil.copyfile(wal.with_suffix(".saved"), wal)  # as a killed service leaves it

    switch.switch_in(report, live, keep)

    assert query(house.database, "PRAGMA integrity_check") == [("ok",)]
    assert people(house) == 500
    assert (keep / "old" / "daftar.sqlite3-wal").is_file()


def test_undo_puts_everything_back_as_it_was(house: House) -> None:
    report, live, keep = prepared(house)
    switch.switch_in(report, live, keep)
    house.query("INSERT INTO ledger (amount) VALUES (77)")

    switch.undo(keep)
    switch.undo(keep)

    assert (people(house), attachments(house)) == (0, 5)
    assert query(keep / "restored" / "db" / "daftar.sqlite3", "SELECT amount FROM ledger") == [
        (77,)
    ]


def test_killed_at_every_touch_of_the_disk_the_live_data_is_whole(house: House) -> None:
    report, live, keep = prepared(house)
    pristine = house.root / "pristine"
    shutil.copytree(house.root / "data", pristine)
    states = set()
    for number in range(1, 200):

        def work(step: int = number) -> None:
            die_at_step(step, "/keep")
            switch.switch_in(report, live, keep)

        ended = in_a_process(work)
        switch.recover(keep)
        state = (people(house), attachments(house))
        assert state in {(0, 5), (500, 4)}
        states.add(state)
        if ended == 0:
            break
        shutil.rmtree(house.root / "data")
        shutil.copytree(pristine, house.root / "data")
    assert ended == 0
    assert number > 8
    assert states == {(0, 5), (500, 4)}


def test_a_second_switch_into_the_same_folder_is_refused(house: House) -> None:
    report, live, keep = prepared(house)
    switch.switch_in(report, live, keep)

    with pytest.raises(Conflict) as refused:
        switch.switch_in(report, live, keep)

    assert refused.value.code == "switch_exists"


def test_there_is_nothing_to_undo_where_nothing_was_done(house: House) -> None:
    with pytest.raises(NotFound):
        switch.undo(house.root)
    switch.recover(house.root)


def test_a_killed_restore_leaves_nothing_that_looks_whole(house: House) -> None:
    made = house.back_up()
    into = house.root / "elsewhere" / "restored"
    for number in range(1, 120):

        def work(step: int = number) -> None:
            die_at_step(step, "/elsewhere")
            restore.restore(house.store, made.id, into, access=house.access)

        if in_a_process(work) == 0:
            break
        if into.exists():
            shutil.rmtree(into)  # it was whole: only the sync of its folder was missing
    assert number > 8
    assert query(into / "db" / "daftar.sqlite3", "SELECT count(*) FROM people") == [(500,)]
