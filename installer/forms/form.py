"""A filled form: frozen records and the hash of what they say. Its JSON is in `json_form`."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from installer.forms.definition import FormDefinition, definition_of

SYSTEM = "system"
JsonValue = str | int | None | list["JsonValue"] | dict[str, "JsonValue"]


class CheckAnswer(StrEnum):
    """The answers to an item of kind check."""

    DONE = "done"
    NOT_DONE = "not_done"
    NOT_APPLICABLE = "not_applicable"


class VisitMode(StrEnum):
    """Where the experts worked."""

    ON_SITE = "on_site"
    REMOTE = "remote"


class CheckStatus(StrEnum):
    """How a check of the host ended."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class HostCheck:
    """One result of the preflight, kept as evidence."""

    id: str
    title: str
    status: CheckStatus
    detail: str


@dataclass(frozen=True)
class Answer:
    """One item's answer. Dates are ISO, moments RFC 3339 with Z, numbers ASCII digits.

    `by` is the person's name, or SYSTEM; `checks` is used by evidence of format checks alone.
    """

    item: str
    value: str
    by: str
    at: datetime
    note: str = ""
    checks: tuple[HostCheck, ...] = ()


@dataclass(frozen=True)
class Signature:
    """Who signed what, when, and the Ed25519 signature over it. `picture` is a drawn PNG or empty."""

    slot: str
    name: str
    role: str
    at: datetime
    public_key: bytes
    value: bytes
    picture: bytes = b""

    @property
    def fingerprint(self) -> str:
        """Return a short name of the key, for people."""
        digest = hashlib.sha256(self.public_key).hexdigest()[:16].upper()
        return " ".join(digest[place : place + 4] for place in range(0, 16, 4))


@dataclass(frozen=True)
class Visit:
    """The experts' work report of one visit, and the representative's approval of it."""

    number: int
    mode: VisitMode
    visited_on: date
    experts: str
    report: str
    recorded_at: datetime
    signature: Signature | None = None

    @property
    def slot(self) -> str:
        """Return the name under which this visit is signed."""
        return f"visit:{self.number}"


@dataclass(frozen=True)
class Form:
    """One version of a filled form. `amends` is the hash of the version it replaces, if any."""

    code: str
    definition_version: int
    reference: str
    version: int
    opened_at: datetime
    answers: tuple[Answer, ...] = ()
    visits: tuple[Visit, ...] = ()
    amends: str = ""
    amendment: str = ""
    signatures: tuple[Signature, ...] = ()

    @property
    def definition(self) -> FormDefinition:
        """Return the definition this form was opened with."""
        return definition_of(self.code, self.definition_version)

    @property
    def content_hash(self) -> str:
        """Return the SHA-256 of everything but the form's own signatures, in hex."""
        return sha256(canonical(content_record(self)))

    def answer(self, item_id: str) -> Answer | None:
        """Return the answer to an item, or None."""
        return next((answer for answer in self.answers if answer.item == item_id), None)

    def signature(self, slot: str) -> Signature | None:
        """Return the signature in a slot, or None."""
        return next((mark for mark in self.signatures if mark.slot == slot), None)

    def visit(self, number: int) -> Visit | None:
        """Return a visit by its number, or None."""
        return next((visit for visit in self.visits if visit.number == number), None)


def canonical(record: JsonValue) -> bytes:
    """Return the one JSON text of a record: sorted keys, no spaces, UTF-8."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def sha256(data: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def moment_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC with Z and whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def content_record(form: Form) -> dict[str, JsonValue]:
    """Return what the content hash covers, as plain JSON values."""
    return {
        "code": form.code,
        "definition_version": form.definition_version,
        "reference": form.reference,
        "version": form.version,
        "opened_at": moment_text(form.opened_at),
        "answers": [_answer_record(answer) for answer in form.answers],
        "visits": [visit_record(visit) for visit in form.visits],
        "amends": form.amends,
        "amendment": form.amendment,
    }


def _answer_record(answer: Answer) -> dict[str, JsonValue]:
    return {
        "item": answer.item,
        "value": answer.value,
        "by": answer.by,
        "at": moment_text(answer.at),
        "note": answer.note,
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "status": check.status.value,
                "detail": check.detail,
            }
            for check in answer.checks
        ],
    }


def report_record(visit: Visit) -> dict[str, JsonValue]:
    """Return what the signature of a visit covers, as plain JSON values."""
    return {
        "number": visit.number,
        "mode": visit.mode.value,
        "visited_on": visit.visited_on.isoformat(),
        "experts": visit.experts,
        "report": visit.report,
        "recorded_at": moment_text(visit.recorded_at),
    }


def visit_record(visit: Visit) -> dict[str, JsonValue]:
    """Return a visit with its signature as plain JSON values."""
    signature = None if visit.signature is None else signature_record(visit.signature)
    return {**report_record(visit), "signature": signature}


def signature_record(signature: Signature) -> dict[str, JsonValue]:
    """Return a signature as plain JSON values, bytes in hex."""
    return {
        "slot": signature.slot,
        "name": signature.name,
        "role": signature.role,
        "at": moment_text(signature.at),
        "public_key": signature.public_key.hex(),
        "value": signature.value.hex(),
        "picture": signature.picture.hex(),
    }
