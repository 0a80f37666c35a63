"""Starting a trial: its ten days run from the first activation, once for each organisation and machine."""

from sqlalchemy.orm import Session

from licensing.authority.keys.store import Keys
from licensing.authority.licenses.documents import sign_next
from licensing.authority.licenses.models import LicenseRecord, TrialComponent, TrialUse
from licensing.authority.licenses.queries import (
    customer_of,
    trial_of_organization,
    trial_on_machine,
)
from licensing.authority.licenses.rules import end_of_term


def is_trial_used(session: Session, license_: LicenseRecord, fingerprint: dict[str, str]) -> bool:
    """Tell whether this organisation or this machine has had another trial."""
    organization = customer_of(session, license_).organization
    if organization is not None and trial_of_organization(session, organization, license_):
        return True
    return trial_on_machine(session, fingerprint, license_)


def start_trial(
    session: Session, keys: Keys, license_: LicenseRecord, fingerprint: dict[str, str], now: int
) -> None:
    """Let the days run from now and sign the licence. The database refuses a second one."""
    license_.starts_at = now
    license_.expires_at = end_of_term(now, license_.term_days, license_.timezone)
    license_.maintenance_until = license_.expires_at
    session.add(
        TrialUse(
            license_row_id=license_.id,
            organization=customer_of(session, license_).organization,
            components=len(fingerprint),
            started_at=now,
        )
    )
    session.flush()
    session.add_all(
        TrialComponent(license_row_id=license_.id, name=name, value=value)
        for name, value in fingerprint.items()
    )
    sign_next(session, keys, license_, now)
