"""What the vendor does about activations: moving a licence off dead hardware, ending a hold. Commits nothing."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from licensing.authority.activations import queries
from licensing.authority.activations.deactivate import end_activation
from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.audit.service import note
from licensing.authority.licenses.flags import raise_flag, settle_flags
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import get_license
from licensing.authority.licenses.rules import DAY, FlagKind
from licensing.authority.licenses.service import Issued, check_living, new_code
from licensing.document.errors import Code
from server.core import clock
from server.core.errors import Conflict, NotLicensed
from server.core.i18n import gettext as _

FREE_REHOSTS = 2  # in a year; more of them need somebody's approval


def rehost_license(
    session: Session, operator: str, license_id: str, *, approved: bool = False
) -> Issued:
    """Supersede the activation and give the licence a new code; the old code is dead."""
    license_ = get_license(session, license_id)
    check_living(license_)
    now = clock.timestamp()
    count = _rehosts_since(session, license_, now - 365 * DAY)
    old = queries.active_of(session, license_)
    if old is not None:
        if count >= FREE_REHOSTS and not approved:
            raise NotLicensed(
                _(
                    "The licence %(id)s was moved %(n)s times within a year. "
                    "Look into it, then repeat with --approve.",
                    id=license_id,
                    n=count,
                ),
                code=Code.E_REHOST_LIMIT.value,
            )
        end_activation(old, ActivationStatus.SUPERSEDED, "rehost", now)
        settle_flags(session, license_, [FlagKind.CLONE_REVIEW, FlagKind.CLONE_HOLD])
        if count + 1 >= FREE_REHOSTS:
            raise_flag(session, license_, FlagKind.REHOSTED, f"{count + 1} times within a year")
    code = new_code(license_)
    session.flush()
    superseded = None if old is None else old.activation_id
    note(session, operator, "license.rehost", license_id, {"superseded": superseded})
    return Issued(license_id, code)


def _rehosts_since(session: Session, license_: LicenseRecord, since: int) -> int:
    return session.scalars(
        select(func.count())
        .select_from(ActivationRecord)
        .where(
            ActivationRecord.license_row_id == license_.id,
            ActivationRecord.status == ActivationStatus.SUPERSEDED,
            ActivationRecord.ended_at > since,
        )
    ).one()


def clear_hold(session: Session, operator: str, license_id: str) -> None:
    """Let a licence check in again whose copies were dealt with; the counters start anew."""
    license_ = get_license(session, license_id)
    activation = queries.active_of(session, license_)
    if activation is None or not (activation.is_held or activation.forks):
        raise Conflict(_("The licence %(id)s is not held.", id=license_id))
    activation.forks, activation.clean, activation.is_held = 0, 0, False
    # Its denial is not repeated: the same request is judged again.
    activation.last_request, activation.last_answer = None, None
    settle_flags(session, license_, [FlagKind.CLONE_REVIEW, FlagKind.CLONE_HOLD])
    session.flush()
    note(
        session,
        operator,
        "license.clear_hold",
        license_id,
        {"activation": activation.activation_id},
    )
