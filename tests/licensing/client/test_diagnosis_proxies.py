"""The diagnosis against proxies: those that let through, and all the ways of not doing so."""

import pytest

from licensing.client.diagnosis import Step
from tests.licensing.client.examination import PAGE, Stage
from tests.licensing.client.obstacles import (
    Talk,
    head_of,
    is_silent,
    response,
    says,
    serves,
    tunnels,
)
from tests.licensing.client.vendor import VendorServer
from tests.support.ports import free_port

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
