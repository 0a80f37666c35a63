"""From the row of a licence to its signed document."""

from sqlalchemy.orm import Session

from licensing.authority.keys.store import Keys
from licensing.authority.licenses.models import LicenseRecord, LicenseSerial
from licensing.authority.licenses.queries import customer_of
from licensing.document.license import (
    CheckinTerms,
    Customer,
    License,
    NetworkScope,
    Seats,
    Site,
)


def sign_next(session: Session, keys: Keys, license_: LicenseRecord, now: int) -> None:
    """Sign the row as the licence's next serial, and keep every serial there was."""
    customer = customer_of(session, license_)
    document = License(
        license_id=license_.license_id,
        serial=max(license_.serial, license_.serial_floor) + 1,
        prev_serial_sha256=license_.envelope_hash,
        customer=Customer(customer.customer_id, customer.name),
        site=Site(license_.site_id, license_.site_label),
        network_scope=NetworkScope(license_.network_mode, tuple(license_.networks)),
        product=license_.product,
        edition=license_.edition,
        kind=license_.kind,
        seats=Seats(license_.named, license_.concurrent, license_.service_accounts),
        features=tuple(license_.features),
        issued_at=now,
        starts_at=license_.starts_at,
        expires_at=license_.expires_at,
        tz=license_.timezone,
        maintenance_until=license_.maintenance_until,
        grace_days=license_.grace_days,
        transferable=False,
        activations_max=1,
        checkin=_terms(license_),
    )
    envelope = keys.seal(document, now)
    [signature] = envelope.signatures
    license_.serial = document.serial
    license_.signed_by = signature.keyid
    license_.envelope = envelope.raw.decode()
    license_.envelope_hash = envelope.raw_hash
    session.add(
        LicenseSerial(
            license_row_id=license_.id,
            serial=license_.serial,
            issued_at=now,
            signed_by=license_.signed_by,
            envelope=license_.envelope,
        )
    )
    session.flush()


def _terms(license_: LicenseRecord) -> CheckinTerms:
    return CheckinTerms(
        interval_s=license_.interval_s,
        lease_ttl_s=license_.lease_ttl_s,
        read_only_after_s=license_.read_only_after_s,
        lock_after_s=license_.lock_after_s,
    )
