"""What is sent: the explained fields are those of the documents, on the page and in the guide, and no others."""

import json
import re
from collections.abc import Mapping

import pytest

from licensing.client.transport import Transport
from licensing.document.requests import (
    ActivateRequest,
    CheckInRequest,
    ClockReport,
    DeactivateRequest,
    DeactivationReason,
    Mode,
    Usage,
)
from server.activation.fields import (
    ACTIVATION_FIELDS,
    CHECK_IN_FIELDS,
    DEACTIVATION_FIELDS,
    Field,
)
from server.activation.offline import RequestWish
from server.activation.service import LicenseOffice
from tests.licensing.client.obstacles import Listener, head_of
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import Cast
from tests.support.licensed import Stage
from tests.support.sources import ROOT

CHECK_IN = CheckInRequest(
    activation_id="act_1",
    seq=2,
    nonce="0" * 32,
    client_nonce="1" * 32,
    prev_hash=None,
    fp={"mac": "2" * 32},
    usage=Usage(1, 1, 0),
    clock=ClockReport(1, suspect=False),
    product_version="1",
    mode=Mode.OK,
    sent_at=1,
)
ACTIVATION = ActivateRequest("offline." + "0" * 32, "c", "p", bytes(32), {}, "1", 1)
MESSAGES: dict[str, tuple[dict[str, object], Mapping[str, Field]]] = {
    "Activation": (ACTIVATION.to_payload(), ACTIVATION_FIELDS),
    "Check-in": (CHECK_IN.to_payload(), CHECK_IN_FIELDS),
    "Giving back": (
        DeactivateRequest(CHECK_IN, DeactivationReason.MOVE).to_payload(),
        DEACTIVATION_FIELDS,
    ),
}
HEADERS = {
    "Host",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Connection",
    "Content-Type",
    "Content-Length",
}


def names(payload: Mapping[str, object]) -> set[str]:
    """Return the names of all members, nested ones with their path; a fingerprint is one member."""
    found = set(payload)
    for name, value in payload.items():
        if isinstance(value, dict) and name != "fp":
            found |= {f"{name}.{inner}" for inner in value}
    return found


def in_the_guide(heading: str) -> dict[str, tuple[str, str]]:
    page = (ROOT / "docs" / "admin" / "license.md").read_text(encoding="utf8")
    part = page.split("## What is sent")[1].split(f"### {heading}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+?) \|$", part, re.MULTILINE)
    return {name: (meaning, why) for name, meaning, why in rows}


@pytest.mark.parametrize(("payload", "explained"), MESSAGES.values(), ids=MESSAGES.keys())
def test_every_field_is_explained_and_no_other(
    payload: dict[str, object], explained: Mapping[str, Field]
) -> None:
    assert set(explained) == names(payload)


@pytest.mark.parametrize(("heading", "of"), [(name, one[1]) for name, one in MESSAGES.items()])
def test_the_guide_lists_the_same_fields(heading: str, of: Mapping[str, Field]) -> None:
    told = in_the_guide(heading)
    if heading == "Giving back":
        told = {**in_the_guide("Check-in"), **told}

    assert told == {name: (field.meaning, field.why) for name, field in of.items()}


def test_what_was_really_sent_has_these_fields_and_no_others(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    office.check_in(cast.root)
    office.deactivate(cast.root, "move")

    activation, check_in, leaving = stage.vendor.requests
    assert names(activation) == set(ACTIVATION_FIELDS)
    assert names(check_in) == set(CHECK_IN_FIELDS)
    assert names(leaving) == set(DEACTIVATION_FIELDS)


def test_the_preview_is_what_is_sent_then(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    office.activate(cast.root, SHOWN_CODE)
    told = json.loads(office.preview(cast.root))

    office.check_in(cast.root)

    sent = stage.vendor.requests[-1]
    # Random on purpose, so that no two messages are the same.
    assert {**told, "client_nonce": ""} == {**sent, "client_nonce": ""}


def test_a_request_that_waits_is_what_the_preview_shows(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    office.export_request(cast.root, RequestWish("check-in"))
    told = office.preview(cast.root)

    office.check_in(cast.root)

    assert json.loads(told) == stage.vendor.requests[-1]


def test_no_header_tells_more_than_the_guide(stage: Stage) -> None:
    heads: list[str] = []

    def hear(peer: object) -> None:
        heads.append(head_of(peer))  # type: ignore[arg-type] # a socket

    listener = Listener(hear)
    try:
        Transport([f"http://127.0.0.1:{listener.port}"]).post("v1/check-ins", b"{}")
    finally:
        listener.stop()

    lines = heads[0].partition("\r\n\r\n")[0].splitlines()[1:]
    sent = dict(line.split(": ", 1) for line in lines)
    assert set(sent) <= HEADERS
    assert sent["User-Agent"] == "Daftar"
    page = (ROOT / "docs" / "admin" / "license.md").read_text(encoding="utf8")
    assert all(f"`{name}" in page for name in HEADERS)
