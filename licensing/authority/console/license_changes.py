"""What can be done to a licence: each step has a page that says what follows, and one form."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.queries import active_of
from licensing.authority.activations.vendor import clear_hold, rehost_license
from licensing.authority.console.desk import console, fresh, operator, reveal, say
from licensing.authority.licenses import service, terms
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import customer_of, look_up
from licensing.authority.licenses.rules import LicenseStatus
from licensing.authority.licenses.service import SeatChange
from licensing.authority.licenses.terms import TermsChange
from licensing.authority.staff.queries import Operator
from licensing.document.license import PRIVATE_NETWORKS, Kind, NetworkMode
from server.core import clock
from server.core.errors import DaftarError, FieldError, Invalid
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.http.access import needs
from server.http.errors import status_of
from server.http.forms import lines, whole
from server.http.unit_of_work import current_session

blueprint = Blueprint("license_changes", __name__)

Change = Callable[[Session, LicenseRecord], str]
Fits = Callable[[LicenseRecord, ActivationRecord | None], bool]
LIVING = (LicenseStatus.OK, LicenseStatus.SUSPENDED)


@dataclass(frozen=True)
class Step:
    """One thing that can be done to a licence, by whom, when, and what follows from it."""

    name: str
    title: str
    verb: str
    icon: str
    permission: str
    consequences: tuple[str, ...]
    fits: Fits
    change: Change
    fields: tuple[str, ...] = ()
    is_grave: bool = False
    is_danger: bool = False


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()


def _number(name: str) -> int | None:
    return whole(_typed(name), name)


def _needed_number(name: str, sentence: str) -> int:
    found = _number(name)
    if found is None:
        raise Invalid(sentence, field=name)
    return found


def _set_status(wanted: LicenseStatus, said: str) -> Change:
    def change(session: Session, license_: LicenseRecord) -> str:
        reason = _typed("reason")[:1000]
        service.set_status(session, operator().email, license_.license_id, wanted, reason)
        return _(said)

    return change


def _renew(session: Session, license_: LicenseRecord) -> str:
    days = _needed_number("days", _("Say how many days are added."))
    service.renew_license(session, operator().email, console().keys, license_.license_id, days)
    return _("The licence is renewed. Its server fetches the new document at its next check-in.")


def _seats(session: Session, license_: LicenseRecord) -> str:
    change = SeatChange(_number("named"), _number("concurrent"), _number("service_accounts"))
    if change == SeatChange():
        raise Invalid(_("Say at least one number."), field="named")
    service.set_seats(session, operator().email, console().keys, license_.license_id, change)
    return _("The seats are changed. The server fetches them at its next check-in.")


def _next_term(session: Session, license_: LicenseRecord) -> str:
    days = _needed_number("days", _("Say how many days the next term has."))
    seats = SeatChange(_number("named"), _number("concurrent"), _number("service_accounts"))
    terms.load_next_term(
        session, operator().email, console().keys, license_.license_id, days, seats
    )
    return _("The next term is loaded. Its server fetches it at its next check-in.")


def _withdraw(session: Session, license_: LicenseRecord) -> str:
    terms.withdraw_next_term(session, operator().email, console().keys, license_.license_id)
    return _("The next term is withdrawn.")


def _terms(session: Session, license_: LicenseRecord) -> str:
    try:
        mode = NetworkMode(_typed("network_mode"))
    except ValueError as error:
        raise Invalid(_("Choose one of what is offered."), field="network_mode") from error
    change = TermsChange(
        site=_typed("site")[:1000],
        edition=_typed("edition")[:1000],
        features=lines(_typed("features")),
        network_mode=mode,
        networks=lines(_typed("networks")) or PRIVATE_NETWORKS,
        grace_days=_number("grace_days"),
        lease_days=_number("lease_days"),
    )
    terms.change_terms(session, operator().email, console().keys, license_.license_id, change)
    return _("The terms are changed. Its server fetches them at its next check-in.")


def _move(session: Session, license_: LicenseRecord) -> str:
    approved = request.form.get("approve") == "1"
    if approved:
        operator().must("licenses.approve")
    issued = rehost_license(session, operator().email, license_.license_id, approved=approved)
    reveal("code", code=issued.code)
    return _("The licence has a new activation code; the old server ends with its lease.")


def _clear(session: Session, license_: LicenseRecord) -> str:
    clear_hold(session, operator().email, license_.license_id)
    return _("The hold is cleared. The server comes back at its next check-in.")


def _is_living(license_: LicenseRecord, _active: ActivationRecord | None) -> bool:
    return license_.status in LIVING


def _is_renewable(license_: LicenseRecord, active: ActivationRecord | None) -> bool:
    return _is_living(license_, active) and license_.kind is not Kind.TRIAL


def _is_held(_license: LicenseRecord, active: ActivationRecord | None) -> bool:
    return active is not None and (active.is_held or active.forks > 0)


def _has_next(license_: LicenseRecord, active: ActivationRecord | None) -> bool:
    starts = license_.next_starts_at
    return _is_living(license_, active) and starts is not None and clock.timestamp() < starts


def _may_have_next(license_: LicenseRecord, active: ActivationRecord | None) -> bool:
    ends = license_.expires_at
    is_running = ends is not None and clock.timestamp() <= ends
    is_free = license_.kind is Kind.SUBSCRIPTION and license_.next_starts_at is None
    return _is_living(license_, active) and is_running and is_free


STEPS: tuple[Step, ...] = (
    Step(
        name="renew",
        title=mark("Renew the licence"),
        verb=mark("Renew"),
        icon="calendar-event",
        permission="licenses.sell",
        consequences=(
            mark("The days are added after the last paid one, or from today when that is past."),
            mark("A new document is signed; the server fetches it at its next check-in."),
        ),
        fits=_is_renewable,
        change=_renew,
        fields=("days",),
    ),
    Step(
        name="seats",
        title=mark("Change the seats"),
        verb=mark("Change seats"),
        icon="users",
        permission="licenses.sell",
        consequences=(
            mark("A new document is signed; the server fetches it at its next check-in."),
            mark(
                "A lower number deactivates nobody: the customer has 14 days to come below it, "
                "then the product allows reading only."
            ),
        ),
        fits=_is_living,
        change=_seats,
        fields=("named", "concurrent", "service_accounts"),
        is_grave=True,
    ),
    Step(
        name="next-term",
        title=mark("Load the next term"),
        verb=mark("Load the next term"),
        icon="calendar",
        permission="licenses.sell",
        consequences=(
            mark("The days count from the end of the running term."),
            mark("The seats below hold from then on; until then those of the running term do."),
            mark(
                "The server fetches it at its next check-in, and the warning of the end disappears."
            ),
        ),
        fits=_may_have_next,
        change=_next_term,
        fields=("days", "named", "concurrent", "service_accounts"),
    ),
    Step(
        name="withdraw-next-term",
        title=mark("Withdraw the next term"),
        verb=mark("Withdraw the next term"),
        icon="calendar",
        permission="licenses.sell",
        consequences=(
            mark("The running term ends when it was sold to end."),
            mark("A new document is signed; the server fetches it at its next check-in."),
        ),
        fits=_has_next,
        change=_withdraw,
        is_grave=True,
    ),
    Step(
        name="terms",
        title=mark("Change the terms"),
        verb=mark("Change the terms"),
        icon="adjustments",
        permission="licenses.sell",
        consequences=(
            mark("A new document is signed; the server fetches it at its next check-in."),
            mark("Users outside the allowed networks are refused from then on."),
        ),
        fits=_is_living,
        change=_terms,
        fields=("site", "networks", "edition"),
        is_grave=True,
    ),
    Step(
        name="suspend",
        title=mark("Suspend the licence"),
        verb=mark("Suspend"),
        icon="player-stop",
        permission="licenses.suspend",
        consequences=(
            mark("At its next check-in, within a day, the server locks for its users."),
            mark(
                "Signing in as administrator, backups, exports and the licence page go on working."
            ),
            mark("It can be resumed at any time."),
        ),
        fits=lambda license_, _active: license_.status is LicenseStatus.OK,
        change=_set_status(LicenseStatus.SUSPENDED, mark("The licence is suspended.")),
        fields=("reason",),
        is_grave=True,
        is_danger=True,
    ),
    Step(
        name="resume",
        title=mark("Resume the licence"),
        verb=mark("Resume"),
        icon="player-play",
        permission="licenses.suspend",
        consequences=(mark("At its next check-in the server works again as before."),),
        fits=lambda license_, _active: license_.status is LicenseStatus.SUSPENDED,
        change=_set_status(LicenseStatus.OK, mark("The licence is in force again.")),
        fields=("reason",),
    ),
    Step(
        name="move",
        title=mark("Move the licence to another server"),
        verb=mark("Move to another server"),
        icon="server-2",
        permission="licenses.move",
        consequences=(
            mark(
                "The server that holds the licence now is superseded: told at its next contact, it locks."
            ),
            mark("A new activation code is shown once. The old code is dead."),
            mark("Two moves within a year are free; further ones need an owner's approval."),
        ),
        fits=_is_living,
        change=_move,
        fields=("approve",),
        is_grave=True,
        is_danger=True,
    ),
    Step(
        name="clear-hold",
        title=mark("Clear the hold"),
        verb=mark("Clear the hold"),
        icon="lock-open",
        permission="licenses.move",
        consequences=(
            mark("The server may check in again, and the count of copies starts anew."),
            mark("If the other copy still runs, the hold comes back."),
        ),
        fits=_is_held,
        change=_clear,
        is_grave=True,
    ),
    Step(
        name="revoke",
        title=mark("Revoke the licence for good"),
        verb=mark("Revoke"),
        icon="ban",
        permission="licenses.revoke",
        consequences=(
            mark("At its next check-in the server locks for its users, for good."),
            mark("The customer keeps its data: backups and exports go on working."),
            mark("This cannot be taken back. To stop for a while, suspend it instead."),
        ),
        fits=_is_living,
        change=_set_status(LicenseStatus.REVOKED, mark("The licence is revoked.")),
        fields=("reason",),
        is_grave=True,
        is_danger=True,
    ),
)


def steps_for(
    license_: LicenseRecord, active: ActivationRecord | None, who: Operator
) -> list[Step]:
    """Return what this operator may do to this licence now."""
    return [step for step in STEPS if who.may(step.permission) and step.fits(license_, active)]


def _show(step: Step, license_id: str, refusal: DaftarError | None) -> str:
    session = current_session()
    license_ = look_up(session, license_id)
    active = active_of(session, license_)
    errors: tuple[FieldError, ...] = getattr(refusal, "errors", ())
    return render_template(
        "console/licenses/step.html",
        step=step,
        sold=license_,
        customer=customer_of(session, license_),
        active=active,
        fits=step.fits(license_, active),
        problem=None if refusal is None else refusal.message,
        errors={one.field: one.message for one in errors},
        typed=request.form,
    )


def _mount(step: Step) -> None:
    """Give the step its page and its form, open to whoever holds its permission."""

    def show(license_id: str) -> ResponseReturnValue:
        return _show(step, license_id, None)

    def take(license_id: str) -> ResponseReturnValue:
        session = current_session()
        try:
            said = step.change(session, look_up(session, license_id))
        except DaftarError as refusal:
            session.rollback()
            return _show(step, license_id, refusal), status_of(refusal)
        say(said)
        return redirect(url_for("licenses.show", license_id=license_id))

    guard = fresh if step.is_grave else _open
    name, rule = step.name.replace("-", "_"), f"/licenses/<license_id>/{step.name}"
    blueprint.add_url_rule(rule, name, needs(step.permission)(guard(show)), methods=["GET"])
    take_view = needs(step.permission)(guard(take))
    blueprint.add_url_rule(rule, f"take_{name}", take_view, methods=["POST"])


def _open(view: Callable[[str], ResponseReturnValue]) -> Callable[[str], ResponseReturnValue]:
    return view


for _step in STEPS:
    _mount(_step)
