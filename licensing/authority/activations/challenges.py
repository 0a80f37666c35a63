"""Challenges of activations: `nonce.exp.mac`, believed without being stored."""

import hashlib
import hmac
import re

from licensing.document.nonces import new_nonce

LIFETIME_S = 600

_CHALLENGE = re.compile(r"([0-9a-f]{32}\.([0-9]{1,12}))\.([0-9a-f]{64})")


def new_challenge(secret: bytes, now: int) -> str:
    """Return a challenge that this authority, in any of its processes, recognises for ten minutes."""
    head = f"{new_nonce()}.{now + LIFETIME_S}"
    return f"{head}.{_mac(secret, head)}"


def is_fresh(secret: bytes, challenge: str, now: int) -> bool:
    """Tell whether we made this challenge not too long ago."""
    found = _CHALLENGE.fullmatch(challenge)
    if found is None:
        return False
    head, until, mac = found.groups()
    return hmac.compare_digest(_mac(secret, head), mac) and now <= int(until) <= now + LIFETIME_S


def _mac(secret: bytes, head: str) -> str:
    return hmac.new(secret, b"daftar-challenge-v1\x00" + head.encode(), hashlib.sha256).hexdigest()
