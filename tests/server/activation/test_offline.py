"""A server without a line: requests as files, which of them waits, and the way back from each."""

import json

import pytest

from server.activation.offline import RequestWish
from server.activation.service import LicenseOffice
from server.core.errors import Conflict, Invalid, Missing, NotAllowed, NotLicensed
from tests.licensing.client.vendor import SHOWN_CODE, Response
from tests.server.activation.carrying import ACTIVATE, CHECK_IN, LEAVE, answered, carry, trail
from tests.server.conftest import Cast
from tests.support.licensed import Stage


def test_a_whole_life_without_a_line(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    stage.vendor.instead = lambda _path: Response(503, b"")  # nothing below may need the line

    office.import_answer(cast.root, carry(stage, office, cast, ACTIVATE))
    opened = stage.board.verdict.mode
    stage.pass_time(days=1)
    office.import_answer(cast.root, carry(stage, office, cast, CHECK_IN))
    lease = office.client.status().lease
    request = office.export_request(cast.root, LEAVE)
    locked_at_once = (stage.board.verdict.mode, stage.board.verdict.reason)
    office.import_answer(cast.root, answered(stage, "deactivate", request.raw))

    assert opened == "ok"
    assert lease is not None
    assert lease.seq == 2
    assert locked_at_once == ("locked", "deactivated")
    (receipt,) = office.receipts(cast.root)
    assert (receipt.license_id, receipt.reason) == ("lic_1", "refund")
    assert receipt.refund_eligible_at is not None
    assert json.loads(receipt.raw)["signatures"]
    assert office.pending(cast.root) is None
    actions = [(action, name) for action, name, _changes in trail(stage, cast)]
    assert actions[:6] == [("import_answer", "Root"), ("export_request", "Root")] * 3
    assert SHOWN_CODE not in str(trail(stage, cast))


def test_the_request_that_waits_is_known_and_the_same_file_again(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    first = office.export_request(cast.root, ACTIVATE)
    stage.pass_time(hours=3)
    again = office.export_request(cast.root, ACTIVATE)
    waiting = office.pending(cast.root)

    assert (again.raw, again.replaced) == (first.raw, None)
    assert first.name == f"daftar-activate-{first.request.number}.dftreq"
    assert waiting == first.request
    assert waiting is not None
    assert (waiting.by_file, waiting.is_final, waiting.reason) == (True, False, None)
    assert office.pending_file(cast.root).raw == first.raw
    assert stage.vendor.requests == []


def test_another_code_takes_the_place_and_the_old_answer_is_refused(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    old = carry(stage, office, cast, ACTIVATE)
    before = office.pending(cast.root)
    office.withdraw(cast.root)
    made = office.export_request(cast.root, ACTIVATE)

    with pytest.raises(Conflict, match=made.request.number) as refusal:
        office.import_answer(cast.root, old)

    assert refusal.value.code == "E_REPLAY"
    assert before is not None
    assert before.number != made.request.number
    assert office.pending(cast.root) == made.request
    assert stage.board.verdict.mode == "setup"
    # Nothing was lost: the same instance is activated by the newer request.
    office.import_answer(cast.root, answered(stage, "activate", made.raw))
    assert stage.vendor.activations_made == 1


def test_a_request_of_another_kind_that_waited_is_named(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    waiting = office.export_request(cast.root, CHECK_IN).request

    leaving = office.export_request(cast.root, LEAVE)

    assert leaving.replaced == waiting


def test_leaving_by_file_is_final_and_the_code_is_the_way_back(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    leaving = office.export_request(cast.root, LEAVE)

    with pytest.raises(Conflict, match="activate again"):
        office.withdraw(cast.root)
    with pytest.raises(Conflict):
        office.export_request(cast.root, CHECK_IN)
    with pytest.raises(NotLicensed):
        office.export_request(cast.root, RequestWish("deactivate", reason="move"))
    again = office.export_request(cast.root, LEAVE)
    office.activate(cast.root, SHOWN_CODE)

    assert leaving.request.is_final
    assert leaving.request.reason == "refund"
    assert again.raw == leaving.raw
    assert stage.board.verdict.mode == "ok"


def test_a_wish_to_leave_that_was_never_heard_is_withdrawn(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    """Otherwise the next check would carry it out, days after its writer has thought again."""
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.instead = lambda _path: Response(503, b"")
    with pytest.raises(Exception, match="not available"):
        office.deactivate(cast.root, "move")
    waiting = office.pending(cast.root)
    stage.vendor.instead = lambda _path: None

    office.withdraw(cast.root)
    office.check_in(cast.root)

    assert waiting is not None
    assert (waiting.kind, waiting.reason, waiting.is_final) == ("deactivate", "move", False)
    assert stage.board.verdict.mode == "ok"
    assert stage.vendor.activation is not None


def test_another_reason_makes_another_request_while_none_was_handed_out(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.instead = lambda _path: Response(503, b"")
    with pytest.raises(Exception, match="not available"):
        office.deactivate(cast.root, "move")

    made = office.export_request(cast.root, LEAVE)

    assert made.request.reason == "refund"


def test_an_activation_that_began_by_line_cannot_be_carried(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    stage.vendor.instead = lambda path: Response(503, b"") if path == "/v1/activations" else None
    with pytest.raises(Exception, match="not available"):
        office.activate(cast.root, SHOWN_CODE)
    waiting = office.pending(cast.root)

    with pytest.raises(Missing):
        office.pending_file(cast.root)
    made = office.export_request(cast.root, ACTIVATE)

    assert waiting is not None
    assert waiting.by_file is False
    assert made.request.by_file is True
    assert made.replaced == waiting


@pytest.mark.parametrize(
    "wish",
    [
        RequestWish("activate", code="0123-4567"),
        RequestWish("sing"),
        RequestWish("deactivate", reason="boredom"),
    ],
)
def test_a_wrong_wish_makes_no_request(
    stage: Stage, office: LicenseOffice, cast: Cast, wish: RequestWish
) -> None:
    with pytest.raises(Invalid):
        office.export_request(cast.root, wish)

    assert office.pending(cast.root) is None


@pytest.mark.parametrize("wish", [CHECK_IN, LEAVE])
def test_without_an_activation_there_is_nothing_to_ask(
    stage: Stage, office: LicenseOffice, cast: Cast, wish: RequestWish
) -> None:
    with pytest.raises(NotLicensed, match="no active licence"):
        office.export_request(cast.root, wish)


def test_only_who_manages_the_licence_may_do_any_of_it(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    for ask in (
        lambda: office.pending(cast.anna),
        lambda: office.pending_file(cast.anna),
        lambda: office.export_request(cast.anna, ACTIVATE),
        lambda: office.import_answer(cast.anna, b"{}"),
        lambda: office.withdraw(cast.anna),
        lambda: office.receipts(cast.anna),
        lambda: office.machine(cast.anna),
        lambda: office.confirm_machine(cast.anna),
    ):
        with pytest.raises(NotAllowed):
            ask()


def test_nothing_waits_on_a_new_server(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    assert office.pending(cast.root) is None
    assert office.machine(cast.root) == ()
    assert office.receipts(cast.root) == ()
    with pytest.raises(Missing):
        office.withdraw(cast.root)


def test_a_changed_machine_is_confirmed_by_a_person(
    stage: Stage, office: LicenseOffice, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"machine_id": "a" * 32, "board_serial": "b" * 32, "mac": "c" * 32}
    monkeypatch.setattr("licensing.client.installation.fingerprint", lambda *_at: dict(seen))
    office = stage.open_office()
    office.activate(cast.root, SHOWN_CODE)
    seen.update(board_serial="d" * 32, mac="e" * 32, tpm_ek="f" * 32)
    office = stage.open_office()
    before = [notice.code for notice in office.client.verdict(1).notices]
    parts = {part.name: part.change for part in office.machine(cast.root)}

    office.confirm_machine(cast.root)

    assert "FINGERPRINT_CHANGED" in before
    assert parts == {
        "machine_id": "same",
        "board_serial": "changed",
        "mac": "changed",
        "tpm_ek": "added",
    }
    assert [notice.code for notice in stage.open_office().client.verdict(1).notices] == []
    assert trail(stage, cast)[0][0] == "confirm_machine"
    assert "board_serial, mac, tpm_ek" in trail(stage, cast)[0][2]
