"""Answers that come as files: those that fit are taken once, the others are told apart and change nothing."""

import pytest

from licensing.document.qr import joined, slices
from server.activation.service import LicenseOffice
from server.core.errors import Broken, Conflict, Invalid, Missing, NotLicensed
from tests.licensing.client.vendor import DAY, SHOWN_CODE, fresh_key
from tests.server.activation.carrying import ACTIVATE, CHECK_IN, answered, carry
from tests.server.conftest import Cast
from tests.support.licensed import Stage


def test_the_answer_comes_as_codes_in_any_order(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    request = office.export_request(cast.root, ACTIVATE)
    assert joined(reversed(request.codes)) == request.raw
    codes = slices(answered(stage, "activate", request.raw))

    with pytest.raises(Invalid, match=f"Of {len(codes)} QR codes these are missing: 1"):
        office.import_answer(cast.root, "\n".join(codes[1:]).encode())
    office.import_answer(cast.root, "\r\n \ufeff".join(reversed(codes)).encode())

    assert stage.board.verdict.mode == "ok"


def test_an_answer_is_taken_once(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    answer = carry(stage, office, cast, ACTIVATE)
    office.import_answer(cast.root, answer)

    with pytest.raises(Missing, match="imported before"):
        office.import_answer(cast.root, answer)

    assert stage.board.verdict.mode == "ok"


def test_answers_in_the_wrong_order_wait_for_their_turn(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    activation = carry(stage, office, cast, ACTIVATE)
    office.import_answer(cast.root, activation)
    check_in = carry(stage, office, cast, CHECK_IN)

    with pytest.raises(Conflict):
        office.import_answer(cast.root, activation)
    office.import_answer(cast.root, check_in)

    lease = office.client.status().lease
    assert lease is not None
    assert lease.seq == 2


def test_an_answer_that_came_by_line_first_makes_the_file_needless(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    by_file = carry(stage, office, cast, CHECK_IN)
    office.check_in(cast.root)

    with pytest.raises(Missing):
        office.import_answer(cast.root, by_file)

    assert stage.board.verdict.mode == "ok"
    assert stage.vendor.seq == 2


def test_an_answer_of_another_vendor_changes_nothing(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    request = office.export_request(cast.root, ACTIVATE)
    stage.vendor.lease_key = fresh_key()

    with pytest.raises(Broken, match="root\\.json") as refusal:
        office.import_answer(cast.root, answered(stage, "activate", request.raw))

    assert refusal.value.code == "E_SIGNATURE"
    assert office.pending(cast.root) == request.request
    assert stage.board.verdict.mode == "setup"


def test_newer_keys_arrive_in_the_file_and_older_ones_do_not_come_back(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    old = stage.vendor.served_keyset
    stage.vendor.lease_key = fresh_key()
    newer = stage.vendor.keyset(version=2)

    office.import_answer(
        cast.root,
        answered(stage, "check-in", office.export_request(cast.root, CHECK_IN).raw, newer),
    )
    request = office.export_request(cast.root, CHECK_IN)
    office.import_answer(cast.root, answered(stage, "check-in", request.raw, old))

    assert office.client.status().keyset_version == 2
    assert stage.vendor.seq == 3


def test_a_keyset_that_has_expired_is_told_with_the_clock_as_the_likely_reason(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    request = office.export_request(cast.root, ACTIVATE)
    expired = stage.vendor.keyset(expires_at=stage.vendor.now - DAY)

    with pytest.raises(Broken, match="clock") as refusal:
        office.import_answer(cast.root, answered(stage, "activate", request.raw, expired))

    assert refusal.value.code == "E_KEYSET_EXPIRED"
    assert office.pending(cast.root) == request.request


def test_a_no_that_came_as_a_file_ends_the_request(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    stage.vendor.denial = "E_ALREADY_ACTIVE"

    with pytest.raises(NotLicensed, match="already active on another server"):
        office.import_answer(cast.root, carry(stage, office, cast, ACTIVATE))

    assert office.pending(cast.root) is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (b"", None),
        (b" \n", None),
        (b"hello", "no_answer"),
        (b"{}", "no_answer"),
        (b"{" * 70_000, "no_answer"),
        (b"\xff\xfe\x00", "no_answer"),
        (b"%PDF-1.7", "no_answer"),
        (b"x" * 200_000, "no_answer"),
        (b"DFT1:1/2:AAAA", "qr_missing"),
        (b"DFT1:1/2:AAAA DFT1:2/3:AAAA", "qr_mixed"),
        (b"DFT1:1/1:AAAA", "qr_damaged"),
    ],
)
def test_what_is_no_answer_is_told_apart(
    stage: Stage, office: LicenseOffice, cast: Cast, given: bytes, code: str | None
) -> None:
    request = office.export_request(cast.root, ACTIVATE)

    with pytest.raises(Invalid) as refusal:
        office.import_answer(cast.root, given)

    assert refusal.value.field == "answer"
    assert code is None or refusal.value.code == code
    assert office.pending(cast.root) == request.request


def test_ones_own_request_is_no_answer(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    request = office.export_request(cast.root, ACTIVATE)

    with pytest.raises(Invalid, match="not the vendor's answer"):
        office.import_answer(cast.root, request.raw)
