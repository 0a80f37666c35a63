"""Copies elsewhere as the product drives them: settings, lights, jobs and commands."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from backup.copying import Found
from backup.places.standing import Book, Cause, Light, Standing, judge, to_remove
from backup.plan import Kind
from backup.retention import Policy
from backup.store import MARKER
from installer.steps.toml import render_settings
from server.backups.places import Carrier, PlaceShown, PlacesOffice
from server.core.actor import SYSTEM
from server.core.config import check_settings, load_settings
from server.core.errors import Conflict, Invalid, Missing
from server.core.place_settings import PlaceSettings
from tests.server.backups.home import Home
from tests.support.storage import Server, object_storage, sshd

MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)
FIRST, SECOND = "20261124T021500Z-aaaaaa", "20261125T021500Z-bbbbbb"
LATE = timedelta(hours=48)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Give the folder of a disk that is plugged in."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def with_places(home: Home, *places: PlaceSettings) -> Home:
    settings = home.settings
    settings = replace(settings, backup=replace(settings.backup, places=places))
    (settings.home / "daftar.toml").write_text(render_settings(settings), encoding="utf8")
    return replace(home, settings=settings)


def usb(disk: Path) -> PlaceSettings:
    return PlaceSettings(name="usb", url=str(disk))


def shown(home: Home) -> PlaceShown:
    return PlacesOffice(home.office).shown(home.cast.root)[0]


def test_the_settings_are_read_as_they_were_written(sqlite_home: Home, disk: Path) -> None:
    home = with_places(sqlite_home, usb(disk), PlaceSettings(name="b", url="/x", append_only=True))

    assert load_settings(home.settings.home) == home.settings


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (PlaceSettings(name="Big", url="/x"), "name"),
        (PlaceSettings(name="a", url="relative"), "url"),
        (PlaceSettings(name="a", kind="ftp", url="/x"), "kind"),
        (PlaceSettings(name="a", url="/x", schedule="25:00"), "schedule"),
        (PlaceSettings(name="a", url="/x", late_hours=0), "late_hours"),
        (PlaceSettings(name="a", kind="sftp", url="sftp://u@h/x", secret_file="k"), "host_key"),
        (
            PlaceSettings(name="a", kind="sftp", url="sftp://h/x", secret_file="k", host_key="k"),
            "url",
        ),
        (PlaceSettings(name="a", kind="s3", url="https://h/b"), "secret_file"),
        (PlaceSettings(name="a", kind="s3", url="https://h", secret_file="k"), "url"),
        (PlaceSettings(name="a", kind="sftp", url="sftp://u@h:port/x"), "url"),
        (PlaceSettings(name="a", url="/x", secret_file="../k"), "secret_file"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused(
    sqlite_home: Home, place: PlaceSettings, wrong: str
) -> None:
    backup = replace(sqlite_home.settings.backup, places=(place,))
    with pytest.raises(Invalid) as refusal:
        check_settings(replace(sqlite_home.settings, backup=backup))
    assert refusal.value.errors[0].field.endswith(f".{wrong}")


def test_copied_read_back_and_brought_home_by_commands(sqlite_home: Home, disk: Path) -> None:
    home = with_places(sqlite_home, usb(disk))
    made = home.office.run(home.cast.root, Kind.MANUAL)

    assert "prepare" in home.daftar("backup", "places", "copy", "usb").stderr
    assert home.daftar("backup", "places", "prepare", "usb").exit_code == 0
    copied = json.loads(home.daftar("backup", "places", "copy", "usb", "--json").stdout)
    assert copied["sets"] == [made.id]
    verified = json.loads(home.daftar("backup", "places", "verify", "usb", "--json").stdout)
    assert verified["ok"] is True
    listed = json.loads(home.daftar("backup", "places", "list", "--json").stdout)["items"][0]
    assert (listed["light"], listed["newest"], listed["verified"]) == ("green", made.id, made.id)

    shutil.rmtree(home.store.set_folder(made.id))
    fetched = home.daftar("backup", "fetch", made.id, "--from", "usb")
    assert fetched.exit_code == 0, fetched.stderr
    assert home.daftar("backup", "verify", made.id).exit_code == 0
    public = home.settings.home / "sheet.pub"
    public.write_text(home.shown_once.signer_public_pem)
    aside = home.daftar(
        *("backup", "fetch", made.id, "--from", "usb"),
        *("--into", str(disk.parent / "aside"), "--signer", str(public)),
    )
    assert aside.exit_code == 0, aside.stderr
    assert home.daftar("backup", "places", "copy", "nowhere").exit_code == 3
    assert home.daftar("backup", "fetch", FIRST, "--from", "usb").exit_code == 3


def test_a_damaged_copy_ends_with_its_own_code_and_is_sent_again(
    sqlite_home: Home, disk: Path
) -> None:
    home = with_places(sqlite_home, usb(disk))
    office = PlacesOffice(home.office)
    office.prepare(SYSTEM, "usb")
    home.office.run(home.cast.root, Kind.MANUAL)
    office.copy(SYSTEM, "usb")
    victim = next(path for path in (disk / "objects").rglob("*") if path.is_file())
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(bytes(content))

    assert home.daftar("backup", "places", "verify", "usb").exit_code == 6
    assert (shown(home).shown.light, shown(home).shown.cause) == (Light.RED, Cause.DAMAGED)

    Carrier(home.office).carry("usb")  # sends it again and reads it back
    assert shown(home).shown.light is Light.GREEN


def test_a_disk_that_is_away_is_no_error_until_it_is_late(sqlite_home: Home, disk: Path) -> None:
    home = with_places(sqlite_home, usb(disk))
    office, carrier = PlacesOffice(home.office), Carrier(home.office)
    office.prepare(SYSTEM, "usb")
    home.office.run(home.cast.root, Kind.MANUAL)
    carrier.carry("usb")
    assert shown(home).shown.light is Light.GREEN

    aside = disk.rename(disk.with_name("in-the-safe"))
    disk.mkdir()  # the folder that stays when a disk is pulled
    with pytest.raises(Missing, match="mounted"):
        office.copy(SYSTEM, "usb")
    carrier.carry("usb")
    assert list(disk.iterdir()) == []
    assert (shown(home).shown.light, shown(home).standing.away) == (Light.GREEN, True)

    with time_machine.travel(datetime.now(UTC) + timedelta(days=2), tick=True):
        newer = home.office.run(home.cast.root, Kind.DAILY)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=5), tick=True):
        assert (shown(home).shown.light, shown(home).shown.cause) == (Light.AMBER, Cause.LATE)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8), tick=True):
        assert shown(home).shown.light is Light.RED

    disk.rmdir()
    aside.rename(disk)
    carrier.carry("usb")
    assert shown(home).standing.newest == newer.id


def test_copies_that_somebody_removed_are_missed(sqlite_home: Home, disk: Path) -> None:
    home = with_places(sqlite_home, usb(disk))
    office = PlacesOffice(home.office)
    office.prepare(SYSTEM, "usb")
    made = home.office.run(home.cast.root, Kind.MANUAL)
    office.copy(SYSTEM, "usb")
    shutil.rmtree(disk / "sets" / made.id)

    office.copy(SYSTEM, "usb")

    assert (shown(home).shown.cause, shown(home).standing.vanished) == (Cause.VANISHED, (made.id,))
    office.prepare(SYSTEM, "usb")  # a person has looked into it
    assert shown(home).shown.light is Light.GREEN


def test_another_installations_place_is_left_alone(sqlite_home: Home, disk: Path) -> None:
    home = with_places(sqlite_home, usb(disk))
    (disk / MARKER).write_text(json.dumps({"place": "x", "instance": "somebody else"}))
    home.office.run(home.cast.root, Kind.MANUAL)

    for work in (PlacesOffice(home.office).prepare, PlacesOffice(home.office).copy):
        with pytest.raises(Conflict, match="another installation"):
            work(SYSTEM, "usb")
    assert [path.name for path in disk.iterdir()] == [MARKER]


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Give a machine that answers SFTP, and an object storage."""
    (tmp_path / "there").mkdir()
    with sshd(tmp_path / "ssh", tmp_path / "there") as machine, object_storage() as storage:
        yield machine, storage


