"""The licence office and its vendor: what an exchange changes here, and what it never changes."""

import threading

import pytest

from server.activation import service
from server.activation.document import show_status
from server.activation.models import ONLY_ROW, CheckInPlan, LicenseMirror
from server.activation.queries import license_status
from server.activation.service import LicenseOffice
from server.audit.queries import list_entries
from server.core.actor import SYSTEM
from server.core.entitlements import EntitlementsBoard
from server.core.errors import Broken, Invalid, NotAllowed, NotLicensed, Unreachable
from server.core.listing import ListQuery
from server.users.queries import seats, service_seats
from server.users.rules import Seats
from tests.licensing.client.vendor import DAY, SHOWN_CODE, Response
from tests.server.conftest import Cast
from tests.support.licensed import Stage


def plan_of(stage: Stage) -> tuple[int, int]:
    """Return in how many seconds the next check-in is due, and how many failed in a row."""
    with stage.database.read() as session:
        plan = session.get_one(CheckInPlan, ONLY_ROW)
    return int(plan.next_at.timestamp()) - stage.vendor.now, plan.failures


def test_a_new_server_is_in_setup(stage: Stage, office: LicenseOffice) -> None:
    assert (stage.board.verdict.mode, stage.board.verdict.reason) == ("setup", "not_activated")


def test_an_activation_opens_the_product_and_takes_over_what_was_sold(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)

    verdict = stage.board.verdict
    assert (verdict.mode, verdict.customer) == ("ok", "Pars Trading")
    assert (verdict.network_mode, verdict.networks) == ("enforce", ("10.0.0.0/8",))
    with stage.database.read() as session:
        assert seats(session) == Seats(4, 25)
        assert service_seats(session).cap == 5
        newest = list_entries(session, cast.root, ListQuery(limit=1)).items[0]
        mirror = session.get_one(LicenseMirror, ONLY_ROW)
    assert (newest.kind, newest.action, newest.user_name) == ("license", "activate", "Root")
    assert mirror.state.encode() == office.client.mirror()
    assert SHOWN_CODE not in str(newest.changes)


