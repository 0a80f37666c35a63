"""What an installation asks its vendor, signed by its instance key."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from licensing.document.documents import open_body, payload_type
from licensing.document.envelope import Envelope, load_envelope, verify
from licensing.document.errors import Code, DocumentError
from licensing.document.keys import decode_public_key, encode_public_key
from licensing.document.parser import HEX_32, HEX_64, Members, parse_object


class Mode(StrEnum):
    """How much of the product works; the least severe first."""

    OK = "ok"
    WARN_EXPIRY = "warn_expiry"
    WARN_ADMIN = "warn_admin"
    WARN_USERS = "warn_users"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    SETUP = "setup"


class DeactivationReason(StrEnum):
    """Why an installation gives its activation back."""

    MOVE = "move"
    REFUND = "refund"
    END = "end"


@dataclass(frozen=True)
class Usage:
    """Seats in use, as numbers only."""

    named: int
    peak_concurrent: int
    service: int


@dataclass(frozen=True)
class ClockReport:
    """The wall clock of the installation, and whether it doubts it."""

    wall: int
    suspect: bool


@dataclass(frozen=True)
class ActivateRequest:
    """The wish to bind a licence to this instance; `code_proof` shows that the code is known."""

    TYPE: ClassVar[str] = payload_type("activate-req")

    challenge: str
    code_id: str
    code_proof: str
    instance_pub: bytes
    fp: Mapping[str, str]
    product_version: str
    sent_at: int

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the request of a payload."""
        return cls(
            challenge=members.filled("challenge", 400),
            code_id=members.filled("code_id"),
            code_proof=members.filled("code_proof"),
            instance_pub=decode_public_key(members.text("instance_pub")),
            fp=members.components("fp"),
            product_version=members.text("product_version"),
            sent_at=members.time("sent_at"),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "challenge": self.challenge,
            "code_id": self.code_id,
            "code_proof": self.code_proof,
            "instance_pub": encode_public_key(self.instance_pub),
            "fp": dict(self.fp),
            "product_version": self.product_version,
            "sent_at": self.sent_at,
        }


@dataclass(frozen=True)
class CheckInRequest:
    """The daily sign of life; `seq` and `nonce` continue the chain of the last lease."""

    TYPE: ClassVar[str] = payload_type("checkin-req")

    activation_id: str
    seq: int
    nonce: str
    client_nonce: str
    prev_hash: str | None
    fp: Mapping[str, str]
    usage: Usage
    clock: ClockReport
    product_version: str
    mode: Mode
    sent_at: int

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the request of a payload."""
        usage, clock = members.nested("usage"), members.nested("clock")
        return cls(
            activation_id=members.filled("activation_id"),
            seq=members.integer("seq", 1),
            nonce=members.matching("nonce", HEX_32),
            client_nonce=members.matching("client_nonce", HEX_32),
            prev_hash=members.optional("prev_hash", lambda name: members.matching(name, HEX_64)),
            fp=members.components("fp"),
            usage=Usage(
                named=usage.integer("named"),
                peak_concurrent=usage.integer("peak_concurrent"),
                service=usage.integer("service"),
            ),
            clock=ClockReport(wall=clock.time("wall"), suspect=clock.boolean("suspect")),
            product_version=members.text("product_version"),
            mode=members.word("mode", Mode),
            sent_at=members.time("sent_at"),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "activation_id": self.activation_id,
            "seq": self.seq,
            "nonce": self.nonce,
            "client_nonce": self.client_nonce,
            "prev_hash": self.prev_hash,
            "fp": dict(self.fp),
            "usage": {
                "named": self.usage.named,
                "peak_concurrent": self.usage.peak_concurrent,
                "service": self.usage.service,
            },
            "clock": {"wall": self.clock.wall, "suspect": self.clock.suspect},
            "product_version": self.product_version,
            "mode": self.mode.value,
            "sent_at": self.sent_at,
        }


@dataclass(frozen=True)
class DeactivateRequest:
    """A last check-in with the reason for leaving."""

    TYPE: ClassVar[str] = payload_type("deactivate-req")

    checkin: CheckInRequest
    reason: DeactivationReason

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the request of a payload."""
        return cls(CheckInRequest.read(members), members.word("reason", DeactivationReason))

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {**self.checkin.to_payload(), "reason": self.reason.value}


@dataclass(frozen=True)
class OpenedActivation:
    """An activation request whose signature holds under the key it brings."""

    request: ActivateRequest
    envelope: Envelope


@dataclass(frozen=True)
class OpenedCheckIn:
    """A check-in request verified under the key of its activation."""

    request: CheckInRequest
    envelope: Envelope


@dataclass(frozen=True)
class OpenedDeactivation:
    """A deactivation request verified under the key of its activation."""

    request: DeactivateRequest
    envelope: Envelope


def open_activation(raw: bytes) -> OpenedActivation:
    """Read an `activate-req`: its `instance_pub` alone is used until the signature holds under it."""
    envelope = load_envelope(raw)
    members = Members(parse_object(envelope.body))
    if envelope.payload_type != ActivateRequest.TYPE and not members.has("instance_pub"):
        raise DocumentError(Code.E_TYPE, f"{envelope.payload_type!r} is no activation request.")
    verify(envelope, [decode_public_key(members.text("instance_pub"))])
    return OpenedActivation(open_body(envelope, ActivateRequest), envelope)


def claimed_activation_id(raw: bytes) -> str:
    """Return the activation a request names, to look up the key that must have signed it."""
    return Members(parse_object(load_envelope(raw).body)).filled("activation_id")


def open_check_in(raw: bytes, instance_pub: bytes) -> OpenedCheckIn:
    """Verify a `checkin-req` under the key of its activation and read it."""
    envelope = load_envelope(raw)
    verify(envelope, [instance_pub])
    return OpenedCheckIn(open_body(envelope, CheckInRequest), envelope)


def open_deactivation(raw: bytes, instance_pub: bytes) -> OpenedDeactivation:
    """Verify a `deactivate-req` under the key of its activation and read it."""
    envelope = load_envelope(raw)
    verify(envelope, [instance_pub])
    return OpenedDeactivation(open_body(envelope, DeactivateRequest), envelope)
