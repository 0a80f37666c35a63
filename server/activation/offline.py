"""A server without a line: the request as a file, what waits for its answer, and why a file was not taken.

The exchange itself is `service`'s; this module says in records and words what it meant.
"""

from dataclasses import dataclass
from datetime import datetime

from licensing.client.acceptance import request_hash
from licensing.client.client import goes_by_file, requested_reason
from licensing.client.state import Pending, RequestKind
from licensing.document.answers import Deactivation
from licensing.document.documents import open_body
from licensing.document.envelope import load_envelope
from licensing.document.errors import DocumentError
from licensing.document.files import load_answer_file
from licensing.document.parser import MAX_BYTES
from licensing.document.qr import QrError, QrTrouble, joined, slices
from licensing.document.requests import DeactivationReason
from server.activation.rules import moment
from server.core.errors import Invalid
from server.core.i18n import gettext as _

REQUEST_SUFFIX = ".dftreq"
ANSWER_SUFFIX = ".dftlic"
MOST_ANSWER_BYTES = 2 * MAX_BYTES  # QR codes as text are longer than the file they carry
_NUMBER_LENGTH = 8


@dataclass(frozen=True)
class RequestWish:
    """What to ask the vendor by file. `code` is needed to activate, `reason` to deactivate."""

    kind: str
    code: str = ""
    reason: str = DeactivationReason.MOVE.value


@dataclass(frozen=True)
class PendingRequest:
    """The request that waits for its answer.

    `number` is the beginning of its hash, by which both sides find the answer that belongs to it.
    `by_file` says that it can be carried; `is_final` that it cannot be withdrawn any more.
    """

    kind: str
    made_at: datetime
    number: str
    reason: str | None
    by_file: bool
    is_final: bool


@dataclass(frozen=True)
class RequestFile:
    """A `.dftreq`: its name, its bytes, its QR codes, and the older request whose place it took."""

    name: str
    raw: bytes
    request: PendingRequest
    replaced: PendingRequest | None = None

    @property
    def codes(self) -> list[str]:
        """Return the texts of its QR codes."""
        return slices(self.raw)


@dataclass(frozen=True)
class Receipt:
    """The vendor's signed proof that an activation ended (R-LIC-10)."""

    activation_id: str
    license_id: str
    reason: str
    deactivated_at: datetime
    refund_eligible_at: datetime | None
    raw: bytes

    @property
    def name(self) -> str:
        """Return a name for the file of the proof."""
        return f"daftar-deactivation-{self.activation_id}.json"


def describe(pending: Pending, *, left_by_file: bool) -> PendingRequest:
    """Return what people need to know of a pending request."""
    reason = requested_reason(pending)
    return PendingRequest(
        kind=pending.kind.value,
        made_at=moment(pending.made_at),
        number=request_hash(pending)[:_NUMBER_LENGTH],
        reason=reason.value if reason else None,
        by_file=goes_by_file(pending),
        is_final=left_by_file and pending.kind is RequestKind.DEACTIVATE,
    )


def file_of(
    pending: Pending, described: PendingRequest, replaced: PendingRequest | None = None
) -> RequestFile:
    """Return the file of a pending request."""
    name = f"daftar-{described.kind}-{described.number}{REQUEST_SUFFIX}"
    return RequestFile(name, pending.envelope.encode(), described, replaced)


def wanted_kind(word: str) -> RequestKind:
    """Return the kind of request that was asked for, or raise Invalid."""
    try:
        return RequestKind(word)
    except ValueError as error:
        raise Invalid(
            _("The kind is one of activate, check-in and deactivate."), field="kind"
        ) from error


def wanted_reason(word: str) -> DeactivationReason:
    """Return the reason for leaving, or raise Invalid."""
    try:
        return DeactivationReason(word)
    except ValueError as error:
        raise Invalid(_("The reason is one of move, refund and end."), field="reason") from error


def receipt_of(raw: bytes) -> Receipt | None:
    """Return a kept proof; None when its file is damaged."""
    try:
        proof = open_body(load_envelope(raw), Deactivation)
    except DocumentError:
        return None
    refund = proof.refund_eligible_at
    return Receipt(
        activation_id=proof.activation_id,
        license_id=proof.license_id,
        reason=proof.reason.value,
        deactivated_at=moment(proof.deactivated_at),
        refund_eligible_at=moment(refund) if refund is not None else None,
        raw=raw,
    )


def answer_of(given: bytes) -> bytes:
    """Return the `.dftlic` in what a person brought: the file itself, or its QR codes as text.

    Raises Invalid with what is wrong: nothing, too large, codes missing or mixed up, a request.
    """
    if not given.strip():
        raise Invalid(_("The file is empty. Choose the vendor's answer."), field="answer")
    if len(given) > MOST_ANSWER_BYTES:
        raise _no_answer()
    if not given.lstrip(b"\xef\xbb\xbf \t\r\n\f").startswith(b"{"):
        given = _from_codes(given)
    try:
        load_answer_file(given)
    except DocumentError as error:
        raise (_a_request() if _is_envelope(given) else _no_answer()) from error
    return given


def _from_codes(given: bytes) -> bytes:
    try:
        return joined([given.decode()])
    except UnicodeDecodeError as error:
        raise _no_answer() from error
    except QrError as error:
        raise _codes_refused(error) from error


def _is_envelope(raw: bytes) -> bool:
    try:
        load_envelope(raw)
    except DocumentError:
        return False
    return True


def _no_answer() -> Invalid:
    return Invalid(
        _(
            "This is no answer of the vendor. It is a file whose name ends in .dftlic, "
            "or the text of all its QR codes."
        ),
        field="answer",
        code="no_answer",
    )


def _a_request() -> Invalid:
    return Invalid(
        _(
            "This is a request of a server, not the vendor's answer. "
            "Send it to the vendor; what comes back ends in .dftlic."
        ),
        field="answer",
        code="a_request",
    )


def _codes_refused(error: QrError) -> Invalid:
    if error.trouble is QrTrouble.MISSING:
        sentence = _(
            "Of %(total)s QR codes these are missing: %(missing)s. Add their text below the others.",
            total=error.total,
            missing=", ".join(map(str, error.missing)),
        )
    elif error.trouble is QrTrouble.MIXED:
        sentence = _(
            "These QR codes belong to different files. Take those of one answer only, all of them."
        )
    elif error.trouble is QrTrouble.DAMAGED:
        sentence = _(
            "The text of the QR codes is damaged, or they belong to different files. "
            "Scan all of them again."
        )
    else:
        return _no_answer()
    return Invalid(sentence, field="answer", code=f"qr_{error.trouble.value}")
