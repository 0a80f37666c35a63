"""Why a document was refused: stable words of the protocol and the one error that carries them."""

from enum import StrEnum


class Code(StrEnum):
    """Every error code of the protocol, whoever says it."""

    # Unsigned problems of the authority, and what a parser says about foreign bytes.
    E_FORMAT = "E_FORMAT"
    E_TYPE = "E_TYPE"
    E_SIGNATURE = "E_SIGNATURE"
    E_WEAK_KEY = "E_WEAK_KEY"
    E_UNKNOWN_ACTIVATION = "E_UNKNOWN_ACTIVATION"
    E_BUSY = "E_BUSY"
    E_RATE = "E_RATE"
    # Signed denials.
    E_CODE = "E_CODE"
    E_CHALLENGE = "E_CHALLENGE"
    E_ALREADY_ACTIVE = "E_ALREADY_ACTIVE"
    E_SUSPENDED = "E_SUSPENDED"
    E_REVOKED = "E_REVOKED"
    E_EXPIRED = "E_EXPIRED"
    E_SUPERSEDED = "E_SUPERSEDED"
    E_DEACTIVATED = "E_DEACTIVATED"
    E_CLONE_SUSPECTED = "E_CLONE_SUSPECTED"
    E_NOT_STARTED = "E_NOT_STARTED"
    E_MAINTENANCE = "E_MAINTENANCE"
    E_CLIENT_TOO_OLD = "E_CLIENT_TOO_OLD"
    E_TRIAL_USED = "E_TRIAL_USED"
    E_REHOST_LIMIT = "E_REHOST_LIMIT"
    # Found by the client itself.
    E_REPLAY = "E_REPLAY"
    E_ROLLBACK = "E_ROLLBACK"
    E_KEYSET_ROLLBACK = "E_KEYSET_ROLLBACK"
    E_KEYSET_EXPIRED = "E_KEYSET_EXPIRED"
    E_KEY_WINDOW = "E_KEY_WINDOW"
    E_STATE_TAMPERED = "E_STATE_TAMPERED"
    E_WRONG_INSTANCE = "E_WRONG_INSTANCE"
    E_WRONG_LICENSE = "E_WRONG_LICENSE"


class NoticeCode(StrEnum):
    """What is worth telling a person although nothing stops."""

    STATE_RESYNC = "STATE_RESYNC"
    CLONE_REVIEW = "CLONE_REVIEW"
    FINGERPRINT_CHANGED = "FINGERPRINT_CHANGED"
    RENEWAL_AVAILABLE = "RENEWAL_AVAILABLE"
    KEY_ROTATION = "KEY_ROTATION"
    SEATS_OVER_NEW_CAP = "SEATS_OVER_NEW_CAP"
    CLOCK_BACK = "CLOCK_BACK"
    CLOCK_FORWARD = "CLOCK_FORWARD"


class DocumentError(Exception):
    """A document was refused. `code` is for programs, `message` an English sentence for logs."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def malformed(message: str) -> DocumentError:
    """Return the error for bytes that are no document of ours."""
    return DocumentError(Code.E_FORMAT, message)
