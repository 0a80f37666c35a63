"""Refunds against the signed proof: read first, written down once, never before its day."""

import html
import io
import re
from datetime import timedelta

import time_machine
from werkzeug.test import TestResponse

from server.core import clock
from tests.licensing.authority.console_pages.conftest import Visit, Visitor
from tests.licensing.authority.stage import Vendor


def proof_of(shop: Vendor, reason: str = "refund") -> tuple[str, bytes]:
    """Let a customer give a licence back; return its id and the proof."""
    issued, server = shop.sell(), shop.stranger()
    server.activate(issued.code)
    return issued.license_id, server.deactivate(reason).raw


def show(visitor: Visitor, raw: bytes) -> TestResponse:
    visitor.read("/console/refunds")
    return visitor.post("/console/refunds", file=(io.BytesIO(raw), "proof.json"))


def carried(answer: TestResponse) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', answer.get_data(as_text=True))
    assert found is not None, answer.get_data(as_text=True)
    return html.unescape(found[1])


def test_a_refund_is_written_down_once(visit: Visit, shop: Vendor) -> None:
    license_id, raw = proof_of(shop)
    anna = visit("Anna")
    shown = show(anna, raw)
    assert "The refund may be paid." in shown.get_data(as_text=True)

    page = anna.follow(anna.post("/console/refunds/pay", proof=carried(shown)))
    again = show(anna, raw).get_data(as_text=True)
    twice = anna.post("/console/refunds/pay", proof=carried(shown))

    assert "Given back" in page
    assert anna.get(f"/console/licenses/{license_id}/proof.json").data == raw
    assert "This refund was paid already." in again
    assert "Write down that it is paid" not in again
    assert twice.status_code == 409


def test_a_move_is_no_refund(visit: Visit, shop: Vendor) -> None:
    _license_id, raw = proof_of(shop, "move")

    assert "for another reason than a refund" in show(visit("Anna"), raw).get_data(as_text=True)


def test_what_is_no_proof_of_ours_is_refused_in_a_sentence(visit: Visit, shop: Vendor) -> None:
    _license_id, raw = proof_of(shop)
    anna = visit("Anna")

    for wrong in (b"", b"hello", raw.replace(b'"sig"', b'"gis"'), raw[:-40]):
        answer = show(anna, wrong)
        assert answer.status_code == 422, wrong[:20]
        assert "k-form-summary" in answer.get_data(as_text=True)
    assert anna.post("/console/refunds/pay", proof="????").status_code == 422


def test_paying_asks_again_who_is_there(visit: Visit, shop: Vendor) -> None:
    _license_id, raw = proof_of(shop)
    anna = visit("Anna")
    shown = show(anna, raw)

    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        answer = anna.post("/console/refunds/pay", proof=carried(shown))

    assert answer.headers["Location"].startswith("/console/confirm")
