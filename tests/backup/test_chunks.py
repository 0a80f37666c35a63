"""A large database lies in chunks: stored once, joined again, and named when one is damaged."""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup import chunks, digest, keys, lists, transfer
from backup.catalogue import Catalogue, Use
from backup.keys import Role
from backup.manifest import Manifest, Object
from backup.plan import Level
from backup.store import Store
from tests.backup.house import House, build, fill_postgresql, in_a_process
from tests.backup.test_crash import assert_next_run_works, assert_nothing_half, die_at_step
from tests.backup.test_damage import flipped, named

LETTERS = "ابپتجدرسشعفقکگلمنوهی abcdefghij"


@pytest.fixture
def large(tmp_path: Path) -> House:
    """Give an installation whose database is sealed in chunks, a dozen of them."""
    house = build(tmp_path)
    house = replace(house, plan=replace(house.plan, chunks_from=0))
    write_people(house, 6_000)
    return house


def write_people(house: House, count: int) -> None:
    dice = random.Random(1405)  # noqa: S311 - words, no secrets
    rows = [(1, "".join(dice.choices(LETTERS, k=200))) for _ in range(count)]
    with closing(sqlite3.connect(house.database)) as connection:
        connection.executemany("INSERT INTO people (company_id, name) VALUES (?, ?)", rows)
        connection.commit()


def chunk_names(house: House, made: Manifest) -> list[str]:
    folder = house.store.set_folder(made.id)
    return [chunk.object.name for chunk in lists.chunks(folder, made)]


def test_the_chunks_are_the_database(large: House) -> None:
    made = large.back_up()

    assert made.database.part == "database.tsv"
    assert made.database.chunk_bytes == chunks.SMALLEST
    assert len(chunk_names(large, made)) > 8
    assert large.verify(made.id).ok
    restored = large.restore(made.id)
    assert digest.sqlite_tables(restored.database) == made.tables
    assert restored.database.read_bytes()[:15] == b"SQLite format 3"


def test_a_day_stores_what_changed_on_it(large: House) -> None:
    first = large.back_up()
    same = large.back_up()
    large.query("UPDATE people SET name = 'another' WHERE id = 2000")
    changed = large.back_up()

    assert same.objects.added_bytes == 0
    assert chunk_names(large, same) == chunk_names(large, first)
    assert 1 <= len({*chunk_names(large, changed)} - {*chunk_names(large, first)}) <= 2
    assert changed.objects.added_bytes < first.objects.added_bytes / 3
    assert all(large.verify(each.id).ok for each in (first, same, changed))


def test_what_counts_and_weighs_is_what_lies_there(large: House) -> None:
    made = large.back_up()

    found = {path.name: path.stat().st_size for path in large.store.objects.glob("??/*")}
    assert {each.name for each in large.objects(made)} == set(found)
    assert (made.objects.count, made.objects.bytes) == (len(found), sum(found.values()))
    assert made.objects.added_bytes == made.objects.bytes


@pytest.mark.parametrize("level", [*Level])
def test_a_damaged_chunk_is_named_and_sealed_anew(large: House, level: Level) -> None:
    made = large.back_up()
    name = chunk_names(large, made)[3]
    path = large.store.object_path(name)
    path.write_bytes(flipped(path.read_bytes(), 300))

    result = large.verify(made.id, level)

    assert named(result, name)
    assert result.damaged == (name,)
    again = large.back_up()
    assert name not in chunk_names(large, again)
    assert large.verify(again.id).ok


@pytest.mark.parametrize("left", [0, 100, -1, None])
def test_a_cut_or_missing_chunk_is_named(large: House, left: int | None) -> None:
    made = large.back_up()
    name = chunk_names(large, made)[-1]
    path = large.store.object_path(name)
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:left])

    for level in Level:
        assert named(large.verify(made.id, level), name)


def test_two_chunks_swapped_are_named(large: House) -> None:
    made = large.back_up()
    one, other = (large.store.object_path(name) for name in chunk_names(large, made)[:2])
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)

    result = large.verify(made.id)

    assert named(result, one.name)
    assert named(result, other.name)


@pytest.mark.parametrize("name", ["database.tsv", "objects.tsv"])
def test_a_changed_list_is_named(large: House, name: str) -> None:
    made = large.back_up()
    path = large.store.set_folder(made.id) / name
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    for damaged in (flipped(content, 5), content[:-10], b"".join(reversed(lines)), b""):
        path.write_bytes(damaged)
        for level in Level:
            assert named(large.verify(made.id, level), name)
    path.unlink()
    assert named(large.verify(made.id), name)


