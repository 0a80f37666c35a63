"""Copies on another disk: full, damaged at the source, restored from directly."""

import os
import resource
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from backup import fetching, restore, run
from backup.restore import Access
from backup.store import Store
from server.core.errors import Broken, DaftarError
from tests.backup.copies import in_a_folder
from tests.backup.house import House, in_a_process


def test_a_full_disk_leaves_the_earlier_copies(house: House) -> None:
    copies = in_a_folder(house)
    first = house.back_up()
    copies.copy()
    house.attach(os.urandom(60_000))
    house.back_up()

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            copies.copy()
        except DaftarError as refusal:
            os._exit(7 if refusal.code == "disk_full" else 8)

    assert in_a_process(work) == 7
    assert copies.there() == [first.id]
    assert not list(Path(copies.where.url).rglob(".part-*"))
    assert copies.copy() > 0
    assert len(copies.there()) == 2


def test_what_is_damaged_here_is_not_copied(house: House) -> None:
    copies = in_a_folder(house)
    made = house.back_up()
    path = house.store.object_path(house.objects(made)[0].name)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))

    with pytest.raises(Broken, match="not what was sealed"):
        copies.copy()

    assert copies.there() == []


def test_a_disk_with_copies_is_a_place_to_restore_from(house: House) -> None:
    copies = in_a_folder(house)
    made = house.back_up()
    copies.copy()
    report = restore.restore(
        Store(Path(copies.where.url)),
        made.id,
        house.root / "elsewhere",
        access=Access(house.escrow, house.keys.trust),
    )
    assert report.manifest.id == made.id


def test_a_database_in_chunks_is_copied_and_fetched(house: House) -> None:
    copies = in_a_folder(house)
    made = run.back_up(replace(house.plan, chunks_from=1), house.store)
    copies.copy()
    assert copies.verify(made.id).ok
    house.store.remove(made.id)
    with copies.place() as place:
        fetching.fetch(place, house.store, made.id, house.keys.trust)
    assert house.verify(made.id).ok