def test_activating_twice_is_one_activation(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    office.activate(cast.root, SHOWN_CODE)

    assert stage.vendor.activations_made == 1


def test_only_who_manages_the_licence_may_ask_the_vendor(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    for ask in (
        lambda: office.activate(cast.anna, SHOWN_CODE),
        lambda: office.check_in(cast.anna),
        lambda: office.deactivate(cast.anna, "move"),
        lambda: office.messages(cast.anna),
        lambda: office.preview(cast.anna),
    ):
        with pytest.raises(NotAllowed):
            ask()
    assert stage.vendor.requests == []


def test_a_mistyped_code_says_so_and_never_leaves_the_house(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    with pytest.raises(Invalid, match="no activation code"):
        office.activate(cast.root, "0123-4567")

    assert stage.vendor.requests == []
    assert stage.board.verdict.mode == "setup"


def test_a_denied_activation_says_why(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    stage.vendor.denial = "E_ALREADY_ACTIVE"

    with pytest.raises(NotLicensed, match="already active on another server") as refusal:
        office.activate(cast.root, SHOWN_CODE)

    assert refusal.value.code == "E_ALREADY_ACTIVE"
    assert stage.board.verdict.mode == "setup"


def test_the_next_check_in_is_due_when_the_vendor_said(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    due, failures = plan_of(stage)
    asked = len(stage.vendor.requests)

    office.check_in_if_due()
    stage.pass_time(seconds=DAY - 1)
    office.check_in_if_due()
    too_early = len(stage.vendor.requests)
    stage.pass_time(seconds=122)
    office.check_in_if_due()

    assert (DAY <= due <= DAY + 120, failures) == (True, 0)
    assert too_early == asked
    assert len(stage.vendor.requests) == asked + 1
    assert stage.vendor.seq == 2


def test_nothing_is_asked_before_an_activation(stage: Stage, office: LicenseOffice) -> None:
    office.check_in_if_due()
    office.tick()

    assert stage.vendor.requests == []


def test_a_vendor_that_is_away_is_asked_again_later_and_later(
    stage: Stage, office: LicenseOffice, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    monkeypatch.setattr(service, "_draw", lambda: 0.999)
    stage.vendor.instead = lambda _path: Response(503, b"")
    stage.pass_time(days=2)
    waits = []
    for _attempt in range(3):
        office.check_in_if_due()
        wait, failures = plan_of(stage)
        waits.append((wait, failures))
        office.check_in_if_due()  # not due yet, so nothing happens
        stage.pass_time(seconds=wait)

    assert waits == [(60, 1), (120, 2), (240, 3)]
    assert stage.board.verdict.mode == "ok"

    stage.vendor.instead = lambda _path: None
    office.check_in_if_due()
    assert plan_of(stage)[1] == 0


def test_the_vendor_may_ask_for_more_patience(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.instead = lambda _path: Response(429, b"", {"Retry-After": "1800"})
    stage.pass_time(days=2)

    office.check_in_if_due()

    assert plan_of(stage) == (1800, 1)


def test_asking_by_hand_says_what_stands_between(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.instead = lambda _path: Response(200, b"<html>Please sign in</html>")

    with pytest.raises(Unreachable, match="HTTP_200"):
        office.check_in(cast.root)

    assert stage.board.verdict.mode == "ok"


def test_an_answer_that_is_not_for_us_is_refused(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.tamper = lambda _name, payload: {**payload, "activation_id": "act_9"}

    with pytest.raises(Broken, match="E_WRONG_INSTANCE"):
        office.check_in(cast.root)

    assert stage.board.verdict.mode == "ok"


def test_a_signed_no_locks_and_the_next_lease_opens_again(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.denial = "E_SUPERSEDED"
    stage.pass_time(days=2)

    office.check_in_if_due()
    locked = (stage.board.verdict.mode, stage.board.verdict.reason)
    stage.vendor.denial = None
    office.check_in(cast.root)

    assert locked == ("locked", "superseded")
    assert stage.board.verdict.mode == "ok"


def test_a_renewal_with_fewer_seats_throws_nobody_out(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.sold = {
        **stage.vendor.sold,
        "serial": 2,
        "seats": {"named": 2, "concurrent": 2, "service_accounts": 1},
    }
    stage.vendor.embed = {"license": stage.vendor.license().decode(), "license_serial": 2}

    office.check_in(cast.root)
    office.tick()
    stage.board.publish(office.refresh())

    with stage.database.read() as session:
        assert seats(session) == Seats(4, 2)
    assert "seats_over_cap" in {notice.code for notice in stage.board.verdict.notices}


def test_silence_leads_down_the_ladder_and_an_answer_up_again(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    modes = []
    for days in (8, 7, 7, 11):
        stage.pass_time(days=days)
        modes.append(office.refresh().mode)
    office.check_in(cast.root)

    assert modes == ["warn_admin", "warn_users", "read_only", "locked"]
    assert stage.board.verdict.mode == "ok"


def test_a_lost_state_file_comes_back_from_the_mirror(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    (stage.settings.license_dir / "state.json").unlink()

    board = EntitlementsBoard()
    stage.open_office(board).check_in(cast.root)

    assert board.verdict.mode == "ok"
    assert stage.vendor.activations_made == 1


def test_an_old_state_file_gives_way_to_a_newer_mirror(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    state = stage.settings.license_dir / "state.json"
    old = state.read_bytes()
    office.check_in(cast.root)
    state.write_bytes(old)

    again = stage.open_office()

    lease = again.client.status().lease
    assert lease is not None
    assert lease.seq == 2


def test_a_database_of_yesterday_does_not_cost_the_licence(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    """The mirror is then older than the file, which stays."""
    office.activate(cast.root, SHOWN_CODE)
    with stage.database.read() as session:
        yesterday = session.get_one(LicenseMirror, ONLY_ROW).state
    office.check_in(cast.root)
    with stage.database.write(SYSTEM) as session:
        session.get_one(LicenseMirror, ONLY_ROW).state = yesterday

    again = stage.open_office()
    again.tick()

    lease = again.client.status().lease
    assert lease is not None
    assert lease.seq == 2
    with stage.database.read() as session:
        assert session.get_one(LicenseMirror, ONLY_ROW).state != yesterday


def test_giving_back_locks_keeps_the_proof_and_the_code_works_again(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)

    office.deactivate(cast.root, "move")
    locked = (stage.board.verdict.mode, stage.board.verdict.reason)
    receipts = list((stage.settings.license_dir / "receipts").iterdir())
    office.activate(cast.root, SHOWN_CODE)

    assert locked == ("locked", "deactivated")
    assert len(receipts) == 1
    assert stage.board.verdict.mode == "ok"
    assert stage.vendor.activations_made == 2


def test_an_unknown_reason_is_refused_before_anything_is_sent(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    sent = len(stage.vendor.requests)

    with pytest.raises(Invalid, match="move, refund and end"):
        office.deactivate(cast.root, "boredom")

    assert len(stage.vendor.requests) == sent


def test_what_is_sent_names_no_user(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    office.activate(cast.root, SHOWN_CODE)
    office.check_in(cast.root)
    told = office.preview(cast.root) + "".join(one.text for one in office.messages(cast.root))

    assert '"named":4' in office.preview(cast.root).replace(" ", "")
    assert [
        word for word in ("Anna", "Ben", "Root", "example.com", SHOWN_CODE) if word in told
    ] == []
    assert [one.direction for one in office.messages(cast.root)][:2] == ["received", "sent"]


def test_another_process_hears_of_an_answer(
    stage: Stage, office: LicenseOffice, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.02)
    heard, stop = threading.Event(), threading.Event()

    class Board(EntitlementsBoard):
        def publish(self, verdict: object) -> None:
            super().publish(verdict)  # type: ignore[arg-type] # a verdict
            if self.verdict.mode == "ok":
                heard.set()

    other = stage.open_office(Board())
    watching = threading.Thread(target=other.watch, args=(stop,))
    watching.start()
    try:
        office.activate(cast.root, SHOWN_CODE)
        assert heard.wait(30)
    finally:
        stop.set()
        watching.join()


def test_the_status_is_the_one_that_others_rely_on(
    stage: Stage, office: LicenseOffice, cast: Cast
) -> None:
    office.activate(cast.root, SHOWN_CODE)

    with stage.database.read() as session:
        shown = show_status(license_status(session, cast.root, office))

    assert (shown["mode"], shown["reason"]) == ("ok", "fresh")
    assert (shown["license_id"], shown["customer"]) == ("lic_1", "Pars Trading")
    assert shown["seats"] == {
        "named": {"used": 4, "cap": 25},
        "concurrent": {"used": 0, "cap": 25},
        "service": {"used": 0, "cap": 5},
    }
    assert shown["expires_at"] == "2028-01-15T07:59:59Z"
    assert shown["lease"] == {
        "seq": 1,
        "issued_at": "2027-01-15T08:00:00Z",
        "expires_at": "2027-01-29T08:00:00Z",
    }
    assert shown["last_contact_at"] == "2027-01-15T08:00:00Z"
    assert shown["notices"] == []