def test_secrets_come_from_files(sqlite_home: Home, remote: tuple[Server, Server]) -> None:
    machine, storage = remote
    home = with_places(
        sqlite_home,
        PlaceSettings(
            name="office",
            kind="sftp",
            url=machine.url,
            host_key=machine.host_key,
            secret_file="office.key",
        ),
        PlaceSettings(name="cloud", kind="s3", url=storage.url, secret_file="cloud.key"),
    )
    (home.settings.secrets / "office.key").write_text(machine.secret)
    (home.settings.secrets / "cloud.key").write_text(storage.secret)
    made = home.office.run(home.cast.root, Kind.MANUAL)
    office, carrier = PlacesOffice(home.office), Carrier(home.office)
    for name in ("office", "cloud"):
        office.prepare(SYSTEM, name)
        carrier.carry(name)

    assert [each.standing.verified for each in office.shown(home.cast.root)] == [made.id, made.id]
    assert {each.shown.light for each in office.shown(home.cast.root)} == {Light.GREEN}


def test_each_place_has_a_job_with_its_own_schedule(sqlite_home: Home, disk: Path) -> None:
    home = with_places(
        sqlite_home, usb(disk), PlaceSettings(name="share", url="/mnt/share", schedule="03:30")
    )
    hourly, nightly = Carrier(home.office).jobs()

    assert hourly.next_after(MORNING) == MORNING + timedelta(hours=1)
    assert nightly.next_after(MORNING) == datetime(2026, 11, 25, 3, 30, tzinfo=UTC)


