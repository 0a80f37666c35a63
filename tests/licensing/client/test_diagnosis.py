"""The diagnosis against real obstacles: each is told apart, and whatever comes after it is left out."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from licensing.client import way
from licensing.client.diagnosis import Examinee, Found, Grade, Step, diagnose
from licensing.document.keyset import load_root_file
from licensing.document.trust import Trust
from tests.licensing.client.obstacles import (
    Certificates,
    Listener,
    Talk,
    head_of,
    is_silent,
    response,
    says,
    serves,
    tunnels,
)
from tests.licensing.client.vendor import DAY, NOW, Vendor, VendorServer
from tests.support.ports import free_port

PAGE = b"<!DOCTYPE html><html><head><title>Welcome to the hotel</title></head></html>"


@dataclass
class Stage:
    """A server that looks, and whatever it meets."""

    subject: Examinee
    certificates: Certificates
    listen: Callable[..., Listener]
    vendor: Vendor
    seen: tuple[Found, ...] = ()

    def look(self, *urls: str, **changes: object) -> dict[str, tuple[str, str]]:
        """Return grade and code of each step on the way to the first address."""
        subject = replace(self.subject, urls=urls, **changes)  # type: ignore[arg-type] # names of fields
        self.seen = diagnose(subject, lambda _found: None)
        first = self.seen[0].url
        return {
            found.step.value: (found.grade.value, found.code)
            for found in self.seen
            if found.url == first
        }

    def facts(self, step: Step) -> dict[str, str]:
        return dict(next(found.facts for found in self.seen if found.step is step))

    def authority(self, path: str) -> bytes:
        if path == "/v1/keyset":
            return response(200, self.vendor.served_keyset, "application/json")
        if path == "/v1/challenge":
            said = {"challenge": "a", "server_time": self.vendor.now}
            return response(200, json.dumps(said).encode(), "application/json")
        return response(404, b"{}", "application/json")


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    running: list[Listener] = []

    def start(talk: Talk, context: object = None) -> Listener:
        running.append(Listener(talk, context))  # type: ignore[arg-type] # a context or none
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def stage(
    tmp_path: Path,
    vendor: Vendor,
    listen: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(way, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(way, "SPEAK_SECONDS", 1.0)
    (tmp_path / "root.json").write_bytes(vendor.root_file())
    trust = Trust(load_root_file((tmp_path / "root.json").read_bytes()))
    certificates = Certificates.found(tmp_path)
    subject = Examinee((), certificates.bundle, trust, lambda: NOW, seconds=8)
    return Stage(subject, certificates, listen, vendor)


def rest(*steps: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(steps, ("skip", "not_reached"))


def test_a_free_way_is_walked_to_its_end(stage: Stage, server: VendorServer) -> None:
    assert stage.look(server.url) == {
        "name": ("pass", "name_literal"),
        "connection": ("pass", "connected"),
        "proxy": ("skip", "no_proxy"),
        "tls": ("skip", "no_tls"),
        "answer": ("pass", "answer_signed"),
        "clock": ("pass", "clock_right"),
    }


def test_a_free_way_over_tls_names_who_vouches_for_it(stage: Stage) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context())

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("pass", "tls_trusted")
    assert found["answer"] == ("pass", "answer_signed")
    assert stage.facts(Step.TLS)["issuer"] == "Pars Root"


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
    ("talk", "tls"),
    [
        (is_silent, "tls_silent"),
        (lambda _peer: None, "tls_hangs_up"),
        (lambda peer: peer.recv(1), "tls_hangs_up"),
        (lambda peer: peer.sendall(response(400, PAGE)), "tls_not_spoken"),
    ],
    ids=["silence", "hangs up", "hangs up later", "HTTP"],
)
def test_a_port_that_does_not_speak_tls(stage: Stage, talk: Talk, tls: str) -> None:
    found = stage.look(f"https://127.0.0.1:{stage.listen(talk).port}")

    assert found["connection"] == ("pass", "connected")
    assert found["tls"] == ("fail", tls)
    assert found["answer"] == ("skip", "not_reached")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"until": -2}, "tls_expired"),
        ({"since": 2}, "tls_not_yet"),
        ({"name": "other.example"}, "tls_wrong_name"),
        ({"selfmade": True}, "tls_self_signed"),
    ],
)
def test_a_certificate_that_is_not_right_says_what_is_wrong(
    stage: Stage, options: dict[str, object], code: str
) -> None:
    context = stage.certificates.context(**options)  # type: ignore[arg-type] # names of its options
    vendor = stage.listen(serves(stage.authority), context)

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("fail", code)
    assert found["answer"] == ("skip", "not_reached")
    facts = stage.facts(Step.TLS)
    assert facts["names"] == str(options.get("name", "localhost"))
    assert facts["since"] < facts["until"]


def test_a_proxy_that_opens_tls_is_named_by_its_issuer(stage: Stage, tmp_path: Path) -> None:
    inspecting = Certificates.found(tmp_path, "Corporate Inspection CA")
    vendor = stage.listen(serves(stage.authority), inspecting.context())

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("fail", "tls_unknown_issuer")
    assert stage.facts(Step.TLS)["issuer"] == "Corporate Inspection CA"
    assert stage.look(f"https://localhost:{vendor.port}", ca_bundle=inspecting.bundle)["tls"] == (
        "pass",
        "tls_trusted",
    )


def test_a_clock_that_is_wrong_is_found_behind_a_certificate_that_seems_expired(
    stage: Stage,
) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context(until=-2))
    stage.vendor.now = NOW - 30 * DAY

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("fail", "tls_expired")
    assert found["clock"] == ("fail", "clock_ahead")


def test_a_bundle_that_is_not_there(stage: Stage, tmp_path: Path) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context())

    found = stage.look(f"https://localhost:{vendor.port}", ca_bundle=tmp_path / "missing.pem")

    assert found["tls"] == ("fail", "bundle_unusable")
    assert stage.facts(Step.TLS)["path"].endswith("missing.pem")


PROXIES: dict[str, tuple[Talk, str]] = {
    "sign-in": (says(response(407, PAGE)), "proxy_sign_in"),
    "forbidden": (says(response(403, PAGE)), "proxy_forbids"),
    "method": (says(response(405)), "proxy_forbids"),
    "its own line": (says(response(502)), "proxy_cannot_reach"),
    "page": (says(PAGE), "proxy_strange"),
    "terminal": (says(b"\x1b[2J\x1b]0;owned\x07\r\n\r\n"), "proxy_strange"),
    "hangs up": (says(b""), "proxy_hangs_up"),
    "silence": (is_silent, "proxy_mute"),
}


@pytest.mark.parametrize(("talk", "code"), PROXIES.values(), ids=PROXIES.keys())
def test_a_proxy_that_stands_in_the_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, talk: Talk, code: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{stage.listen(talk).port}")

    found = stage.look("https://license.invalid")

    assert found["connection"] == ("pass", "proxy_connected")
    assert found["proxy"] == ("fail", code)
    assert found["tls"] == ("skip", "not_reached")
    assert all(one.isprintable() for one in str(stage.facts(Step.PROXY)))


def test_a_proxy_that_lets_through_gets_name_and_password_and_nothing_shows_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[str] = []

    def listening(peer: object) -> None:
        heads.append(head_of(peer))  # type: ignore[arg-type] # a socket
        peer.sendall(response(407))  # type: ignore[attr-defined] # likewise

    proxy = stage.listen(listening)
    monkeypatch.setenv("HTTPS_PROXY", f"http://ben:s%40cret@127.0.0.1:{proxy.port}")

    stage.look("https://license.invalid")

    assert "Proxy-Authorization: Basic YmVuOnNAY3JldA==" in heads[0]
    assert "cret" not in str(stage.seen)
    assert "ben" not in str(stage.seen)


def test_behind_a_proxy_the_whole_way_is_walked(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context())
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{stage.listen(tunnels).port}")

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["proxy"] == ("pass", "proxy_lets_through")
    assert found["tls"] == ("pass", "tls_trusted")
    assert (found["answer"][0], found["clock"][0]) == ("pass", "pass")


def test_no_proxy_is_honoured(
    stage: Stage, server: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert stage.look(server.url)["answer"] == ("pass", "answer_signed")


def test_a_proxy_whose_name_nobody_knows(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")

    assert stage.look("https://license.example")["name"][1].startswith("proxy_name_")


def test_a_proxy_over_tls_is_said_to_be_beyond_this_look(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = stage.listen(is_silent)
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")

    assert stage.look("https://license.invalid")["proxy"] == ("fail", "proxy_https")


ANSWERS: dict[str, tuple[bytes, tuple[str, str]]] = {
    "page": (response(200, PAGE), ("fail", "answer_page")),
    "page without a kind": (response(200, PAGE, "text/plain"), ("fail", "answer_page")),
    "forbidden page": (response(403, PAGE), ("fail", "answer_page")),
    "forbidden": (response(403, b"", "text/plain"), ("fail", "answer_forbidden")),
    "portal": (
        response(302, b"", "text/html", "Location: http://portal.example/in?secret=1"),
        ("fail", "answer_redirect"),
    ),
    "busy": (response(429, b"{}", "application/problem+json"), ("warn", "answer_busy")),
    "unwell": (response(503, b"{}", "application/problem+json"), ("fail", "answer_unwell")),
    "not there": (response(404, b"{}", "application/json"), ("fail", "answer_foreign")),
    "some JSON": (response(200, b"{}", "application/json"), ("fail", "answer_foreign")),
    "nothing": (response(200), ("fail", "answer_page")),
    "no HTTP": (b"220 mail.example ESMTP\r\n", ("fail", "answer_strange")),
    "hangs up": (b"", ("fail", "answer_hangs_up")),
    "half of it": (response(200, PAGE)[:-20], ("fail", "answer_page")),
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_that_is_not_the_vendors(
    stage: Stage, answer: bytes, expected: tuple[str, str]
) -> None:
    found = stage.look(f"http://127.0.0.1:{stage.listen(says(answer)).port}")

    assert found["answer"] == expected
    assert "secret" not in str(stage.seen)


def test_the_title_of_a_page_says_who_answers(stage: Stage) -> None:
    stage.look(f"http://127.0.0.1:{stage.listen(says(response(200, PAGE))).port}")

    assert stage.facts(Step.ANSWER)["title"] == "Welcome to the hotel"


def test_keys_that_another_vendor_signed_are_not_the_vendors(stage: Stage) -> None:
    stage.vendor.served_keyset = Vendor().served_keyset

    found = stage.look(f"http://127.0.0.1:{stage.listen(serves(stage.authority)).port}")

    assert found["answer"] == ("fail", "answer_not_signed")


def test_keys_that_have_expired_point_to_the_clock(stage: Stage) -> None:
    stage.vendor.served_keyset = stage.vendor.keyset(expires_at=NOW - DAY)

    found = stage.look(f"http://127.0.0.1:{stage.listen(serves(stage.authority)).port}")

    assert found["answer"] == ("fail", "answer_keys_expired")


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


def test_whoever_drips_does_not_outlast_the_patience(stage: Stage) -> None:
    stop = threading.Event()

    def drips(peer: object) -> None:
        head_of(peer)  # type: ignore[arg-type] # a socket
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: ")  # type: ignore[attr-defined] # likewise
        while not stop.wait(0.02):
            peer.sendall(b"a")  # type: ignore[attr-defined] # likewise

    began = time.monotonic()
    try:
        url = f"http://127.0.0.1:{stage.listen(drips).port}"
        found = stage.look(url, seconds=0.5)
    finally:
        stop.set()

    assert found["answer"] == ("fail", "answer_silent")
    assert time.monotonic() - began < 6
