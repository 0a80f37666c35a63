"""What the vendor answers, signed by a key of the role `lease`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from licensing.document.documents import Role, payload_type
from licensing.document.keys import decode_public_key, encode_public_key
from licensing.document.parser import HEX_32, HEX_64, Members
from licensing.document.requests import DeactivationReason


class LeaseStatus(StrEnum):
    """What the vendor says about the licence at a check-in."""

    OK = "ok"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Notice:
    """A message for people; `code` may be newer than this product."""

    code: str
    at: int
    text: str


@dataclass(frozen=True)
class LeaseSeats:
    """The caps as the vendor sees them; they inform, the licence rules."""

    named: int
    concurrent: int


@dataclass(frozen=True)
class Bundle:
    """The answer to an activation: four envelopes as strings and the request they answer."""

    TYPE: ClassVar[str] = payload_type("bundle")
    ROLE: ClassVar[Role] = Role.LEASE

    license: str
    activation: str
    lease: str
    keyset: str
    req_hash: str
    server_time: int

    @property
    def own_time(self) -> int:
        """Return `server_time`."""
        return self.server_time

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the bundle of a payload."""
        return cls(
            license=members.envelope("license"),
            activation=members.envelope("activation"),
            lease=members.envelope("lease"),
            keyset=members.envelope("keyset"),
            req_hash=members.matching("req_hash", HEX_64),
            server_time=members.time("server_time"),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "license": self.license,
            "activation": self.activation,
            "lease": self.lease,
            "keyset": self.keyset,
            "req_hash": self.req_hash,
            "server_time": self.server_time,
        }


@dataclass(frozen=True)
class Activation:
    """A licence bound to one instance key."""

    TYPE: ClassVar[str] = payload_type("activation")
    ROLE: ClassVar[Role] = Role.LEASE

    activation_id: str
    license_id: str
    instance_pub: bytes
    generation: int
    fingerprint: Mapping[str, str]
    activated_at: int

    @property
    def own_time(self) -> int:
        """Return `activated_at`."""
        return self.activated_at

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the activation of a payload."""
        return cls(
            activation_id=members.filled("activation_id"),
            license_id=members.filled("license_id"),
            instance_pub=decode_public_key(members.text("instance_pub")),
            generation=members.integer("generation"),
            fingerprint=members.components("fingerprint"),
            activated_at=members.time("activated_at"),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "activation_id": self.activation_id,
            "license_id": self.license_id,
            "instance_pub": encode_public_key(self.instance_pub),
            "generation": self.generation,
            "fingerprint": dict(self.fingerprint),
            "activated_at": self.activated_at,
        }


@dataclass(frozen=True)
class Lease:
    """The answer to a check-in: a term of trust, and perhaps a newer licence and keyset."""

    TYPE: ClassVar[str] = payload_type("lease")
    ROLE: ClassVar[Role] = Role.LEASE

    lease_id: str
    activation_id: str
    license_id: str
    license_serial: int
    generation: int
    seq: int
    issued_at: int
    renew_after: int
    expires_at: int
    license_expires_at: int | None
    seats: LeaseSeats
    status: LeaseStatus
    next_nonce: str
    prev_hash: str | None
    req_hash: str
    server_time: int
    notices: tuple[Notice, ...]
    license: str | None
    keyset: str | None

    @property
    def own_time(self) -> int:
        """Return `issued_at`."""
        return self.issued_at

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the lease of a payload."""
        seats = members.nested("seats")
        return cls(
            lease_id=members.filled("lease_id"),
            activation_id=members.filled("activation_id"),
            license_id=members.filled("license_id"),
            license_serial=members.integer("license_serial", 1),
            generation=members.integer("generation"),
            seq=members.integer("seq", 1),
            issued_at=members.time("issued_at"),
            renew_after=members.time("renew_after"),
            expires_at=members.time("expires_at"),
            license_expires_at=members.optional("license_expires_at", members.time),
            seats=LeaseSeats(seats.integer("named"), seats.integer("concurrent")),
            status=members.word("status", LeaseStatus),
            next_nonce=members.matching("next_nonce", HEX_32),
            prev_hash=members.optional("prev_hash", lambda name: members.matching(name, HEX_64)),
            req_hash=members.matching("req_hash", HEX_64),
            server_time=members.time("server_time"),
            notices=tuple(
                Notice(one.filled("code"), one.time("at"), one.text("text", 2000))
                for one in members.objects("notices", 50)
            ),
            license=members.optional("license", members.envelope),
            keyset=members.optional("keyset", members.envelope),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "lease_id": self.lease_id,
            "activation_id": self.activation_id,
            "license_id": self.license_id,
            "license_serial": self.license_serial,
            "generation": self.generation,
            "seq": self.seq,
            "issued_at": self.issued_at,
            "renew_after": self.renew_after,
            "expires_at": self.expires_at,
            "license_expires_at": self.license_expires_at,
            "seats": {"named": self.seats.named, "concurrent": self.seats.concurrent},
            "status": self.status.value,
            "next_nonce": self.next_nonce,
            "prev_hash": self.prev_hash,
            "req_hash": self.req_hash,
            "server_time": self.server_time,
            "notices": [{"code": one.code, "at": one.at, "text": one.text} for one in self.notices],
            "license": self.license,
            "keyset": self.keyset,
        }


@dataclass(frozen=True)
class Denial:
    """A signed no; `code` may be newer than this product."""

    TYPE: ClassVar[str] = payload_type("denial")
    ROLE: ClassVar[Role] = Role.LEASE

    code: str
    message: str
    req_hash: str
    server_time: int

    @property
    def own_time(self) -> int:
        """Return `server_time`."""
        return self.server_time

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the denial of a payload."""
        return cls(
            code=members.filled("code"),
            message=members.text("message", 2000),
            req_hash=members.matching("req_hash", HEX_64),
            server_time=members.time("server_time"),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "req_hash": self.req_hash,
            "server_time": self.server_time,
        }


@dataclass(frozen=True)
class Deactivation:
    """The proof that an activation ended; a refund is paid only against it (R-LIC-10)."""

    TYPE: ClassVar[str] = payload_type("deactivation")
    ROLE: ClassVar[Role] = Role.LEASE

    activation_id: str
    license_id: str
    generation: int
    final_seq: int
    deactivated_at: int
    reason: DeactivationReason
    req_hash: str
    refund_eligible_at: int | None
    server_time: int

    @property
    def own_time(self) -> int:
        """Return `server_time`."""
        return self.server_time

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the proof of a payload."""
        return cls(
            activation_id=members.filled("activation_id"),
            license_id=members.filled("license_id"),
            generation=members.integer("generation"),
            final_seq=members.integer("final_seq"),
            deactivated_at=members.time("deactivated_at"),
            reason=members.word("reason", DeactivationReason),
            req_hash=members.matching("req_hash", HEX_64),
            refund_eligible_at=members.optional("refund_eligible_at", members.time),
            server_time=members.time("server_time"),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "activation_id": self.activation_id,
            "license_id": self.license_id,
            "generation": self.generation,
            "final_seq": self.final_seq,
            "deactivated_at": self.deactivated_at,
            "reason": self.reason.value,
            "req_hash": self.req_hash,
            "refund_eligible_at": self.refund_eligible_at,
            "server_time": self.server_time,
        }
