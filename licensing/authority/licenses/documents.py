"""From the row of a licence to its signed document."""

from sqlalchemy.orm import Session

from licensing.authority.customers.models import Customer
from licensing.authority.keys.store import Ring, Sealer
from licensing.authority.licenses.models import LicenseRecord, LicenseSerial
from licensing.authority.licenses.queries import customer_of
from licensing.document.license import (
    CheckinTerms,
    License,
    NetworkScope,
    NextTerm,
    Seats,
    Site,
)
from licensing.document.license import Customer as Buyer


def sign_next(session: Session, keys: Sealer, license_: LicenseRecord, now: int) -> None:
    """Sign the row as the licence's next serial, and keep every serial there was."""
    session.add(signed(keys, license_, customer_of(session, license_), now))
    session.flush()


def signed(keys: Sealer, license_: LicenseRecord, customer: Customer, now: int) -> LicenseSerial:
    """Sign the row as the next serial and return what is kept of it, not yet added to a session."""
    document = License(
        license_id=license_.license_id,
        serial=max(license_.serial, license_.serial_floor) + 1,
        prev_serial_sha256=license_.envelope_hash,
        customer=Buyer(customer.customer_id, customer.name),
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
        next_term=_next_term(license_),
    )
    envelope = keys.seal(document, now)
    [signature] = envelope.signatures
    license_.serial = document.serial
    license_.signed_by = signature.keyid
    license_.envelope = envelope.raw.decode()
    license_.envelope_hash = envelope.raw_hash
    return LicenseSerial(
        license_row_id=license_.id,
        serial=license_.serial,
        issued_at=now,
        signed_by=license_.signed_by,
        envelope=license_.envelope,
    )


def is_due(ring: Ring, signed_by: str | None, next_starts_at: int | None, now: int) -> bool:
    """Tell whether a licence must be signed anew before anything of it leaves: under this ring, now."""
    return signed_by in ring.dead or (next_starts_at is not None and now >= next_starts_at)


def refresh(session: Session, ring: Ring, license_: LicenseRecord, now: int) -> None:
    """Sign anew what rests on a revoked key or has come into its next term. The row is locked.

    So no server is ever sent a keyset without the licence that holds under it.
    """
    if not is_due(ring, license_.signed_by, license_.next_starts_at, now):
        return
    if license_.next_starts_at is not None and now >= license_.next_starts_at:
        begin_next_term(license_)
    sign_next(session, ring, license_, now)


def begin_next_term(license_: LicenseRecord) -> None:
    """Let the caps of the term that was loaded ahead hold from now on."""
    license_.named = license_.next_named or license_.named
    license_.concurrent = license_.next_concurrent or license_.concurrent
    if license_.next_service_accounts is not None:
        license_.service_accounts = license_.next_service_accounts
    forget_next_term(license_)


def forget_next_term(license_: LicenseRecord) -> None:
    """Leave no term loaded ahead."""
    license_.next_starts_at = license_.next_named = license_.next_concurrent = None
    license_.next_service_accounts = None


def _next_term(license_: LicenseRecord) -> NextTerm | None:
    if license_.next_starts_at is None:
        return None
    seats = Seats(
        license_.next_named or license_.named,
        license_.next_concurrent or license_.concurrent,
        license_.service_accounts
        if license_.next_service_accounts is None
        else license_.next_service_accounts,
    )
    return NextTerm(license_.next_starts_at, seats)


def _terms(license_: LicenseRecord) -> CheckinTerms:
    return CheckinTerms(
        interval_s=license_.interval_s,
        lease_ttl_s=license_.lease_ttl_s,
        read_only_after_s=license_.read_only_after_s,
        lock_after_s=license_.lock_after_s,
    )