def standing(**facts: object) -> Standing:
    start = Standing(first_seen_at=MORNING, id="d", sets=(FIRST,))
    return replace(start, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("there", "hours", "light", "cause"),
    [
        (standing(), 1, Light.GREEN, Cause.GOOD),
        (standing(), 24 + 47, Light.GREEN, Cause.GOOD),
        (standing(), 24 + 49, Light.AMBER, Cause.LATE),
        (standing(), 24 + 97, Light.RED, Cause.LATE),
        (standing(away=True, problem="away"), 1, Light.GREEN, Cause.GOOD),
        (standing(problem="no room"), 1, Light.AMBER, Cause.REFUSED),
        (standing(sets=()), 1, Light.AMBER, Cause.NEVER),
        (standing(sets=()), 100, Light.RED, Cause.NEVER),
        (standing(sets=(FIRST, SECOND)), 24 * 9 + 1, Light.AMBER, Cause.UNVERIFIED),
        (standing(vanished=(SECOND,)), 1, Light.RED, Cause.VANISHED),
    ],
)
def test_the_light(there: Standing, hours: int, light: Light, cause: Cause) -> None:
    now = datetime(2026, 11, 24, 2, 15, tzinfo=UTC) + timedelta(hours=hours)
    here = [FIRST, SECOND] if hours > 24 else [FIRST]
    found = judge(
        replace(there, first_seen_at=now - timedelta(hours=hours)),
        here,
        now,
        late=LATE,
        verify_every=timedelta(days=7),
    )
    assert (found.light, found.cause) == (light, cause)


def test_only_copies_that_were_read_back_count_for_retention() -> None:
    sets = tuple(f"2026{month:02d}01T021500Z-aaaaaa" for month in range(1, 12))
    there = standing(sets=sets)
    now = datetime(2026, 11, 1, 3, tzinfo=UTC)

    assert to_remove(there, now, Policy())[0] == ()
    there = there.with_look(Found(sets[-1], (), (), 1), now)
    assert to_remove(there, now, Policy())[0] == sets[:-1]
    there = there.with_look(Found(sets[-1], ("damaged",), ("x",), 1), now)
    assert to_remove(there, now, Policy())[0] == ()


def test_a_damaged_book_begins_anew(tmp_path: Path) -> None:
    book = Book(tmp_path, "usb")
    book.write(standing())
    assert book.read() == standing()
    (tmp_path / "usb.json").write_text("{")
    assert book.read().sets == ()
