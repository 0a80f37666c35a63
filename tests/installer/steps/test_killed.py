"""An installation that is really killed, at every step and in the middle of one, and then repeated."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from backup import keys
from installer.steps import backup_keys, journal
from installer.steps.run import STEPS
from installer.steps.work import Work
from server.core.config import load_settings
from server.core.db import Database
from server.users.sign_in import check_sign_in
from tests.installer.place import PASSWORD, Place

FORK = multiprocessing.get_context("fork")
USER_STEPS = [step.id for step in STEPS if not step.system_only]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def install_and_die(place: Place, prepare: Callable[[pytest.MonkeyPatch], None]) -> None:
    """Install in a process of its own that kills itself where `prepare` says."""

    def child() -> None:
        with pytest.MonkeyPatch.context() as patch:
            prepare(patch)
            place.install()

    process = FORK.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def assert_whole(place: Place) -> None:
    """Repeat the installation and look at what counts."""
    result = place.install()
    assert result.exit_code == 0, result.output
    settings = load_settings(place.home)
    sheet = (place.folder / "sheet.txt").read_text(encoding="utf8")
    assert keys.load(settings.backup_keys).signer_fingerprint in sheet
    database = Database(settings.database_url)
    with database.read() as session:
        assert check_sign_in(session, "root@example.com", PASSWORD).display_name == "Root"
    database.dispose()
    found = journal.load_journal(place.home)
    assert found is not None
    assert set(found.steps) == set(USER_STEPS)
    assert list(place.folder.rglob(".part-*")) == []


@pytest.mark.parametrize("step", USER_STEPS)
def test_killed_after_a_step_before_anybody_wrote_it_down(step: str, place: Place) -> None:
    def prepare(patch: pytest.MonkeyPatch) -> None:
        done = Work.done

        def dying(work: Work, name: str) -> None:
            if name == step:
                die()
            done(work, name)

        patch.setattr(Work, "done", dying)

    install_and_die(place, prepare)

    assert_whole(place)


@pytest.mark.parametrize("name", ["web.key", "daftar.toml", "drill.key", "sheet.txt"])
def test_killed_while_a_file_is_being_written(name: str, place: Place) -> None:
    def prepare(patch: pytest.MonkeyPatch) -> None:
        rename = Path.replace

        def dying(part: Path, target: Path) -> Path:
            if target.name == name:
                die()
            return rename(part, target)

        patch.setattr(Path, "replace", dying)

    install_and_die(place, prepare)

    assert_whole(place)


def test_killed_before_anybody_saw_the_keys_new_ones_are_made_and_shown(place: Place) -> None:
    place.write(backup={"recovery_sheet": ""})

    def prepare(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(backup_keys, "recovery_sheet", lambda _work, _made: die())

    install_and_die(place, prepare)
    lost = keys.load(place.home / "secrets" / "backup").signer_fingerprint

    result = place.install()

    shown = keys.load(place.home / "secrets" / "backup").signer_fingerprint
    assert result.stdout.count("AGE-SECRET-KEY-") == 2
    assert shown in result.stdout
    assert shown != lost
