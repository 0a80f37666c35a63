"""Looking at an installation: status, logs, doctor, preflight and the licence that is not active yet."""

import json
import socket

import pytest

from installer.commands.logs import readable
from tests.installer.place import Place


def test_the_status_of_a_server_that_does_not_run(installed: Place) -> None:
    found = json.loads(installed.run("status", "--json").stdout)

    assert found["web"]["runs"] is False
    assert found["scheduler"]["runs"] is False
    assert found["license"] == {"mode": "setup", "reason": "not_activated"}
    assert found["seats"] == {"used": 1, "cap": 1}


def test_the_status_for_people_says_the_same(installed: Place) -> None:
    result = installed.run("status")

    assert result.exit_code == 1
    assert "setup (not_activated)" in result.stdout


def test_the_licence_before_activation(installed: Place) -> None:
    shown = json.loads(installed.run("license", "status", "--json").stdout)
    lines = installed.run("license", "status").stdout

    assert (shown["mode"], shown["reason"], shown["license_id"]) == ("setup", "not_activated", None)
    assert shown["seats"]["named"] == {"used": 1, "cap": 1}
    assert (shown["expires_at"], shown["lease"], shown["last_contact_at"]) == (None, None, None)
    assert "activation code" in lines


def test_a_mistyped_code_is_wrong_usage(installed: Place) -> None:
    result = installed.run("license", "activate", "0123-4567")

    assert result.exit_code == 2
    assert "no activation code" in result.stderr


def test_a_vendor_who_does_not_answer_is_unreachable(installed: Place) -> None:
    file = installed.home / "daftar.toml"
    dead = 'authority_urls = ["http://127.0.0.1:9"]'
    file.write_text(file.read_text().replace("authority_urls = []", dead))

    result = installed.run("license", "activate", "0123-4567-89ab-cdef-ghjk-mnpq-rs9")

    assert result.exit_code == 5
    assert result.stderr.strip()


@pytest.mark.parametrize("words", [["check-in"], ["deactivate", "--reason", "move"]])
def test_a_licence_that_is_not_there_can_say_nothing(words: list[str], installed: Place) -> None:
    result = installed.run("license", *words)

    assert result.exit_code == 4
    assert "no active licence" in result.stderr


def test_root_keys_that_were_lost_or_damaged_are_named(installed: Place) -> None:
    root = installed.home / "trust" / "root.json"
    root.write_text("{}", encoding="utf8")
    damaged = installed.run("license", "status")
    root.unlink()
    lost = installed.run("license", "status")

    assert (damaged.exit_code, lost.exit_code) == (6, 3)
    assert str(root) in damaged.stderr
    assert str(root) in lost.stderr


def test_the_doctor_reports_to_programs(installed: Place) -> None:
    result = installed.run("doctor", "--json")

    found = json.loads(result.stdout)
    states = {check["id"]: check["status"] for check in found["checks"]}
    assert (result.exit_code, found["ok"]) == (1, False)
    assert (states["database"], states["web"], states["backup"]) == ("pass", "fail", "fail")
    assert states["license"] == "warn"
    assert all({"id", "title", "status", "detail", "fix"} == set(row) for row in found["checks"])


def test_the_doctor_tells_people_what_to_do(installed: Place) -> None:
    result = installed.run("doctor")

    assert result.exit_code == 1
    assert "→ " in result.stdout
    assert "checks failed" in result.stdout


def test_the_preflight_of_answers_looks_and_changes_nothing(place: Place) -> None:
    result = place.run("preflight", "--answers", str(place.answers), "--json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"]) == (0, True)
    assert {"port", "database", "disk-space"} <= {check["id"] for check in found["checks"]}
    assert not place.home.exists()


def test_a_preflight_that_fails_has_found_something(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", place.port))
        taken.listen()
        result = place.run("preflight", "--answers", str(place.answers))

    assert result.exit_code == 1
    assert f"ss -ltnp 'sport = :{place.port}'" in result.stdout


def test_the_preflight_of_a_home_knows_for_whom_it_was_installed(installed: Place) -> None:
    checks = json.loads(installed.run("preflight", "--json").stdout)["checks"]

    found = {check["id"]: check for check in checks}
    assert (found["rights"]["status"], found["service-manager"]["status"]) == ("skip", "skip")
    assert "daftar db upgrade" in found["leftovers"]["fix"]


def test_no_log_before_anything_was_served(installed: Place) -> None:
    result = installed.run("logs")

    assert result.exit_code == 3
    assert "daftar serve" in result.stderr


def test_the_newest_lines_of_the_log_for_people_and_as_they_are(installed: Place) -> None:
    lines = [
        json.dumps({"event": f"Fact {no}", "level": "info", "timestamp": "2026-11-22T09:15:00Z"})
        for no in range(5)
    ]
    path = installed.home / "data" / "log" / "daftar.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf8")

    people = installed.run("logs", "-n", "2").stdout.splitlines()
    raw = installed.run("logs", "-n", "1", "--raw").stdout.strip()

    assert people == ["2026-11-22T09:15:00 INFO     Fact 3", "2026-11-22T09:15:00 INFO     Fact 4"]
    assert raw == lines[-1]


def test_a_line_that_is_no_json_stays_as_it_is() -> None:
    assert readable("Segmentation fault") == "Segmentation fault"
    assert readable('"a text"') == '"a text"'
    assert readable('{"event": "E", "level": "error", "exception": "Boom", "n": 1}').endswith(
        "E n=1\nBoom"
    )


def test_a_database_of_the_right_shape_needs_no_upgrade(installed: Place) -> None:
    result = installed.run("db", "upgrade")

    assert result.exit_code == 0
    assert "right shape already" in result.stdout
