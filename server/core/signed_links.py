"""Links that let somebody do one thing for some days: signed, stored nowhere, good for one use.

A link carries a mark of what it replaces, such as the password there was, so that it ends with it.
"""

import hashlib
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from server.core import clock


@dataclass(frozen=True)
class LinkClaim:
    """What a link says whose signature holds and whose days are not over."""

    subject_id: int
    mark: str


def mark_of(replaced: str | None) -> str:
    """Return the mark of what a link is there to replace."""
    return hashlib.sha256((replaced or "").encode()).hexdigest()[:16]


def sign_link(secret: bytes, purpose: str, claim: LinkClaim, expires_at: int) -> str:
    """Return the secret part of a link's address; it ends at this Unix second."""
    signer = URLSafeSerializer(secret, salt=purpose)
    return str(signer.dumps([claim.subject_id, expires_at, claim.mark]))


def open_link(secret: bytes, purpose: str, token: str) -> LinkClaim | None:
    """Return what the link says, or None when it is false or has ended."""
    try:
        subject_id, until, mark = URLSafeSerializer(secret, salt=purpose).loads(token)
        is_over = clock.now().timestamp() >= until
    except (BadSignature, ValueError, TypeError):
        return None
    return None if is_over else LinkClaim(subject_id, mark)
