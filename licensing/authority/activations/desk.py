"""What every answer needs besides its transaction: the keys, a secret, the limits. And the signed no."""

from dataclasses import dataclass
from functools import cached_property

from licensing.authority.activations.nonces import Mint
from licensing.authority.config import Settings
from licensing.authority.keys.store import Keys
from licensing.document.answers import Denial
from licensing.document.envelope import Envelope
from licensing.document.errors import Code


@dataclass(frozen=True)
class Desk:
    """What one process answers with. `challenge_secret` is shared by all of them."""

    settings: Settings
    keys: Keys
    challenge_secret: bytes

    @cached_property
    def mint(self) -> Mint:
        """Return what gives nonces and knows them again."""
        return Mint(self.challenge_secret)


@dataclass(frozen=True)
class Visit:
    """How a request came: over the line, or as a file to the vendor's console."""

    is_online: bool = True
    is_limited: bool = True


def deny(desk: Desk, request_hash: str, now: int, code: Code, message: str) -> Envelope:
    """Sign a no; it answers this request and no other."""
    return desk.keys.seal(Denial(code.value, message, request_hash, now), now)
