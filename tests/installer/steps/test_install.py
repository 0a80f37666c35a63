"""Installing for one user: what is there afterwards, and what is refused before anything is changed."""

import json
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backup import keys
from installer.steps.journal import load_journal
from installer.steps.toml import render_settings
from server.core.config import Settings, Web, load_settings, read_table
from server.core.db import Database
from server.deals.models import Stage
from server.notices.queries import representative
from server.notices.rules import RepresentativeDraft
from server.users.models import User
from server.users.rules import Role
from server.users.sign_in import check_sign_in
from tests.installer.place import PASSWORD, Place, write_root


def test_the_administrator_can_sign_in_and_there_is_a_pipeline_to_sell_by(installed: Place) -> None:
    database = Database(load_settings(installed.home).database_url)
    with database.read() as session:
        user = check_sign_in(session, "root@example.com", PASSWORD)
        stages = list(session.scalars(select(Stage.name).order_by(Stage.position)))
    database.dispose()

    assert user.role is Role.ADMIN
    assert "Prospecting" in stages


def test_others_can_read_no_secret(installed: Place) -> None:
    found = {path: path.stat().st_mode for path in (installed.home / "secrets").rglob("*")}

    assert {path.name for path in found} >= {"web.key", "forms.key", "backup.key", "drill.key"}
    assert [path for path, mode in found.items() if mode & (stat.S_IRWXG | stat.S_IRWXO)] == []


def test_the_private_keys_of_backups_leave_the_server(installed: Place) -> None:
    sheet = (installed.folder / "sheet.txt").read_text(encoding="utf8")
    private = [word for word in sheet.split() if word.startswith("AGE-SECRET-KEY-")]
    kept = b"".join(path.read_bytes() for path in installed.home.rglob("*") if path.is_file())

    assert len(private) == 2
    assert [key for key in private if key.encode() in kept] == []
    ring = keys.load(installed.home / "secrets" / "backup")
    assert ring.signer_fingerprint in sheet
    assert {each.role for each in ring.recipients} == {*keys.Role}


def test_without_a_file_for_them_the_private_keys_are_shown_once(place: Place) -> None:
    first = place.write(backup={"recovery_sheet": ""}).install()
    second = place.install()

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.count("AGE-SECRET-KEY-") == 2
    assert "AGE-SECRET-KEY-" not in second.stdout


def test_a_made_password_is_shown_once_and_is_the_right_one(place: Place) -> None:
    result = place.write(admin={"password_file": ""}).install()

    (line,) = [line for line in result.stdout.splitlines() if "shown this once" in line]
    database = Database(load_settings(place.home).database_url)
    with database.read() as session:
        user = check_sign_in(session, "root@example.com", line.split()[-1])
    database.dispose()
    assert user.display_name == "Root"


def test_the_journal_keeps_what_the_forms_ask_for(installed: Place) -> None:
    journal = load_journal(installed.home)

    assert journal is not None
    assert journal.installed_at is not None
    assert {"port", "disk-space"} <= {check.id for check in journal.host_checks}


def test_a_plan_changes_nothing(place: Place) -> None:
    result = place.install("--plan")

    assert result.exit_code == 0
    assert str(place.home) in result.stdout
    assert "Keys of the backups" in result.stdout
    assert "Service" not in result.stdout
    assert not place.home.exists()


def test_a_plan_for_everybody_registers_a_service(place: Place) -> None:
    result = place.write('mode = "system"').install("--plan")

    assert "/var/lib/daftar" in result.stdout
    assert "Service" in result.stdout


def test_a_failed_check_stops_before_anything_is_changed(place: Place, port: int) -> None:
    dead = {"authority_urls": ["http://127.0.0.1:9"], "offline": False}

    result = place.write(license=dead).install()

    assert result.exit_code == 3
    assert "✗" in result.stdout
    assert "Nothing was changed" in result.stderr
    assert not place.home.exists()


@pytest.mark.parametrize(
    ("head", "changes", "told"),
    [
        ('mode = "both"', {}, "mode"),
        ('mode = "user"\ncolour = "red"', {}, "colour"),
        ('mode = "user"', {"admin": {"email": ""}}, "admin.email"),
        ('mode = "user"', {"admin": {"phone": "1"}}, "admin.phone"),
        ('mode = "user"', {"organization": {"name": ""}}, "organization.name"),
        ('mode = "user"', {"web": {"port": 0}}, "web.port"),
        ('mode = "user"', {"backup": {"time": "25:00"}}, "backup.time"),
        ("mode =", {}, "no valid TOML"),
    ],
)
def test_a_wrong_answer_is_named(
    head: str, changes: dict[str, dict[str, object]], told: str, place: Place
) -> None:
    result = place.write(head, **changes).install()

    assert result.exit_code == 2
    assert told in result.stderr
    assert not place.home.exists()


