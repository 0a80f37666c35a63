"""Signing leases and bundles, and where a lease leaves the chain of its activation."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.nonces import Mint, Told
from licensing.authority.activations.rules import renew_after
from licensing.authority.activations.standing import Terms
from licensing.authority.keys.store import Ring
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import lease_status
from licensing.document.answers import Activation, Bundle, Lease, LeaseSeats, Notice
from licensing.document.documents import Role
from licensing.document.envelope import Envelope
from licensing.document.errors import NoticeCode
from server.core.errors import Broken
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Asked:
    """What an activation asked and when, and the version of the keys that everything in the answer holds under."""

    ring: Ring
    request_hash: str
    now: int


@dataclass(frozen=True)
class Turn:
    """One signed answer in the making: whose, to which request, when."""

    ring: Ring
    terms: Terms
    activation_id: str
    generation: int
    head_hash: str | None
    request_hash: str
    now: int


@dataclass(frozen=True)
class Link:
    """How the next lease continues the chain, and the news it brings: a licence, the keyset."""

    seq: int
    notices: Sequence[NoticeCode] = ()
    license: str | None = None
    keyset: bool = False


@dataclass(frozen=True)
class SignedLease:
    """A lease, and the bytes it goes in."""

    lease: Lease
    envelope: Envelope

    def head(self) -> dict[str, object]:
        """Return the columns of an activation that say where its chain stands now."""
        return {
            "head_seq": self.lease.seq,
            "head_nonce": self.lease.next_nonce,
            "head_hash": self.envelope.raw_hash,
            "lease_expires_at": self.lease.expires_at,
            "told_serial": self.lease.license_serial,
        }


_SENTENCES = {
    NoticeCode.STATE_RESYNC: lambda: _("The numbers of this installation were agreed anew."),
    NoticeCode.CLONE_REVIEW: lambda: _(
        "Two copies of this installation seem to be running. Stop one of them, or speak to your vendor."
    ),
    NoticeCode.RENEWAL_AVAILABLE: lambda: _("A newer licence has arrived."),
    NoticeCode.KEY_ROTATION: lambda: _("The vendor's keys were renewed."),
    NoticeCode.SEATS_OVER_NEW_CAP: lambda: _("There are more users than the licence covers."),
}


def sign_lease(mint: Mint, turn: Turn, link: Link) -> SignedLease:
    """Sign the lease that follows."""
    terms, ring = turn.terms, turn.ring
    lease = Lease(
        lease_id=f"ls_{secrets.token_hex(8)}",
        activation_id=turn.activation_id,
        license_id=terms.license_id,
        license_serial=terms.serial,
        generation=turn.generation,
        seq=link.seq,
        issued_at=turn.now,
        renew_after=renew_after(turn.activation_id, link.seq, turn.now, terms.interval_s),
        expires_at=turn.now + terms.lease_ttl_s,
        license_expires_at=terms.expires_at,
        seats=LeaseSeats(terms.named, terms.concurrent),
        status=lease_status(terms.status, terms.expires_at, terms.grace_days, turn.now),
        next_nonce=mint.give(turn.activation_id, Told(terms.serial, ring.keyset.version)),
        prev_hash=turn.head_hash,
        req_hash=turn.request_hash,
        server_time=turn.now,
        notices=tuple(Notice(code.value, turn.now, _SENTENCES[code]()) for code in link.notices),
        license=link.license,
        keyset=ring.envelope if link.keyset else None,
    )
    return SignedLease(lease, ring.seal(lease, turn.now))


def sign_bundle(
    mint: Mint, license_: LicenseRecord, activation: ActivationRecord, asked: Asked
) -> Envelope:
    """Sign the answer to an activation: licence, activation, the next lease, and the keyset."""
    if license_.envelope is None:
        raise Broken(_("The licence %(id)s was never signed.", id=license_.license_id))
    ring, now = asked.ring, asked.now
    turn = Turn(
        ring=ring,
        terms=Terms.of(license_),
        activation_id=activation.activation_id,
        generation=activation.generation,
        head_hash=activation.head_hash,
        request_hash=asked.request_hash,
        now=now,
    )
    signed = sign_lease(mint, turn, Link(activation.head_seq + 1))
    for name, value in signed.head().items():
        setattr(activation, name, value)
    activation.last_seen_at = now
    # A later bundle is signed by a later key, and no document is older than the window of its key.
    signed_since = ring.signing_entry(Role.LEASE, now).not_before
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
        activation=ring.seal(bound, now).raw.decode(),
        lease=signed.envelope.raw.decode(),
        keyset=ring.envelope,
        req_hash=asked.request_hash,
        server_time=now,
    )
    return ring.seal(bundle, now)


@dataclass(frozen=True)
class News:
    """What the client does not hold yet; `is_sure` unless nobody can tell what it holds."""

    license: bool
    keyset: bool
    is_sure: bool = True

    def notices(self) -> list[NoticeCode]:
        """Return what to tell about the news; what may be none is brought in silence."""
        told = [
            (NoticeCode.RENEWAL_AVAILABLE, self.license),
            (NoticeCode.KEY_ROTATION, self.keyset),
        ]
        return [code for code, is_news in told if is_news and self.is_sure]


def news_for(known: Told | None, newest: Told) -> News:
    """Return what is newer here than what an installation was told."""
    if known is None:
        return News(license=True, keyset=True, is_sure=False)
    return News(
        license=known.license_serial < newest.license_serial,
        keyset=known.keyset_version < newest.keyset_version,
    )
