"""A running server whose licence folder or database is damaged or set back: its minute mends it."""

import json

import pytest

from server.activation.models import ONLY_ROW, LicenseMirror
from server.activation.service import LicenseOffice
from server.core import clock
from server.core.errors import Broken, NotLicensed
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import Cast
from tests.support.licensed import Stage


@pytest.fixture
def running(stage: Stage, office: LicenseOffice, cast: Cast) -> LicenseOffice:
    """Give an activated server that has lived for a minute."""
    office.activate(cast.root, SHOWN_CODE)
    office.tick()
    return office


def mirror_of(stage: Stage) -> str:
    with stage.database.read() as session:
        return session.get_one(LicenseMirror, ONLY_ROW).state


def set_mirror(stage: Stage, state: str) -> None:
    with stage.database.write() as session:
        session.merge(LicenseMirror(id=ONLY_ROW, state=state, updated_at=clock.now()))


def test_a_deleted_state_comes_back_without_a_restart(stage: Stage, running: LicenseOffice) -> None:
    (stage.settings.license_dir / "state.json").unlink()
    assert not running.client.status().is_activated  # as every process looks, each second
    assert running.refresh().mode == "setup"

    running.tick()

    assert running.refresh().mode == "ok"


def test_an_edited_state_neither_stays_nor_reaches_the_database(
    stage: Stage, running: LicenseOffice
) -> None:
    path, kept = stage.settings.license_dir / "state.json", mirror_of(stage)
    outer = json.loads(path.read_bytes())
    path.write_text(json.dumps({**outer, "mac": "0" * 64}))

    running.tick()

    assert running.refresh().mode == "ok"
    assert running.client.status().problems == ()
    assert json.loads(mirror_of(stage))["mac"] == json.loads(kept)["mac"]


def test_a_restored_database_gets_the_newer_state_of_the_folder(
    stage: Stage, running: LicenseOffice, cast: Cast
) -> None:
    old = mirror_of(stage)
    stage.pass_time(days=1)
    running.check_in(cast.root)
    set_mirror(stage, old)

    running.tick()

    assert mirror_of(stage).encode() == running.client.mirror()
    assert mirror_of(stage) != old


def test_a_held_server_asks_by_itself_and_opens_once_it_is_released(
    stage: Stage, running: LicenseOffice, cast: Cast
) -> None:
    stage.vendor.denial = "E_CLONE_SUSPECTED"
    with pytest.raises(NotLicensed):
        running.check_in(cast.root)
    assert running.refresh().mode == "locked"
    stage.vendor.denial = None

    stage.pass_time(days=2)
    running.check_in_if_due()

    assert running.refresh().mode == "ok"


def test_a_folder_that_cannot_be_written_is_told_in_words(
    stage: Stage, running: LicenseOffice, cast: Cast
) -> None:
    lock = stage.settings.license_dir / ".lock"
    lock.unlink()
    lock.mkdir()  # refuses whoever asks, root included

    with pytest.raises(Broken) as told:
        running.check_in(cast.root)

    assert told.value.code == "disk"
    assert "licence folder cannot be written" in told.value.message
    assert running.refresh().mode == "ok"
    lock.rmdir()
    running.check_in(cast.root)
