"""The diagnosis of an installation: begun once, seen by every process, told in words, without secrets."""

import fcntl
import inspect
import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from licensing.client import diagnosis as client_diagnosis
from licensing.client import way
from server.activation.diagnosis import FILE, LOCK, Check, Diagnosis
from server.activation.findings import CASES, TITLES, WHY, in_words
from server.activation.service import LicenseOffice
from server.core.config import License
from server.core.errors import NotAllowed
from server.core.i18n import use_locale
from tests.licensing.client.vendor import DAY, SHOWN_CODE, Response
from tests.server.conftest import Cast
from tests.support.licensed import Stage
from tests.support.ports import free_port


def wait_for_end(office: LicenseOffice, cast: Cast) -> Diagnosis:
    for thread in threading.enumerate():
        if thread.name == "license-diagnosis":
            thread.join(30)
    return office.doctor.last(cast.root)


def waits_for(event: threading.Event, path: str = "") -> Callable[[str], None]:
    """Let the vendor answer only after the event, all questions or those for one path."""

    def instead(asked: str) -> None:
        if path in ("", asked):
            event.wait(30)

    return instead


def looked(office: LicenseOffice, cast: Cast) -> Diagnosis:
    return office.doctor.look_now(cast.root, lambda _check: None)


def test_every_case_has_its_words() -> None:
    source = inspect.getsource(way) + inspect.getsource(client_diagnosis)
    named = set(re.findall(r'"((?:name|connection|proxy|tls|answer|clock)_[a-z_]+)"', source))
    # These are put together from a beginning and an end.
    named |= {
        f"{first}_{last}"
        for first, lasts in {
            "name": ("silent", "unknown"),
            "proxy_name": ("silent", "unknown"),
            "connection": ("silent", "refused", "failed"),
            "proxy": ("silent", "refused", "failed"),
        }.items()
        for last in lasts
    }

    assert named - {"proxy_name"} <= set(CASES)
    assert set(TITLES) == set(WHY) == {step.value for step in client_diagnosis.Step}


@pytest.mark.parametrize("code", CASES)
def test_words_need_no_fact_that_may_be_missing(code: str) -> None:
    for lang in ("en", "fa", "fr"):
        with use_locale(lang):
            seen, _fix = in_words(code, {})
            assert seen
            assert "%(" not in in_words(code, {"host": "%(evil)s", "seconds": "172800"})[0].replace(
                "%(evil)s", ""
            )


def test_a_free_way_is_told(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    told: list[Check] = []

    found = office.doctor.look_now(cast.root, told.append)

    assert found.ok
    assert found.cause == "The way to the vendor is free."
    assert [check.id for check in told] == [check.id for check in found.checks]
    assert [check.status for check in found.checks if check.id == "answer"] == ["pass"]


def test_the_document_has_the_shape_of_the_other_checks(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    stage.vendor.instead = lambda _path: Response(302, b"", {"Location": "http://portal.example"})

    document = looked(office, cast).document()

    assert document["ok"] is False
    assert "not the vendor's service" in str(document["cause"])
    checks = document["checks"]
    assert isinstance(checks, list)
    assert {"id", "title", "status", "detail", "fix"} <= set(checks[0])
    assert [one["status"] for one in checks] == ["pass", "pass", "skip", "skip", "fail", "skip"]
    assert "portal.example" in checks[4]["detail"]
    assert checks[4]["fix"]
    json.dumps(document)


def test_one_address_is_enough(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    urls = (dead, *stage.settings.license.authority_urls)
    stage.settings = replace(stage.settings, license=License(authority_urls=urls))

    found = looked(stage.open_office(), cast)

    assert found.ok
    assert "One of the vendor's addresses can be reached" in found.cause
    assert list(found.ways) == list(urls)


def test_a_clock_two_days_off_is_told_with_the_difference(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    stage.vendor.now += 2 * DAY

    found = looked(office, cast)

    assert not found.ok
    assert found.cause.endswith("the clock of this server is wrong.")
    assert "2 days behind" in found.checks[-1].detail


def test_it_runs_in_the_background_and_every_process_sees_it(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    held = threading.Event()
    stage.vendor.instead = waits_for(held)
    try:
        begun = office.doctor.begin(cast.root)
        other = stage.open_office()
        again = other.doctor.begin(cast.root)
        under_way = other.doctor.last(cast.root)
    finally:
        held.set()
    ended = wait_for_end(other, cast)

    assert (begun, again) == (True, False)
    assert under_way.runs
    assert under_way.cause == ""
    assert under_way.total == 6
    assert not ended.runs
    assert (len(ended.checks), ended.ok, ended.is_interrupted) == (6, True, False)


def test_the_licence_can_be_checked_meanwhile(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    held = threading.Event()
    stage.vendor.instead = waits_for(held, "/v1/challenge")
    try:
        office.doctor.begin(cast.root)
        office.check_in(cast.root)
    finally:
        held.set()
    wait_for_end(office, cast)

    assert stage.vendor.seq == 2


def test_a_look_that_died_with_its_process_is_told(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.doctor.begin(cast.root)
    wait_for_end(office, cast)
    file = stage.settings.run_dir / FILE
    kept = json.loads(file.read_bytes())
    kept["steps"] = kept["steps"][:2]
    file.write_text(json.dumps(kept))

    found = office.doctor.last(cast.root)

    assert found.is_interrupted
    assert office.doctor.begin(cast.root)
    assert not wait_for_end(office, cast).is_interrupted


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"steps": [{}]}', b"\xff"])
def test_a_damaged_file_is_as_if_nobody_had_looked(
    stage: Stage, office: LicenseOffice, cast: Cast, content: bytes
) -> None:
    stage.settings.run_dir.mkdir(parents=True, exist_ok=True)
    (stage.settings.run_dir / FILE).write_bytes(content)

    found = office.doctor.last(cast.root)

    assert (found.checks, found.runs) == ((), False)


def test_another_process_that_looks_is_waited_for(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    stage.settings.run_dir.mkdir(parents=True, exist_ok=True)
    with (stage.settings.run_dir / LOCK).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        assert office.doctor.begin(cast.root) is False
        assert office.doctor.last(cast.root).runs


def test_the_report_is_for_the_vendor_and_holds_no_secret(
    stage: Stage, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = (f"https://127.0.0.1:{free_port()}",)
    stage.settings = replace(stage.settings, license=License(authority_urls=urls))
    monkeypatch.setenv("HTTPS_PROXY", f"http://ben:hunter2@127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")

    report = looked(stage.open_office(), cast).report()

    assert "proxy_refused" in report
    assert "hunter2" not in report
    assert "→" in report


def test_only_who_manages_the_licence_may_look(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    for ask in (
        lambda: looked(office, replace(cast, root=cast.anna)),
        lambda: office.doctor.begin(cast.anna),
        lambda: office.doctor.last(cast.anna),
    ):
        with pytest.raises(NotAllowed):
            ask()
