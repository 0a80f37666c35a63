"""Reading the licence's status, for pages, the API and the command line."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from licensing.client.ladder import read_only_at
from licensing.document.license import License
from server.activation.document import show_status
from server.activation.models import ONLY_ROW, CheckInPlan
from server.activation.rules import LeaseFacts, LicenseStatus, NextTerm, SeatUse, moment
from server.activation.words import Reader, tell
from server.activation.words import Told as Told  # other slices find it here
from server.core.actor import Actor
from server.core.entitlements import Entitlements, Notice
from server.users.queries import device_seats, seats, service_seats

if TYPE_CHECKING:  # the office is handed over, open
    from server.activation.service import LicenseOffice


def license_status(session: Session, actor: Actor, office: "LicenseOffice") -> LicenseStatus:
    """Return everything that is known about the licence."""
    actor.must("license.see")
    named, service, devices = seats(session), service_seats(session), device_seats(session)
    snapshot = office.client.status()
    verdict = office.client.verdict(named.used)
    sold, lease = snapshot.license, snapshot.lease
    plan = session.get(CheckInPlan, ONLY_ROW)
    return LicenseStatus(
        mode=verdict.mode.value,
        reason=verdict.reason.value,
        license_id=sold.license_id if sold else None,
        customer=sold.customer.name if sold else None,
        edition=sold.edition if sold else None,
        kind=sold.kind.value if sold else None,
        serial=sold.serial if sold else None,
        named=SeatUse(named.used, named.cap),
        concurrent=SeatUse(devices.used, devices.cap),
        service=SeatUse(service.used, service.cap),
        expires_at=moment(sold.expires_at) if sold and sold.expires_at else None,
        maintenance_until=moment(sold.maintenance_until)
        if sold and sold.maintenance_until
        else None,
        next_change_at=moment(verdict.next_change_at) if verdict.next_change_at else None,
        lease=LeaseFacts(
            seq=lease.seq,
            issued_at=moment(lease.issued_at),
            expires_at=moment(lease.expires_at),
            renew_after=moment(lease.renew_after),
            read_only_at=moment(read_only_at(sold, lease)),
        )
        if sold and lease
        else None,
        last_contact_at=moment(snapshot.last_contact_at) if snapshot.last_contact_at else None,
        next_check_in_at=plan.next_at if plan and snapshot.is_activated else None,
        notices=tuple(notice.code for notice in verdict.notices),
        problems=tuple(problem.code.value for problem in snapshot.problems),
        activated_at=moment(snapshot.activation.activated_at) if snapshot.activation else None,
        next_term=_next_term(sold.at(office.client.effective_now())) if sold else None,
    )


def license_document(session: Session, actor: Actor, office: "LicenseOffice") -> dict[str, object]:
    """Return the same as the JSON object that programs read."""
    return show_status(license_status(session, actor, office))


def _next_term(sold: License) -> NextTerm | None:
    term = sold.next_term
    if term is None:
        return None
    seats_then = term.seats
    return NextTerm(
        moment(term.starts_at),
        seats_then.named,
        seats_then.concurrent,
        seats_then.service_accounts,
    )


def tell_administrator(verdict: Entitlements, notice: Notice, now: datetime) -> Told:
    """Return what this row of the ladder, or this signed notice, means for an administrator."""
    return tell(verdict, notice, Reader.ADMINISTRATOR, now)
