"""Passwords: argon2 hashes, and a comparison that takes as long for a stranger as for a colleague."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_cost = {"memory": 65_536, "rounds": 3}


def set_cost(*, memory_kib: int, rounds: int) -> None:
    """Set argon2's cost for this process; tests and tiny servers choose a lower one."""
    _cost.update(memory=memory_kib, rounds=rounds)
    _hasher.cache_clear()
    _nobody.cache_clear()


@lru_cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=_cost["rounds"], memory_cost=_cost["memory"], parallelism=1)


@lru_cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return _hasher().hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Tell whether the password is right; None stands for an unknown user and costs the same time."""
    try:
        _hasher().verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
