"""How an exchange with the vendor ended, in words a caller can switch on."""

from dataclasses import dataclass
from enum import StrEnum

from licensing.client.transport import Unreachable, Unsigned
from licensing.document.errors import DocumentError


class Result(StrEnum):
    """The six ways an exchange ends."""

    ACCEPTED = "accepted"  # a signed yes; the state changed
    DENIED = "denied"  # a signed no
    REFUSED = "refused"  # we may not ask, or may not take what came
    MISTYPED = "mistyped"  # the activation code cannot be right
    UNSIGNED = "unsigned"  # somebody answered without a signature
    UNREACHABLE = "unreachable"  # nobody answered


@dataclass(frozen=True)
class Outcome:
    """The end of an exchange.

    `code`: "" when accepted; of a denial or refusal the `E_…` code, or `not_activated` and
    `deactivated` when there is nothing to ask about, `disk` when the licence folder cannot be read or
    written; of an unsigned answer its code (`E_RATE`,
    `HTTP_503`); of silence one of dns, tcp, tls, proxy, timeout, http. `message` is English, for logs.
    `retry_after` are seconds the other side asked for.
    """

    result: Result
    code: str = ""
    message: str = ""
    retry_after: int | None = None

    @property
    def is_answer(self) -> bool:
        """Tell whether the vendor itself spoke; only then backoff starts anew."""
        return self.result in {Result.ACCEPTED, Result.DENIED}


def of_line(failure: Unsigned | Unreachable) -> Outcome:
    """Return the outcome of a line that carried nothing signed."""
    if isinstance(failure, Unsigned):
        return Outcome(Result.UNSIGNED, failure.code, failure.detail, failure.retry_after)
    return Outcome(Result.UNREACHABLE, failure.fault, failure.detail)


def of_disk(error: OSError) -> Outcome:
    """Return the outcome of an exchange that our own disk refused; it is safe to repeat."""
    return Outcome(
        Result.REFUSED, "disk", f"{error.filename or 'licence folder'}: {error.strerror}"
    )


def of_refusal(error: DocumentError) -> Outcome:
    """Return the outcome of bytes that were not taken."""
    return Outcome(Result.REFUSED, error.code, error.message)
