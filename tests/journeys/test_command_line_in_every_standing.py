"""The command line whatever the licence says: saving, exporting and leaving (licensing.md §1 principle 4)."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.core.actor import SYSTEM
from server.core.config import load_settings
from server.core.db import Database
from server.users.rules import Role, UserDraft, UserKind
from server.users.service import create_user, set_seat_caps
from tests.installer.place import PASSWORD, Place
from tests.licensing.client.vendor import SHOWN_CODE
from tests.support.licensed import Stage, licensed_stage
from tests.support.standings import STANDINGS, Standing, bring


@dataclass
class Installation:
    """A home that stands somewhere on the ladder."""

    standing: Standing
    stage: Stage
    place: Place

    def run(self, *words: str) -> dict[str, object]:
        """Run a command that must succeed, and return what it reports."""
        result = self.place.run(*words, "--json")
        assert result.exit_code == 0, (words, result.output)
        found: dict[str, object] = json.loads(result.stdout)
        return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with an installation and three more users, to be copied."""
    place = Place(tmp_path_factory.mktemp("installed"), 8999).prepare()
    result = place.install()
    assert result.exit_code == 0, result.output
    database = Database(load_settings(place.home).database_url)
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 10, UserKind.SERVICE: 2})
        for name in ("Anna", "Ben", "Guest"):
            draft = UserDraft(
                email=f"{name.lower()}@example.com",
                display_name=name,
                role=Role.SALES,
                password=PASSWORD,
            )
            create_user(session, SYSTEM, draft)
    database.dispose()
    return place.folder


@pytest.fixture
def standing_home(
    request: pytest.FixtureRequest, installed: Path, tmp_path: Path
) -> Iterator[Installation]:
    """Give a copy of it that was brought into the standing of this name."""
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    place = Place(tmp_path, 8999)
    settings = load_settings(place.home)
    database = Database(settings.database_url)
    with licensed_stage(settings, database) as stage:
        file = place.home / "daftar.toml"
        [url] = stage.settings.license.authority_urls
        text = file.read_text(encoding="utf8")
        assert "authority_urls = []" in text
        file.write_text(text.replace("authority_urls = []", f'authority_urls = ["{url}"]'))
        stage.settings = replace(load_settings(place.home))
        standing = bring(request.param, stage, stage.open_office())
        yield Installation(standing, stage, place)
    database.dispose()


@pytest.mark.parametrize("standing_home", STANDINGS, indirect=True)
def test_status_export_and_leaving_colleagues(standing_home: Installation, tmp_path: Path) -> None:
    target = tmp_path / "all.zip"

    status = standing_home.run("license", "status")
    written = standing_home.run("export", "all", str(target))
    gone = standing_home.place.run("user", "deactivate", "ben@example.com")
    new = standing_home.place.run(
        "user", "add", "--service", "--email", "bot@example.com", "--name", "Bot"
    )

    assert (status["mode"], status["reason"]) == (
        standing_home.standing.mode,
        standing_home.standing.reason,
    )
    assert gone.exit_code == 0, gone.output
    closed = standing_home.standing.mode in {"read_only", "locked"}
    assert new.exit_code == (4 if closed else 0), new.output
    with zipfile.ZipFile(target) as archive:
        facts = json.loads(archive.read("license.json"))
        users = archive.read("users.csv").decode("utf-8-sig")
    assert facts["mode"] == standing_home.standing.mode
    assert "anna@example.com" in users
    assert written["rows"] == sum(dict(written["counts"]).values())  # type: ignore[call-overload] # JSON
    assert target.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "standing_home",
    ["setup-not_activated", "read_only-no_contact", "locked-revoked"],
    indirect=True,
)
def test_backups_are_made_proved_listed_carried_away_and_restored(
    standing_home: Installation, tmp_path: Path
) -> None:
    made = standing_home.run("backup", "run")
    listed = standing_home.run("backup", "list")
    proved = standing_home.run("backup", "verify", "--latest")
    name = str(made["id"])
    carried = standing_home.run("backup", "export", name, str(tmp_path / "set.tar"))
    restored = standing_home.place.run("backup", "restore", name, "--into", str(tmp_path / "new"))

    assert [item["id"] for item in listed["items"]] == [name]  # type: ignore[attr-defined] # JSON
    assert proved["ok"] is True
    assert Path(str(carried["file"])).stat().st_size == carried["bytes"]
    assert restored.exit_code == 0, restored.output


@pytest.mark.parametrize(
    ("standing_home", "words"),
    [
        ("setup-not_activated", ("license", "activate", SHOWN_CODE)),
        ("locked-deactivated", ("license", "activate", SHOWN_CODE)),
        ("read_only-no_contact", ("license", "check-in")),
        ("locked-no_contact", ("license", "check-in")),
        ("locked-suspended", ("license", "check-in")),
    ],
    indirect=["standing_home"],
)
def test_the_way_out_is_open(standing_home: Installation, words: tuple[str, ...]) -> None:
    standing_home.stage.vendor.embed = {}

    result = standing_home.place.run(*words)

    assert result.exit_code == 0, result.output
    assert standing_home.run("license", "status")["mode"] == "ok"


@pytest.mark.parametrize(
    "standing_home", ["read_only-no_contact", "locked-term_ended", "locked-revoked"], indirect=True
)
def test_the_licence_can_be_given_back(standing_home: Installation) -> None:
    result = standing_home.place.run("license", "deactivate", "--reason", "move")

    assert result.exit_code == 0, result.output
    assert standing_home.run("license", "status")["reason"] == "deactivated"
