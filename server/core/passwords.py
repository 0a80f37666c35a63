"""Passwords of people: which are good enough, argon2 hashes, and a comparison of even length.

A stranger's password takes as long to compare as a colleague's.
"""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.numbers import number
from server.core.text import fold

MIN_PASSWORD = 10
MAX_PASSWORD = 256

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


def check_password(password: str, *, email: str, name: str) -> None:
    """Raise Invalid unless the password is strong enough for a shared network (R-CRM-4)."""
    folded = fold(password).replace(" ", "")
    own = {fold(part).replace(" ", "") for part in (email, email.split("@")[0], name) if part}
    if len(password) < MIN_PASSWORD:
        raise Invalid(
            _(
                "This password is too short: at least %(n)s characters are needed.",
                n=number(MIN_PASSWORD),
            ),
            field="password",
        )
    if len(password) > MAX_PASSWORD:
        raise Invalid(
            _("This password is too long: at most %(n)s characters.", n=number(MAX_PASSWORD)),
            field="password",
        )
    if len(set(folded)) < 5 or folded in own or folded.isdecimal():
        raise Invalid(
            _(
                "This password is too easy to guess. Use several words, not a name and not digits alone."
            ),
            field="password",
        )
