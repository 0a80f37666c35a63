"""The delivery forms from the command line: from the first answer to the signed acceptance and its print."""

import json
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import pytest

from installer import facts
from installer.commands.home import open_home
from installer.forms.definition import ItemKind, Party, latest
from installer.forms.evidence import Evidence
from server.core.command_line import HomeCommand
from server.core.config import load_settings
from tests.installer.forms.cast import AMIR, FACTS, MARYAM
from tests.installer.place import Place

WHO = {"representative": MARYAM.name, "expert": AMIR.name, "project_manager": AMIR.name}
VALUES = {ItemKind.CHECK: "true", ItemKind.DATE: "2026-11-20", ItemKind.CHOICE: '"accepted"'}


@pytest.fixture
def delivered(installed: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Give an installation with an active licence and a proved backup, as far as the forms are told."""
    monkeypatch.setattr("installer.commands.form.evidence", lambda _opened: FACTS)
    monkeypatch.setattr("installer.commands.form.Desk._reference", lambda _desk: "lic_01")
    return installed


def answers(place: Place, code: str) -> Path:
    """Write an answer for every question that a person is asked."""
    lines = []
    for item in latest(code).items():
        if item.by is Party.SYSTEM or item.kind is ItemKind.SIGNATURE or item.required_if:
            continue
        lines.append(
            f"{item.id} = {VALUES.get(item.kind) or json.dumps(WHO.get(item.id, 'Words'))}"
        )
    path = place.folder / f"{code}.toml"
    path.write_text("\n".join(lines), encoding="utf8")
    return path


def sign(place: Place, code: str, slot: str, name: str) -> dict[str, list[str]]:
    result = place.run(
        *("form", "sign", code, "--slot", slot, "--name", name, "--role", "In charge", "--json")
    )
    assert result.exit_code == 0, result.output
    found: dict[str, list[str]] = json.loads(result.stdout)
    return found


@pytest.fixture
def accepted(delivered: Place) -> Place:
    """Give a delivery with both forms filled and signed."""
    for code, vendor in (("CL-OJ-05", "expert_signature"), ("FO-OJ-21", "manager_signature")):
        filled = delivered.run("form", "fill", code, "--answers", str(answers(delivered, code)))
        assert filled.exit_code == 0, filled.output
        sign(delivered, code, vendor, AMIR.name)
        assert sign(delivered, code, "representative_signature", MARYAM.name)["missing"] == []
    return delivered


def states(place: Place) -> dict[str, str]:
    found = json.loads(place.run("form", "list", "--json").stdout)
    return {row["code"]: row["state"] for row in found["items"]}


def test_the_acceptance_is_closed_until_the_checklist_is_signed(delivered: Place) -> None:
    result = delivered.run("form", "fill", "FO-OJ-21")

    assert states(delivered) == {"CL-OJ-05": "new", "FO-OJ-21": "closed"}
    assert result.exit_code == 3
    assert "CL-OJ-05" in result.stderr
    early = delivered.run("form", "amend", "FO-OJ-21", "--reason", "Again").stderr
    assert "CL-OJ-05 has to be complete first" in early
    items = json.loads(delivered.run("form", "list", "--json").stdout)["items"]
    assert all(row["missing"] > 0 for row in items)


def test_both_forms_are_filled_signed_and_complete(accepted: Place) -> None:
    assert states(accepted) == {"CL-OJ-05": "complete", "FO-OJ-21": "complete"}


def test_the_system_fills_in_what_it_knows(delivered: Place) -> None:
    delivered.run("form", "fill", "CL-OJ-05")

    shown = json.loads(delivered.run("form", "show", "CL-OJ-05", "--json").stdout)

    known = {row["item"]: row["value"] for row in shown["form"]["answers"]}
    assert known["license_id"] == "lic_01"
    assert known["seats"] == "40"
    assert known["host_checks"].startswith("pass=1")
    assert any(line.startswith("Attendees: ") for line in shown["missing"])


def test_a_single_answer_on_the_line(delivered: Place) -> None:
    done = delivered.run(
        "form", "fill", "CL-OJ-05", "--set", f"expert={AMIR.name}", "--by", "Amir", "--json"
    )
    shown = delivered.run("form", "show", "CL-OJ-05").stdout

    assert done.exit_code == 0
    assert AMIR.name in shown


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["show", "XX-1"], 2, "There is no form XX-1"),
        (["fill", "CL-OJ-05", "--set", "nothing=1"], 2, "no item"),
        (["fill", "CL-OJ-05", "--set", "expert"], 2, "item=value"),
        (["fill", "CL-OJ-05", "--set", "license_id=lic_2"], 2, "filled in by the system"),
        (["fill", "CL-OJ-05", "--set", "started_on=yesterday"], 2, "yesterday"),
        (["pdf", "CL-OJ-05", "--out", "x.pdf"], 2, "was not begun"),
        (["sign", "CL-OJ-05", "--name", "A", "--role", "B"], 2, "--slot"),
        (["amend", "CL-OJ-05", "--reason", "x"], 2, "was not begun"),
    ],
)
def test_what_cannot_be_is_refused(
    words: list[str], code: int, told: str, delivered: Place
) -> None:
    result = delivered.run("form", *words)

    assert result.exit_code == code
    assert told in result.stderr


def test_an_incomplete_form_cannot_be_signed(delivered: Place) -> None:
    delivered.run("form", "fill", "CL-OJ-05", "--set", f"expert={AMIR.name}")

    result = delivered.run(
        *("form", "sign", "CL-OJ-05", "--slot", "expert_signature"),
        *("--name", AMIR.name, "--role", "Engineer"),
    )

    assert result.exit_code == 3
    assert "not complete" in result.stderr


def test_nobody_signs_for_somebody_else(delivered: Place) -> None:
    delivered.run("form", "fill", "CL-OJ-05", "--answers", str(answers(delivered, "CL-OJ-05")))

    result = delivered.run(
        *("form", "sign", "CL-OJ-05", "--slot", "representative_signature"),
        *("--name", AMIR.name, "--role", "Engineer"),
    )

    assert result.exit_code == 2
    assert MARYAM.name in result.stderr


def test_a_visit_on_site_is_reported_and_signed_by_the_buyer(delivered: Place) -> None:
    filled = answers(delivered, "CL-OJ-05")
    delivered.run("form", "fill", "CL-OJ-05", "--answers", str(filled))
    report = ("--experts", AMIR.name, "--report", "Installed and tried")
    before = delivered.run("form", "visit", "CL-OJ-05", "--on", "2026-11-20", *report, "--json")

    signed = delivered.run(
        *("form", "sign", "CL-OJ-05", "--visit", "1", "--name", MARYAM.name, "--role", "IT"),
        "--json",
    )

    assert any("isit 1" in line for line in json.loads(before.stdout)["missing"])
    assert not any("isit 1" in line for line in json.loads(signed.stdout)["missing"])


def test_a_signed_form_is_only_amended(accepted: Place) -> None:
    refused = accepted.run("form", "fill", "CL-OJ-05", "--set", "attendees=More people")
    amended = accepted.run("form", "amend", "CL-OJ-05", "--reason", "Two more", "--json")

    assert refused.exit_code == 2
    assert json.loads(amended.stdout)["version"] == 2
    assert accepted.run("form", "fill", "CL-OJ-05", "--set", "attendees=More").exit_code == 0


@pytest.mark.parametrize(("lang", "words"), [("en", "Final acceptance"), ("fa", "FO-OJ-21")])
def test_a_form_is_printed(lang: str, words: str, accepted: Place) -> None:
    out = accepted.folder / "form.pdf"

    result = accepted.run("form", "pdf", "FO-OJ-21", "--out", str(out), "--lang", lang)

    assert result.exit_code == 0
    text = subprocess.run(["pdftotext", "-layout", out, "-"], capture_output=True, check=True)
    assert words in text.stdout.decode()


def test_a_form_changed_by_hand_is_broken(accepted: Place) -> None:
    folder = load_settings(accepted.home).files / "forms" / "CL-OJ-05"
    first = min(folder.glob("*.json"))
    first.write_text(first.read_text().replace("2026-11-20", "2026-11-19"), encoding="utf8")

    result = accepted.run("form", "show", "CL-OJ-05")

    assert result.exit_code == 6
    assert first.name in result.stderr


def test_without_a_licence_no_form_is_begun(installed: Place) -> None:
    result = installed.run("form", "fill", "CL-OJ-05")

    assert result.exit_code == 3
    assert "activate the licence first" in result.stderr


def test_the_facts_of_an_installation(
    installed: Place, opened_at: Callable[[Place], Evidence]
) -> None:
    found = opened_at(installed)

    assert found.customer == "Pars"
    assert found.database.startswith("SQLite 3.")
    assert isinstance(found.installed_at, datetime)
    assert {check.id for check in found.host_checks} >= {"port", "memory"}
    assert (found.license_id, found.seats, found.backup_id) == ("", None, "")


@pytest.fixture
def opened_at() -> Callable[[Place], Evidence]:
    """Return what an installation knows of itself, asked as a command asks."""

    def ask(place: Place) -> Evidence:
        found: list[Evidence] = []

        @click.command(cls=HomeCommand)
        def look() -> None:
            found.append(facts.evidence(open_home()))

        look.main(["--home", str(place.home)], standalone_mode=False)
        return found[0]

    return ask
