"""The diagnosis against answers that are not the vendor's."""

import threading
import time

import pytest

from licensing.client.diagnosis import Step
from tests.licensing.client.examination import PAGE, Stage
from tests.licensing.client.obstacles import (
    head_of,
    response,
    says,
    serves,
)
from tests.licensing.client.vendor import DAY, NOW, Vendor

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
