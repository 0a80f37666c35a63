"""The diagnosis against real obstacles: each is told apart, and whatever comes after it is left out."""

import threading
from dataclasses import replace

import pytest

from licensing.client import way
from licensing.client.diagnosis import Found, Grade, diagnose
from tests.licensing.client.examination import Stage, rest
from tests.licensing.client.vendor import DAY, NOW, VendorServer
from tests.support.ports import free_port


def test_a_free_way_is_walked_to_its_end(stage: Stage, server: VendorServer) -> None:
    assert stage.look(server.url) == {
        "name": ("pass", "name_literal"),
        "connection": ("pass", "connected"),
        "proxy": ("skip", "no_proxy"),
        "tls": ("skip", "no_tls"),
        "answer": ("pass", "answer_signed"),
        "clock": ("pass", "clock_right"),
    }


def test_without_an_address_there_is_nothing_to_look_at(stage: Stage) -> None:
    assert stage.look() == {"name": ("fail", "no_address")}


@pytest.mark.parametrize(
    "url", ["license.example", "ftp://a", "https://", "https://a:99999", "http://[1"]
)
def test_an_address_that_is_none_is_told(stage: Stage, url: str) -> None:
    assert stage.look(url)["name"] == ("fail", "address_wrong")


def test_a_name_that_nobody_knows(stage: Stage) -> None:
    found = stage.look("https://license.invalid")

    assert found["name"] in {("fail", "name_unknown"), ("fail", "name_silent")}
    assert found == {
        "name": found["name"],
        **rest("connection", "proxy", "tls", "answer", "clock"),
    }


def test_a_name_server_that_never_answers_is_left_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = threading.Event()
    monkeypatch.setattr(way, "NAME_SECONDS", 0.2)

    def ask(*_about: object, **_more: object) -> None:
        waiting.wait(30)
        raise OSError("too late")

    monkeypatch.setattr("socket.getaddrinfo", ask)
    try:
        assert stage.look("https://license.example")["name"] == ("fail", "name_silent")
    finally:
        waiting.set()


def test_a_closed_port(stage: Stage) -> None:
    found = stage.look(f"https://127.0.0.1:{free_port()}")

    assert found["connection"] == ("fail", "connection_refused")
    assert found["tls"] == ("skip", "not_reached")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (2, ("fail", "clock_behind")),
        (-2, ("fail", "clock_ahead")),
        (0.02, ("warn", "clock_behind")),
        (0.001, ("pass", "clock_right")),
    ],
)
def test_clocks_that_differ(
    stage: Stage, server: VendorServer, days: float, expected: tuple[str, str]
) -> None:
    stage.vendor.now = NOW + int(days * DAY)

    found = stage.look(server.url)

    assert found["answer"] == ("pass", "answer_signed")
    assert found["clock"] == expected


def test_a_clock_before_a_signed_time_is_certainly_wrong(
    stage: Stage, server: VendorServer
) -> None:
    assert stage.look(server.url, signed_time=NOW + DAY)["clock"] == ("fail", "clock_before_signed")


def test_addresses_are_looked_at_side_by_side_and_told_as_they_come(
    stage: Stage, server: VendorServer
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    told: list[Found] = []

    found = diagnose(replace(stage.subject, urls=(dead, server.url)), told.append)

    assert [one.url for one in found] == [dead] * 6 + [server.url] * 6
    assert sorted(map(str, told)) == sorted(map(str, found))
    assert {one.grade for one in found if one.url == server.url} == {Grade.PASS, Grade.SKIP}
