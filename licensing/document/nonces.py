"""Random words of the protocol: nonces and challenges of offline activations."""

import re
import secrets

_OFFLINE = re.compile(r"offline\.[0-9a-f]{32}")


def new_nonce() -> str:
    """Return 32 lower-case hex digits."""
    return secrets.token_hex(16)


def offline_challenge() -> str:
    """Return the challenge a client makes itself when there is no line to the authority."""
    return f"offline.{new_nonce()}"


def is_offline_challenge(challenge: str) -> bool:
    """Tell whether a challenge was made by a client; only the vendor's console accepts those."""
    return _OFFLINE.fullmatch(challenge) is not None
