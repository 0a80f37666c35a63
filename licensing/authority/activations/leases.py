"""Signing leases and bundles, and moving the head of an activation's chain."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from licensing.authority.activations.desk import Desk
from licensing.authority.activations.models import ActivationRecord, Head
from licensing.authority.activations.rules import renew_after
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import lease_status
from licensing.document.answers import Activation, Bundle, Lease, LeaseSeats, Notice
from licensing.document.documents import Role
from licensing.document.envelope import Envelope
from licensing.document.errors import NoticeCode
from licensing.document.nonces import new_nonce
from server.core.errors import Broken
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Turn:
    """One signed answer in the making: whose, to which request, when."""

    license: LicenseRecord
    activation: ActivationRecord
    request_hash: str
    now: int


@dataclass(frozen=True)
class Link:
    """How the next lease continues the chain. `known`: what the client holds already, if we know."""

    seq: int
    notices: Sequence[NoticeCode] = ()
    known: Head | None = None
    carries_news: bool = True


_SENTENCES = {
    NoticeCode.STATE_RESYNC: lambda: _("The numbers of this installation were agreed anew."),
    NoticeCode.CLONE_REVIEW: lambda: _(
        "Two copies of this installation seem to be running. Stop one of them, or speak to your vendor."
    ),
    NoticeCode.RENEWAL_AVAILABLE: lambda: _("A newer licence has arrived."),
    NoticeCode.KEY_ROTATION: lambda: _("The vendor's keys were renewed."),
    NoticeCode.SEATS_OVER_NEW_CAP: lambda: _("There are more users than the licence covers."),
}


def next_lease(session: Session, desk: Desk, turn: Turn, link: Link) -> Envelope:
    """Sign the lease that follows and make it the head of the chain."""
    license_, activation = turn.license, turn.activation
    ring = desk.keys.ring()
    news = _news(turn, link, ring.keyset.version)
    nonce = new_nonce()
    lease = Lease(
        lease_id=f"ls_{secrets.token_hex(8)}",
        activation_id=activation.activation_id,
        license_id=license_.license_id,
        license_serial=license_.serial,
        generation=activation.generation,
        seq=link.seq,
        issued_at=turn.now,
        renew_after=renew_after(activation.activation_id, link.seq, turn.now, license_.interval_s),
        expires_at=turn.now + license_.lease_ttl_s,
        license_expires_at=license_.expires_at,
        seats=LeaseSeats(license_.named, license_.concurrent),
        status=lease_status(license_.status, license_.expires_at, license_.grace_days, turn.now),
        next_nonce=nonce,
        prev_hash=activation.head_hash,
        req_hash=turn.request_hash,
        server_time=turn.now,
        notices=_notices(turn, link, news),
        license=license_.envelope if news.license else None,
        keyset=ring.envelope if news.keyset else None,
    )
    envelope = desk.keys.seal(lease, turn.now)
    _move_head(session, turn, lease, envelope, ring.keyset.version)
    return envelope


def sign_bundle(session: Session, desk: Desk, turn: Turn) -> Envelope:
    """Sign the answer to an activation: licence, activation, the next lease, and the keyset."""
    license_, activation = turn.license, turn.activation
    lease = next_lease(session, desk, turn, Link(activation.head_seq + 1, carries_news=False))
    if license_.envelope is None:
        raise Broken(_("The licence %(id)s was never signed.", id=license_.license_id))
    ring = desk.keys.ring()
    # A later bundle is signed by a later key, and no document is older than the window of its key.
    signed_since = ring.signing_entry(Role.LEASE, turn.now).not_before
    bound = Activation(
        activation_id=activation.activation_id,
        license_id=license_.license_id,
        instance_pub=activation.instance_pub,
        generation=activation.generation,
        fingerprint=activation.fingerprint,
        activated_at=max(activation.activated_at, signed_since),
    )
    bundle = Bundle(
        license=license_.envelope,
        activation=desk.keys.seal(bound, turn.now).raw.decode(),
        lease=lease.raw.decode(),
        keyset=ring.envelope,
        req_hash=turn.request_hash,
        server_time=turn.now,
    )
    return desk.keys.seal(bundle, turn.now)


@dataclass(frozen=True)
class _News:
    """What the client does not hold yet."""

    license: bool
    keyset: bool


def _news(turn: Turn, link: Link, keyset_version: int) -> _News:
    if not link.carries_news:
        return _News(license=False, keyset=False)
    if link.known is None:
        return _News(license=True, keyset=True)
    return _News(
        license=link.known.license_serial < turn.license.serial,
        keyset=link.known.keyset_version < keyset_version,
    )


def _notices(turn: Turn, link: Link, news: _News) -> tuple[Notice, ...]:
    codes = (*link.notices, *_about_news(link.known, news), *_about_seats(turn))
    return tuple(Notice(code.value, turn.now, _SENTENCES[code]()) for code in codes)


def _about_news(known: Head | None, news: _News) -> list[NoticeCode]:
    if known is None:  # perhaps it is no news at all
        return []
    told = [(NoticeCode.RENEWAL_AVAILABLE, news.license), (NoticeCode.KEY_ROTATION, news.keyset)]
    return [code for code, is_news in told if is_news]


def _about_seats(turn: Turn) -> list[NoticeCode]:
    over = turn.activation.usage.get("named", 0) > turn.license.named
    return [NoticeCode.SEATS_OVER_NEW_CAP] if over else []


def _move_head(
    session: Session, turn: Turn, lease: Lease, envelope: Envelope, keyset_version: int
) -> None:
    activation = turn.activation
    session.add(
        Head(
            activation_row_id=activation.id,
            nonce=lease.next_nonce,
            seq=lease.seq,
            license_serial=lease.license_serial,
            keyset_version=keyset_version,
        )
    )
    activation.head_seq = lease.seq
    activation.head_nonce = lease.next_nonce
    activation.head_hash = envelope.raw_hash
    activation.lease_expires_at = lease.expires_at
    activation.last_seen_at = turn.now
