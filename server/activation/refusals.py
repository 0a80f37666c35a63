"""How an exchange with the vendor ended, as the refusal that a person reads: what happened, what next."""

from collections.abc import Callable

from licensing.client.outcome import Outcome, Result
from server.activation.offline import PendingRequest
from server.activation.rules import denial_sentence, fault_sentence
from server.core.errors import (
    Broken,
    Conflict,
    DaftarError,
    Invalid,
    Missing,
    NotLicensed,
    Unreachable,
)
from server.core.i18n import gettext as _


def mistyped(code: str, why: str) -> Invalid:
    """Return the refusal of an activation code that cannot be right."""
    return Invalid(
        _("This is no activation code: %(why)s Compare it with your order.", why=why),
        field="code",
        code=code,
    )


def refusal_of(outcome: Outcome) -> DaftarError:
    """Return the error that tells a person how an exchange ended."""
    makers: dict[Result, Callable[[], DaftarError]] = {
        Result.MISTYPED: lambda: mistyped(outcome.code, outcome.message),
        Result.DENIED: lambda: NotLicensed(denial_sentence(outcome.code), code=outcome.code),
        Result.UNSIGNED: lambda: Unreachable(fault_sentence(outcome.code), code=outcome.code),
        Result.UNREACHABLE: lambda: Unreachable(fault_sentence(outcome.code), code=outcome.code),
    }
    if outcome.result in makers:
        return makers[outcome.result]()
    if outcome.code in {"not_activated", "deactivated"}:
        return NotLicensed(
            _("This server has no active licence to speak about."), code=outcome.code
        )
    if outcome.code == "disk":
        return Broken(
            _(
                "The licence folder cannot be written: %(why)s. Nothing was lost. Free space on its disk, "
                "or give the folder back to the user that runs Daftar, then try again.",
                why=outcome.message,
            ),
            code="disk",
        )
    return Broken(_not_for_us(outcome.code), code=outcome.code)


def refusal_of_file(outcome: Outcome, waiting: PendingRequest | None) -> DaftarError:
    """Return why an answer that came as a file was not taken, with the way out."""
    if outcome.result is Result.DENIED:
        return NotLicensed(denial_sentence(outcome.code), code=outcome.code)
    if waiting is None:
        return Missing(
            _(
                "No request of this server waits for an answer, so this one was not taken. "
                "If it was imported before, all is well; otherwise make a new request."
            ),
            code=outcome.code,
        )
    sentence = _why_not_taken(outcome.code, waiting.number)
    if outcome.code in ("E_REPLAY", "E_TYPE"):
        return Conflict(sentence, code=outcome.code)
    return Broken(f"{sentence} ({outcome.code})", code=outcome.code)


def _why_not_taken(code: str, number: str) -> str:
    sentences = {
        "E_REPLAY": _(
            "The answer belongs to another request. The one that waits has the number %(number)s; "
            "send it to the vendor, or withdraw it and make a new one.",
            number=number,
        ),
        "E_TYPE": _(
            "The answer is for another kind of request. The one that waits has the number "
            "%(number)s; send it to the vendor.",
            number=number,
        ),
        "E_SIGNATURE": _(
            "The answer does not carry the signature of this server's vendor, and was not taken. "
            "Ask the vendor for the file again; if its root keys have changed, also for root.json."
        ),
        "E_KEYSET_EXPIRED": _(
            "The vendor's keys in the file have expired. Set the clock of this server right, "
            "or ask the vendor to answer the request again."
        ),
        "E_KEY_WINDOW": _(
            "The answer is signed by a key at a time for which it is not valid. "
            "Ask the vendor to answer the request again."
        ),
        "E_KEYSET_ROLLBACK": _(
            "The answer is older than the vendor's keys that this server knows. "
            "Ask the vendor to answer the request again."
        ),
        "E_ROLLBACK": _("The answer is older than one that was taken before. Make a new request."),
    }
    return sentences.get(code) or _not_for_us(code)


def _not_for_us(code: str) -> str:
    return _(
        "The answer is not from the vendor or not for us, and was not taken: %(code)s.", code=code
    )
