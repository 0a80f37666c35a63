"""A service for everybody: the unit and the site that are written for it."""

import getpass
from pathlib import Path

import pytest

from installer.steps import service
from installer.steps.answers import load_answers
from installer.steps.run import new_journal
from installer.steps.work import Work
from server.core.errors import Missing
from tests.installer.place import Place


@pytest.fixture
def work(place: Place) -> Work:
    place.write(
        'mode = "system"',
        paths={"data": str(place.folder / "data")},
        service={"user": getpass.getuser(), "lan_name": "crm.example.com"},
        web={"https": True},
    )
    answers = load_answers(place.answers)
    return Work(
        home=place.home,
        answers=answers,
        settings=answers.settings(place.home),
        journal=new_journal(answers),
        password=lambda: ("", False),
        say=lambda _line: None,
    )


def test_the_unit_starts_this_very_program_for_this_home(work: Work) -> None:
    unit = service.render(service.UNIT, work)

    assert f"Environment=DAFTAR_HOME={work.home}" in unit
    program = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert Path(program.removeprefix("ExecStart=").split()[0]).is_file()
    assert f"ReadWritePaths={work.settings.data} {work.settings.backups}" in unit
    assert "$" not in unit


def test_the_site_passes_on_who_asked(work: Work) -> None:
    site = service.render(service.SITE, work)

    assert "server_name crm.example.com;" in site
    assert f"proxy_pass http://127.0.0.1:{work.settings.web.port};" in site
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in site


def test_where_no_systemd_runs_the_unit_is_written_and_named(
    work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(service, "SYSTEMD", tmp_path / "no-systemd")
    work.home.mkdir()

    said = service.register_service(work)

    assert (work.home / "service" / "daftar.service").is_file()
    assert (work.home / "service" / "daftar.conf").is_file()
    assert "no systemd" in said


def test_a_known_user_is_not_made_again(work: Work) -> None:
    assert "is there" in service.make_account(work)


def test_a_program_that_fails_is_quoted(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installer.steps.service.shutil.which", lambda _name: "/bin/ls")

    with pytest.raises(Missing, match=r"useradd failed: .*option"):
        service._run("useradd", "--no-such-option")
