"""What may go wrong on purpose. Each door keeps one table from these classes to its own codes.

DaftarError
├── NotSignedIn    nobody is asking
├── NotAllowed     seen, but this actor may not do it
├── NotFound       no such thing, or not for these eyes
├── Invalid        the input does not fit; names the fields
├── Conflict       someone else was first
│   └── Stale      the record changed since it was read; carries its current state
├── NotLicensed    the licence does not cover it
├── TooMany        a rate limit; says how long to wait
├── Missing        a precondition outside the input is not there
├── Unreachable    the other side does not answer
├── Broken         integrity is gone: a backup, a signature, a chain
└── Interrupted    stopped half-way; safe to repeat
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One field of the input that does not fit."""

    field: str
    message: str
    code: str = "invalid"


class DaftarError(Exception):
    """A refusal to show to its reader as it is: a sentence with the value and the way out."""

    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code


class NotSignedIn(DaftarError):
    default_code = "not_signed_in"


class NotAllowed(DaftarError):
    """The actor may not do it. Programs read in `members` which permission is missing."""

    default_code = "not_allowed"

    def __init__(
        self, message: str, *, code: str | None = None, permission: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.members = {} if permission is None else {"permission": permission}


class NotFound(DaftarError):
    default_code = "not_found"


class Invalid(DaftarError):
    """The input does not fit. `field` names the one that is wrong, `errors` all of them."""

    default_code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.field = field
        self.errors = tuple(errors) or (
            (FieldError(field, message, self.code),) if field is not None else ()
        )


class Conflict(DaftarError):
    default_code = "conflict"


class Stale(Conflict):
    default_code = "stale"


class NotLicensed(DaftarError):
    default_code = "not_licensed"


class TooMany(DaftarError):
    """A rate limit. `retry_after` is in whole seconds."""

    default_code = "too_many"

    def __init__(self, message: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Missing(DaftarError):
    default_code = "missing"


class Unreachable(DaftarError):
    default_code = "unreachable"


class Broken(DaftarError):
    default_code = "broken"


class Interrupted(DaftarError):
    default_code = "interrupted"
