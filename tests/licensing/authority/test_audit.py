"""The audit trail of the authority: who did what, what the protocol did, and that nobody changed it since."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from licensing.authority.audit.chain import seal_all, verify, verify_and_remember
from licensing.authority.audit.models import AuditEntry, TrailHead
from licensing.authority.licenses.rules import LicenseStatus
from server.core.db import Database
from server.core.errors import Broken
from server.core.links import Break, Fault
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import Vendor


def actions(vendor: Vendor, subject: str) -> list[tuple[str, str]]:
    """Return who did what to this licence, the oldest first."""
    with vendor.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.id)
        return [(entry.operator, entry.action) for entry in session.scalars(query)]


def test_people_and_protocol_are_written_down(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    for _attempt in range(5):
        vendor.stranger().activate(issued.code, code_proof="0" * 64)
    server.activate(issued.code)
    vendor.set_status(issued.license_id, LicenseStatus.SUSPENDED)
    vendor.set_status(issued.license_id, LicenseStatus.OK)
    clone = server.twin()
    for _day in range(5):
        server.check_in()
        clone.check_in()
    vendor.clear_hold(issued.license_id)
    server.deactivate("move")

    assert actions(vendor, issued.license_id) == [
        ("Root", "license.issue"),
        ("protocol", "activation.wrong_codes"),
        ("protocol", "activation.begin"),
        ("Root", "license.suspended"),
        ("Root", "license.ok"),
        ("protocol", "activation.hold"),
        ("Root", "license.clear_hold"),
        ("protocol", "activation.end"),
    ]


def test_a_repeated_request_is_written_down_once(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    for _time in range(3):
        server.again("/v1/activations")

    told = actions(vendor, issued.license_id)
    assert told == [("Root", "license.issue"), ("protocol", "activation.begin")]


@pytest.fixture
def sealed(vendor_here: Vendor) -> Database:
    """Give a database whose trail is sealed."""
    for _number in range(3):
        vendor_here.sell()
    assert seal_all(vendor_here.database) >= 6
    return vendor_here.database


def changed(**values: object) -> Callable[[Session], object]:
    return lambda session: session.execute(
        update(AuditEntry).where(AuditEntry.position == 3).values(**values)
    )


DAMAGE: dict[str, tuple[Callable[[Session], object], Fault]] = {
    "who": (changed(operator="Ben"), Fault.CHANGED),
    "what": (changed(action="license.nothing"), Fault.MOVED),
    "on what": (changed(subject="lic_other"), Fault.MOVED),
    "particulars": (changed(detail={"seats": 1}), Fault.CHANGED),
    "an entry": (
        lambda session: session.execute(delete(AuditEntry).where(AuditEntry.position == 3)),
        Fault.MISSING,
    ),
}


@pytest.mark.parametrize(("damage", "fault"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_change_past_the_program_is_found(
    sealed: Database, damage: Callable[[Session], object], fault: Fault
) -> None:
    with sealed.write() as session:
        damage(session)

    with sealed.read() as session:
        assert verify(session).broken == Break(3, fault)


def test_the_nightly_look_is_remembered(sealed: Database) -> None:
    verify_and_remember(sealed)
    with sealed.write() as session:
        assert session.get_one(TrailHead, 1).broken_at is None
        changed(operator="Ben")(session)

    with pytest.raises(Broken, match="entry 3"):
        verify_and_remember(sealed)
    with sealed.read() as session:
        assert session.get_one(TrailHead, 1).broken_at == 3


def test_the_command_lists_and_verifies(console: Console, sold: dict[str, str]) -> None:
    found = console.json("audit", "list", "--subject", sold["license_id"])
    [entry] = found["items"]
    assert (entry["action"], entry["sealed"]) == ("license.issue", False)

    whole = console.json("audit", "verify")
    assert (whole["ok"], whole["sealed"], whole["unsealed"]) == (True, 0, 2)


def test_a_broken_trail_is_exit_code_6(console: Console, console_vendor: Vendor) -> None:
    console_vendor.sell()
    seal_all(console_vendor.database)
    with console_vendor.database.write() as session:
        session.execute(update(AuditEntry).values(operator="nobody"))

    code, sentence = console.refusal("audit", "verify")

    assert code == 6
    assert "entry 1" in sentence