def test_a_damaged_dictionary_is_named_and_replaced(large: House) -> None:
    made = large.back_up()
    words = made.database.dictionary
    assert words is not None
    path = large.store.object_path(words.object.name)
    path.write_bytes(flipped(path.read_bytes(), 300))

    assert named(large.verify(made.id), words.object.name)
    again = large.back_up()
    assert again.database.dictionary != words
    assert large.verify(again.id).ok


def test_without_the_kept_dictionary_a_new_one_is_made(large: House) -> None:
    first = large.back_up()
    write_people(large, 3_000)
    (kept,) = large.plan.scratch.glob("dictionary-at-*")
    kept.unlink()

    second = large.back_up()

    assert second.database.dictionary != first.database.dictionary
    assert large.verify(first.id).ok
    assert large.verify(second.id).ok


def test_a_database_that_has_grown_much_gets_a_new_dictionary(large: House) -> None:
    first = large.back_up()
    write_people(large, 30_000)

    second = large.back_up()

    assert second.database.dictionary != first.database.dictionary
    assert large.verify(second.id).ok


def test_new_recipients_share_no_chunk_with_the_old_ones(large: House) -> None:
    first = large.back_up()
    keys.renew_drill_key(large.keys.folder)
    renewed = large.reload_keys()

    second = renewed.back_up()

    assert not {*chunk_names(renewed, second)} & {*chunk_names(large, first)}
    assert {each.role for each in second.recipients} == {*Role}
    assert renewed.verify(second.id).ok


def test_an_exported_backup_takes_its_chunks_along(large: House, tmp_path: Path) -> None:
    large.back_up()
    made = large.back_up()
    file = transfer.export_set(large.store, made.id, tmp_path / "b.tar", trust=large.keys.trust)
    other = Store.create(tmp_path / "elsewhere" / "backups")
    outgoing = transfer.send(large.store, made.id, trust=large.keys.trust)

    transfer.import_set(other, file, trust=large.keys.trust)

    assert replace(large, store=other).verify(made.id).ok
    assert sum(len(block) for block in outgoing.blocks) == outgoing.size


def test_killed_at_every_touch_of_the_disk(large: House) -> None:
    first = large.back_up()
    large.query("UPDATE people SET name = name || '!' WHERE id BETWEEN 500 AND 900")
    killed = 0
    for number in range(1, 400, 3):

        def work(step: int = number) -> None:
            die_at_step(step)
            large.back_up()

        if in_a_process(work) == 0:
            break
        killed += 1
        assert_nothing_half(large, [first.id])
        for published in set(large.store.set_ids()) - {first.id}:
            large.store.remove(published)
    assert killed > 10
    assert_next_run_works(large)


def test_a_dump_of_postgresql_lies_in_chunks_too(tmp_path: Path, empty_postgres_url: str) -> None:
    fill_postgresql(empty_postgres_url)
    house = build(tmp_path).with_database(empty_postgres_url)
    house = replace(house, plan=replace(house.plan, chunks_from=0))

    made = house.back_up()

    assert made.database.part == "database.tsv"
    assert house.verify(made.id).ok


@given(st.binary(max_size=2_000), st.integers(1, 64))
@settings(max_examples=60, deadline=None)
def test_whatever_is_cut_joins_again(content: bytes, size: int) -> None:
    for cut in (chunks.pages, chunks.lines):
        assert b"".join(cut(BytesIO(content), size)) == content


def test_lines_are_cut_where_they_were_after_a_row_was_added() -> None:
    dice = random.Random(7)  # noqa: S311 - words, no secrets
    rows = ["".join(dice.choices(LETTERS, k=100)).encode() + b"\n" for _ in range(60_000)]
    before = [*chunks.lines(BytesIO(b"".join(rows)), chunks.SMALLEST)]
    rows.insert(20_000, b"a row that was not there\n")
    after = [*chunks.lines(BytesIO(b"".join(rows)), chunks.SMALLEST)]

    assert len({*after} - {*before}) <= len(before) // 8


def test_a_database_of_any_size_has_a_bounded_number_of_chunks() -> None:
    for total in (0, 1, 1 << 30, 1 << 34, 1 << 40):
        assert total / chunks.chunk_bytes(total) <= chunks.MOST


def test_the_catalogue_knows_each_object_once() -> None:
    one, other = (Object(letter * 64, 1, "c" * 64) for letter in "ab")
    catalogue = Catalogue()
    catalogue.learn([one, replace(one, bytes=2), other])

    assert catalogue.find(one.name) == one
    assert catalogue.find("d" * 64) is None
    assert catalogue.use(one.name, Use.FILE)
    assert not catalogue.use(one.name, Use.FILE)
    assert catalogue.use(other.name, Use.DATABASE)
    assert [*catalogue.attachments()] == [one]
    assert catalogue.used() == (2, 2)
    catalogue.close()
