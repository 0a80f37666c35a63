"""Ed25519 signatures over forms and visits: what exactly is signed, and whether it still holds.

Pure; the key and the time come from the caller. Whether someone may sign is in `rules` and `signing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,  # noqa: TID251 - the caller's key; this room keeps none
    Ed25519PublicKey,
)

from installer.forms.form import (
    Form,
    Signature,
    Visit,
    canonical,
    moment_text,
    report_record,
    sha256,
)
from installer.forms.wording import FormError

DOMAIN = b"daftar-form-signature/1\n"
PICTURE_LIMIT = 200_000
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Signer:
    """The person who signs: full name, role, and a drawn signature (PNG) where there is one."""

    name: str
    role: str
    picture: bytes = b""


def seal(
    form: Form, slot: str, digest: str, *, signer: Signer, key: Ed25519PrivateKey, at: datetime
) -> Signature:
    """Return the signature of a digest under a slot of the form."""
    if not signer.name.strip() or not signer.role.strip():
        raise FormError("signer_name_needed")
    if signer.picture and (
        not signer.picture.startswith(PNG) or len(signer.picture) > PICTURE_LIMIT
    ):
        raise FormError("bad_picture", limit=PICTURE_LIMIT)
    unsigned = Signature(
        slot=slot,
        name=signer.name.strip(),
        role=signer.role.strip(),
        at=at.astimezone(UTC).replace(microsecond=0),
        public_key=key.public_key().public_bytes_raw(),
        value=b"",
        picture=signer.picture,
    )
    value = key.sign(_statement(form, digest, unsigned))
    return replace(unsigned, value=value)


def holds(form: Form, digest: str, signature: Signature) -> bool:
    """Return whether the signature is one over this digest in this form."""
    try:
        key = Ed25519PublicKey.from_public_bytes(signature.public_key)
        key.verify(signature.value, _statement(form, digest, signature))
    except (InvalidSignature, ValueError):
        return False
    return True


def visit_digest(visit: Visit) -> str:
    """Return the SHA-256 of a visit's report, in hex."""
    return sha256(canonical(report_record(visit)))


def broken_signatures(form: Form) -> tuple[str, ...]:
    """Return the slots, visits included, whose signature does not fit what the form says now."""
    broken = [
        visit.slot
        for visit in form.visits
        if visit.signature is not None
        and not (
            visit.signature.slot == visit.slot and holds(form, visit_digest(visit), visit.signature)
        )
    ]
    digest = form.content_hash
    broken += [mark.slot for mark in form.signatures if not holds(form, digest, mark)]
    return tuple(broken)


def verify(form: Form, trusted: Mapping[str, bytes] | None = None) -> None:
    """Raise FormError unless every signature holds.

    `trusted` names the raw public keys expected in slots; a slot that is not in it is only checked
    for its mathematics.
    """
    for slot in broken_signatures(form):
        raise FormError("signature_broken", slot=slot, code=form.code)
    visits = [visit.signature for visit in form.visits if visit.signature is not None]
    for mark in (*visits, *form.signatures):
        if trusted is not None and trusted.get(mark.slot, mark.public_key) != mark.public_key:
            raise FormError("key_not_trusted", slot=mark.slot, name=mark.name)


def _statement(form: Form, digest: str, signature: Signature) -> bytes:
    return DOMAIN + canonical(
        {
            "code": form.code,
            "reference": form.reference,
            "digest": digest,
            "slot": signature.slot,
            "name": signature.name,
            "role": signature.role,
            "at": moment_text(signature.at),
            "picture_sha256": sha256(signature.picture),
        }
    )
