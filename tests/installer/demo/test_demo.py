"""The demo as a person runs it: killed in the middle, run again, used, stopped and run once more."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pyotp
import pytest
import requests

from tests.installer.place import Place, run
from tests.support.demo import (
    PASSWORD,
    PATIENCE_S,
    Demo,
    is_ready,
    is_silent,
    process_of,
    wait_until,
)
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Give a demo that was killed while it installed, and then run again."""
    found = Demo(tmp_path_factory.mktemp("demo") / "var", free_port(), free_port())
    found.start()
    found.wait_for(lambda said: "Installing the CRM" in said)
    wait_until((found.home / "install.json").exists)
    assert found.stop(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: is_silent(found.authority_port))
    found.start()
    found.wait_for(is_ready)
    yield found
    if found.process is not None and found.process.poll() is None:
        found.stop()


def sign_in(demo: Demo, email: str) -> requests.Session:
    browser = requests.Session()
    page = browser.get(f"{demo.url}/sign-in", timeout=30).text
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    form = {"csrf_token": token, "email": email, "password": PASSWORD}
    answer = browser.post(f"{demo.url}/sign-in", data=form, timeout=30, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return browser


@pytest.mark.parametrize("name", ["admin", "manager", "seller", "support"])
def test_everybody_named_on_the_screen_can_sign_in(name: str, demo: Demo) -> None:
    assert f"{name}@example.com" in demo.log.read_text()

    browser = sign_in(demo, f"{name}@example.com")

    assert browser.get(f"{demo.url}/companies", timeout=30).status_code == 200


def test_the_vendor_console_opens_with_what_is_on_the_screen(demo: Demo) -> None:
    said = demo.log.read_text()
    found = re.search(r"Second factor.*\n +([A-Z2-7]{32})\n", said)
    assert found is not None, said
    console, browser = f"http://127.0.0.1:{demo.authority_port}/console", requests.Session()

    def send(path: str, **fields: str) -> str:
        page = browser.get(f"{console}{path}", timeout=30).text
        token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        form = {"csrf_token": token, **fields}
        return browser.post(f"{console}{path}", data=form, timeout=30).text

    send("/sign-in", email="owner@example.com", password=PASSWORD)
    send("/second-factor", code=pyotp.TOTP(found[1]).now())

    assert "شرکت نمونهٔ دفتر" in browser.get(f"{console}/customers", timeout=30).text
    code = subprocess.run(
        [sys.executable, "-m", "installer.demo.code", "--var", str(demo.var)],
        env={**os.environ, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.match(r"\d{6}, for \d+ more seconds", code.stdout)


def test_there_are_records_in_several_languages(demo: Demo) -> None:
    page = sign_in(demo, "admin@example.com").get(f"{demo.url}/companies", timeout=30).text

    assert "پارس‌نمونه" in page


def test_the_licence_is_activated_and_has_seats_to_spare(demo: Demo) -> None:
    found = json.loads(run("--home", str(demo.home), "license", "status", "--json").stdout)

    assert (found["mode"], found["reason"]) == ("ok", "fresh")
    assert found["seats"]["named"] == {"used": 4, "cap": 25}
    assert found["lease"]["seq"] >= 1
    assert found["last_contact_at"].endswith("Z")


def test_the_first_backup_is_verified(demo: Demo) -> None:
    found = json.loads(run("--home", str(demo.home), "backup", "list", "--json").stdout)

    assert [item["state"] for item in found["items"]] == ["verified"]


def test_the_doctor_finds_nothing_wrong(demo: Demo) -> None:
    found = json.loads(run("--home", str(demo.home), "doctor", "--json").stdout)

    assert [check for check in found["checks"] if check["status"] == "fail"] == []


def test_service_accounts_above_the_cap_are_refused_with_the_cap(demo: Demo) -> None:
    def add(number: int) -> tuple[int, str]:
        email = f"robot{number}@example.com"
        words = ("user", "add", "--service", "--email", email, "--name", f"Robot {number}")
        result = run("--home", str(demo.home), *words)
        return result.exit_code, result.stderr

    results = [add(number) for number in range(6)]

    assert [code for code, _said in results] == [0, 0, 0, 0, 0, 4]
    assert "covers 5 service accounts" in results[-1][1]


def test_the_same_code_activates_no_second_server(demo: Demo, place: Place) -> None:
    shutil.copyfile(demo.var / "demo-authority" / "trust" / "root.json", place.folder / "root.json")
    online = {"authority_urls": [f"http://127.0.0.1:{demo.authority_port}"], "offline": False}
    assert place.write(license=online).install().exit_code == 0
    code = json.loads((demo.var / "demo-authority" / "demo-license.json").read_text())["code"]

    result = place.run("license", "activate", code)

    assert result.exit_code == 4
    assert "E_ALREADY_ACTIVE" in result.stderr
    assert run("--home", str(demo.home), "license", "activate", code).exit_code == 0


def test_a_second_demo_beside_it_is_refused_in_a_sentence(demo: Demo) -> None:
    second = Demo(demo.var, demo.port, free_port())
    ended = subprocess.run(
        [sys.executable, "-m", "installer.demo", "--var", str(second.var)],
        env={
            **os.environ,
            "LANG": "C.UTF-8",
            "DAFTAR_PORT": str(second.port),
            "DAFTAR_AUTHORITY_PORT": str(second.authority_port),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert ended.returncode == 3
    assert f"Port {demo.port} cannot be used" in ended.stderr
    assert "DAFTAR_PORT=" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_authority_the_crm_goes_on(demo: Demo) -> None:
    browser = sign_in(demo, "seller@example.com")
    authority = process_of(demo.authority_port)
    os.kill(authority, signal.SIGSTOP)
    try:
        page = browser.get(f"{demo.url}/people", timeout=30)
        status = run("--home", str(demo.home), "license", "status", "--json").stdout
    finally:
        os.kill(authority, signal.SIGCONT)

    assert page.status_code == 200
    assert json.loads(status)["mode"] == "ok"


def test_stopped_it_leaves_nothing_running_and_a_second_run_keeps_the_data(demo: Demo) -> None:
    run("--home", str(demo.home), "user", "deactivate", "support@example.com")

    assert demo.stop() == 0
    assert "The demo has stopped" in demo.log.read_text()
    assert is_silent(demo.port)
    assert is_silent(demo.authority_port)

    demo.start()
    said = demo.wait_for(is_ready)
    users = json.loads(run("--home", str(demo.home), "user", "list", "--json").stdout)
    assert "Installing" not in said
    assert {row["email"]: row["status"] for row in users["items"]}["support@example.com"] == (
        "deactivated"
    )
    assert demo.stop(signal.SIGTERM) == 0
