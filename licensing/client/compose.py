"""Writing requests: what an installation says about itself, and nothing more. Pure but for nonces."""

from collections.abc import Mapping
from dataclasses import dataclass

from licensing.client.instance import InstanceKey
from licensing.client.state import Pending, RequestKind
from licensing.document.activation_code import code_id, code_key, code_proof
from licensing.document.answers import Lease
from licensing.document.documents import Document
from licensing.document.envelope import sha256
from licensing.document.keys import encode_public_key
from licensing.document.nonces import new_nonce
from licensing.document.requests import (
    ActivateRequest,
    CheckInRequest,
    ClockReport,
    DeactivateRequest,
    DeactivationReason,
    Mode,
    Usage,
)
from licensing.document.trust import seal_document


@dataclass(frozen=True)
class About:
    """What every request tells about this installation."""

    fingerprint: Mapping[str, str]
    product_version: str
    wall: int
    suspect: bool = False


@dataclass(frozen=True)
class Head:
    """The last lease and its envelope as it came: where the next request continues."""

    lease: Lease
    envelope: str


def activation(key: InstanceKey, code: str, challenge: str, about: About) -> Pending:
    """Return the request to bind the licence of `code` to this instance."""
    pub = encode_public_key(key.public_key)
    request = ActivateRequest(
        challenge=challenge,
        code_id=code_id(code),
        code_proof=code_proof(code_key(code), challenge, pub),
        instance_pub=key.public_key,
        fp=about.fingerprint,
        product_version=about.product_version,
        sent_at=about.wall,
    )
    return _sealed(RequestKind.ACTIVATE, request, key, about, code_id(code))


def check_in_request(head: Head, usage: Usage, mode: Mode, about: About) -> CheckInRequest:
    """Return the daily sign of life that continues `head`."""
    return CheckInRequest(
        activation_id=head.lease.activation_id,
        seq=head.lease.seq + 1,
        nonce=head.lease.next_nonce,
        client_nonce=new_nonce(),
        prev_hash=sha256(head.envelope.encode()),
        fp=about.fingerprint,
        usage=usage,
        clock=ClockReport(about.wall, about.suspect),
        product_version=about.product_version,
        mode=mode,
        sent_at=about.wall,
    )


def check_in(key: InstanceKey, request: CheckInRequest, about: About) -> Pending:
    """Return the sealed check-in."""
    return _sealed(RequestKind.CHECK_IN, request, key, about)


def deactivation(
    key: InstanceKey, request: CheckInRequest, reason: DeactivationReason, about: About
) -> Pending:
    """Return the sealed wish to leave."""
    return _sealed(RequestKind.DEACTIVATE, DeactivateRequest(request, reason), key, about)


def _sealed(
    kind: RequestKind, request: Document, key: InstanceKey, about: About, code: str | None = None
) -> Pending:
    return Pending(kind, seal_document(request, [key]).raw.decode(), about.wall, code)
