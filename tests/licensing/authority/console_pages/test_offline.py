"""Requests of servers without a line: shown, then answered, with the real client at the other end."""

import html
import io
import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from licensing.authority.audit.models import AuditEntry
from licensing.client.acceptance import request_hash
from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.outcome import Result
from licensing.document import qr
from licensing.document.requests import DeactivationReason, Usage
from server.core import clock
from tests.licensing.authority.console_pages.conftest import Visit, Visitor
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import sealed
from tests.licensing.client.vendor import machine

USAGE = Usage(named=3, peak_concurrent=2, service=0)


@pytest.fixture
def client(shop: Vendor, tmp_path: Path) -> LicenseClient:
    """Give an installation that reaches nobody."""
    config = ClientConfig(
        directory=tmp_path / "license",
        authority_urls=(),
        trust_root=shop.settings.trust_dir / "root.json",
        product_version="0.1.0",
        machine_root=machine(tmp_path / "machine"),
    )
    return LicenseClient(config, Clocks(clock.timestamp, clock.monotonic))


@pytest.fixture
def ben(visit: Visit) -> Visitor:
    """Give the one who answers, with the page of requests open."""
    ben = visit("Ben")
    ben.read("/console/offline")
    return ben


def upload(ben: Visitor, raw: bytes, text: str = "") -> TestResponse:
    return ben.post("/console/offline", file=(io.BytesIO(raw), "server.dftreq"), text=text)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def answered(ben: Visitor, shown: TestResponse) -> tuple[str, bytes]:
    """Answer what is shown; return the page and the file that it offers."""
    assert shown.status_code == 200, shown.get_data(as_text=True)
    request = hidden(shown.get_data(as_text=True), "request")
    page = ben.post("/console/offline/answer", request=request).get_data(as_text=True)
    file = ben.post("/console/offline/file", file=hidden(page, "file"))
    assert file.headers["Content-Disposition"] == 'attachment; filename="answer.dftlic"'
    return page, file.data


def number_of(client: LicenseClient) -> str:
    """Return the number by which the customer's pages name the request that waits."""
    pending = client.pending()
    assert pending is not None
    return request_hash(pending)[:8]


def test_a_server_without_a_line_lives_by_files(
    ben: Visitor, shop: Vendor, client: LicenseClient
) -> None:
    issued = shop.sell(seats=25)
    shown = upload(ben, client.export_activation(issued.code))
    assert "Activation" in shown.get_data(as_text=True)
    assert issued.license_id in shown.get_data(as_text=True)
    assert f">{number_of(client)}<" in shown.get_data(as_text=True)
    assert shop.activations(issued.license_id) == []

    page, file = answered(ben, shown)

    assert "The request is granted." in page
    assert client.import_answer(file).result is Result.ACCEPTED
    shown = upload(ben, client.export_check_in(USAGE))
    assert "Check-in" in shown.get_data(as_text=True)
    assert client.import_answer(answered(ben, shown)[1]).result is Result.ACCEPTED
    shown = upload(ben, client.export_deactivation(DeactivationReason.MOVE, USAGE))
    assert "Moves to another server" in shown.get_data(as_text=True)
    assert client.import_answer(answered(ben, shown)[1]).result is Result.ACCEPTED


def test_codes_in_any_order_make_a_request(
    ben: Visitor, shop: Vendor, client: LicenseClient
) -> None:
    issued = shop.sell()
    parts = qr.slices(client.export_activation(issued.code), 200)
    assert len(parts) > 1

    shown = ben.post("/console/offline", text="\n".join([*reversed(parts), parts[0]]))

    assert client.import_answer(answered(ben, shown)[1]).result is Result.ACCEPTED


def test_the_answer_is_shown_as_codes(ben: Visitor, shop: Vendor, client: LicenseClient) -> None:
    shown = upload(ben, client.export_activation(shop.sell().code))

    page, file = answered(ben, shown)

    assert page.count("data:image/svg+xml") == len(qr.slices(file))


def test_missing_codes_are_named(ben: Visitor, shop: Vendor, client: LicenseClient) -> None:
    parts = qr.slices(client.export_activation(shop.sell().code), 200)

    answer = ben.post("/console/offline", text="\n".join(parts[1:]))

    assert answer.status_code == 422
    assert f"Of {len(parts)} codes these are missing: 1." in answer.get_data(as_text=True)


def test_the_same_request_is_answered_with_the_same_bytes(
    ben: Visitor, shop: Vendor, client: LicenseClient
) -> None:
    request = client.export_activation(shop.sell().code)

    assert answered(ben, upload(ben, request))[1] == answered(ben, upload(ben, request))[1]


def test_a_code_that_no_licence_has_is_told_before_and_refused(
    ben: Visitor, shop: Vendor, client: LicenseClient
) -> None:
    issued = shop.sell()
    request = client.export_activation(issued.code)
    shop.rehost(issued.license_id)

    shown = upload(ben, request)
    page, _file = answered(ben, shown)

    assert "No licence has this activation code." in shown.get_data(as_text=True)
    assert "The answer is a refusal, E_CODE." in page


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "Choose a request file"),
        (b"hello", "no request that can be answered"),
        (b"{}", "no request that can be answered"),
        (b"DFT1:1/1:!!!!", "no code of a request"),
        (b"\xff\xfe" * 40_000, "no request that can be answered"),
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(ben: Visitor, raw: bytes, said: str) -> None:
    answer = upload(ben, raw)

    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)


def test_a_request_that_was_changed_on_the_way_is_refused(
    ben: Visitor, shop: Vendor, client: LicenseClient
) -> None:
    request = client.export_activation(shop.sell().code)
    changed = request.replace(b'"sig":"', b'"sig":"AAAA', 1) if b'"sig":"' in request else request
    changed = re.sub(rb'("sig": ?")(....)', rb"\1AAAA", changed, count=1)

    answer = upload(ben, changed)

    assert answer.status_code == 422


def test_a_server_of_another_authority_is_told_so(ben: Visitor, shop: Vendor) -> None:
    stranger = shop.stranger()
    stranger.activation = {"activation_id": "act_NOBODY"}
    stranger.lease = {"seq": 1, "next_nonce": "0" * 32}
    request = sealed("checkin-req", stranger.check_in_payload(), stranger.key)

    answer = upload(ben, request)

    assert answer.status_code == 404
    assert "does not know the server that asks, act_NOBODY" in answer.get_data(as_text=True)


def test_an_answer_is_on_record(ben: Visitor, shop: Vendor, client: LicenseClient) -> None:
    issued = shop.sell()
    answered(ben, upload(ben, client.export_activation(issued.code)))

    with shop.database.read() as session:
        kept = session.query(AuditEntry).filter_by(action="request.answer").one()
    assert (kept.operator, kept.subject) == ("ben@example.com", issued.license_id)


@pytest.mark.parametrize("name", ["request", "file"])
def test_what_the_pages_carry_cannot_be_made_up(ben: Visitor, name: str) -> None:
    address = "/console/offline/answer" if name == "request" else "/console/offline/file"

    for made_up in ("", "????", "AAAA"):
        assert ben.post(address, **{name: made_up}).status_code == 422