def test_missing_answers_name_the_example(place: Place) -> None:
    place.answers.unlink()

    result = place.install()

    assert result.exit_code == 3
    assert "answers.example.toml" in result.stderr


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [(None, 3, "root keys are not at"), ("{}", 2, "holds no root keys"), ("[", 2, "no root keys")],
)
def test_root_keys_that_are_none_are_refused(
    content: str | None, code: int, told: str, place: Place
) -> None:
    root = place.folder / "root.json"
    root.unlink()
    if content is not None:
        root.write_text(content, encoding="utf8")

    result = place.install()

    assert (result.exit_code, told in result.stderr) == (code, True)


def test_a_file_where_a_folder_is_needed_is_named(place: Place) -> None:
    place.home.write_text("in the way", encoding="utf8")

    result = place.install()

    assert result.exit_code in {2, 3}
    assert str(place.home) in result.output


def test_other_root_keys_never_replace_the_ones_that_are_believed(installed: Place) -> None:
    write_root(installed.folder / "root.json")

    result = installed.prepare().install()

    assert result.exit_code == 3
    assert "other root keys" in result.stderr


def test_a_changed_answer_meets_the_settings_in_words(installed: Place) -> None:
    root = (installed.folder / "root.json").read_bytes()
    installed.prepare()
    (installed.folder / "root.json").write_bytes(root)

    same = installed.install()
    other = installed.write(web={"threads": 3}).install()

    assert same.exit_code == 0
    assert other.exit_code == 3
    assert "web.threads" in other.stderr


def test_a_sheet_that_may_hold_other_keys_is_never_overwritten(place: Place) -> None:
    sheet = place.folder / "sheet.txt"
    sheet.write_text("the only keys to last year's backups", encoding="utf8")

    result = place.install()

    assert result.exit_code == 3
    assert "sheet.txt exists already" in result.stderr
    assert sheet.read_text(encoding="utf8").startswith("the only keys")


def test_two_installations_into_one_home_do_not_mix(installed: Place) -> None:
    from backup.lock import held

    with held(installed.home / ".install.lock", refusal="busy"):
        result = installed.install()

    assert result.exit_code == 3
    assert "Another “daftar install”" in result.stderr


def test_settings_are_written_as_they_are_read() -> None:
    odd = replace(
        Settings(home=Path()), web=Web(host='"\\\x7f\n"', trusted_proxies=("a", "b"), https=True)
    )

    again = read_table(Settings, tomllib.loads(render_settings(odd)), "", home=Path())

    assert again == odd


def test_a_damaged_journal_is_said_to_be_damaged(installed: Place) -> None:
    (installed.home / "install.json").write_text(json.dumps({"format": 9}), encoding="utf8")

    result = installed.install()

    assert result.exit_code == 6
    assert "is damaged" in result.stderr
    assert "Folders" not in result.stdout


def test_the_records_of_an_installation_belong_to_nobody_yet(installed: Place) -> None:
    database = Database(load_settings(installed.home).database_url)
    with database.read() as session:
        names = list(session.scalars(select(User.display_name)))
    database.dispose()

    assert names == ["Root"]


def test_mail_sms_and_the_representative_come_from_the_answers(place: Place) -> None:
    (place.folder / "mail.password").write_text("open-sesame-5\n", encoding="utf8")
    (place.folder / "sms.key").write_text("k3y\n", encoding="utf8")
    place.write(
        mail={
            "host": "127.0.0.1",
            "port": 9,
            "user": "crm",
            "password_file": "mail.password",
            "from_address": "crm@pars.example",
        },
        sms={
            "url": "https://sms.example/send?k={secret}&to={to}&t={text}",
            "method": "GET",
            "secret_file": "sms.key",
        },
        representative={"name": "Rita", "email": "rita@example.com", "phone": "09121234567"},
    )

    result = place.install()

    assert result.exit_code == 0, result.output
    settings = load_settings(place.home)
    assert (settings.mail.user, settings.mail.password_file) == ("crm", "mail.password")
    secret = settings.secrets / "mail.password"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("open-sesame-5\n", 0o600)
    assert (settings.secrets / "sms.key").read_text() == "k3y\n"
    database = Database(settings.database_url)
    with database.read() as session:
        assert representative(session) == RepresentativeDraft(
            "Rita", "rita@example.com", "+989121234567", "fa"
        )
    database.dispose()
    assert place.install().exit_code == 0
