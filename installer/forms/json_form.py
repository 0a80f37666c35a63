"""Filled forms as JSON and back. Reading is strict: nothing missing, nothing extra, hash checked."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

from installer.forms.form import (
    Answer,
    CheckStatus,
    Form,
    HostCheck,
    JsonValue,
    Signature,
    Visit,
    VisitMode,
    canonical,
    content_record,
    signature_record,
)
from installer.forms.wording import FormError

FORMAT = 1
T = TypeVar("T")
Record = dict[str, JsonValue]


def form_record(form: Form) -> Record:
    """Return the whole form as plain JSON values."""
    return {
        "format": FORMAT,
        **content_record(form),
        "content_sha256": form.content_hash,
        "signatures": [signature_record(mark) for mark in form.signatures],
    }


def to_json(form: Form) -> str:
    """Return the form as its one canonical JSON text."""
    return canonical(form_record(form)).decode()


def from_json(text: str | bytes) -> Form:
    """Read a form; anything unexpected raises FormError `bad_json`."""
    return read_form(load_object(text))


def load_object(text: str | bytes) -> Record:
    """Parse one JSON object; repeated keys, NaN and fractions are refused."""
    try:
        value = json.loads(
            text, object_pairs_hook=_pairs, parse_float=_refuse, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise FormError("bad_json", reason=error) from error
    if not isinstance(value, dict):
        raise FormError("bad_json", reason="not an object")
    return value


def read_form(record: Record) -> Form:
    """Turn plain JSON values into a form, checking every field and the content hash."""
    fields = Fields(record, "form")
    if fields.integer("format") != FORMAT:
        raise FormError("bad_json", reason="unknown format")
    form = Form(
        code=fields.text("code"),
        definition_version=fields.integer("definition_version"),
        reference=fields.text("reference"),
        version=fields.integer("version"),
        opened_at=fields.moment("opened_at"),
        answers=fields.many("answers", _answer),
        visits=fields.many("visits", _visit),
        amends=fields.text("amends"),
        amendment=fields.text("amendment"),
        signatures=fields.many("signatures", _signature),
    )
    claimed = fields.text("content_sha256")
    fields.end()
    if claimed != form.content_hash:
        raise FormError("bad_json", reason="the content does not have the hash it claims")
    return form


class Fields:
    """Takes the fields of one object by name and type; `end` refuses what was not asked for."""

    def __init__(self, value: JsonValue, place: str) -> None:
        if not isinstance(value, dict):
            raise FormError("bad_json", reason=f"{place} is not an object")
        self._rest = dict(value)
        self._place = place

    def take(self, name: str) -> JsonValue:
        """Return a field that must be there, of any type."""
        if name not in self._rest:
            raise FormError("bad_json", reason=f"{self._place} lacks {name}")
        return self._rest.pop(name)

    def text(self, name: str) -> str:
        """Return a string field."""
        value = self.take(name)
        if not isinstance(value, str):
            raise self._wrong(name)
        return value

    def integer(self, name: str) -> int:
        """Return an integer field."""
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name)
        return value

    def moment(self, name: str) -> datetime:
        """Return a moment written as RFC 3339 in UTC with whole seconds."""
        value = self.text(name)
        try:
            return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise self._wrong(name) from error

    def day(self, name: str) -> date:
        """Return an ISO date."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError as error:
            raise self._wrong(name) from error

    def octets(self, name: str) -> bytes:
        """Return bytes written in lower-case hex."""
        value = self.text(name)
        try:
            data = bytes.fromhex(value)
        except ValueError as error:
            raise self._wrong(name) from error
        if data.hex() != value:
            raise self._wrong(name)
        return data

    def many(self, name: str, read: Callable[[JsonValue], T]) -> tuple[T, ...]:
        """Return a list field, each entry read by `read`."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self._wrong(name)
        return tuple(read(entry) for entry in value)

    def one_of(self, name: str, choose: Callable[[str], T]) -> T:
        """Return a word of an enumeration."""
        try:
            return choose(self.text(name))
        except ValueError as error:
            raise self._wrong(name) from error

    def end(self) -> None:
        """Refuse fields that nobody asked for."""
        if self._rest:
            names = ", ".join(sorted(self._rest))
            raise FormError("bad_json", reason=f"{self._place} has unknown {names}")

    def _wrong(self, name: str) -> FormError:
        return FormError("bad_json", reason=f"{name} of {self._place} has the wrong type or shape")


def _answer(value: JsonValue) -> Answer:
    fields = Fields(value, "answer")
    answer = Answer(
        item=fields.text("item"),
        value=fields.text("value"),
        by=fields.text("by"),
        at=fields.moment("at"),
        note=fields.text("note"),
        checks=fields.many("checks", _check),
    )
    fields.end()
    return answer


def _check(value: JsonValue) -> HostCheck:
    fields = Fields(value, "check")
    check = HostCheck(
        id=fields.text("id"),
        title=fields.text("title"),
        status=fields.one_of("status", CheckStatus),
        detail=fields.text("detail"),
    )
    fields.end()
    return check


def _visit(value: JsonValue) -> Visit:
    fields = Fields(value, "visit")
    signature = fields.take("signature")
    visit = Visit(
        number=fields.integer("number"),
        mode=fields.one_of("mode", VisitMode),
        visited_on=fields.day("visited_on"),
        experts=fields.text("experts"),
        report=fields.text("report"),
        recorded_at=fields.moment("recorded_at"),
        signature=None if signature is None else _signature(signature),
    )
    fields.end()
    return visit


def _signature(value: JsonValue) -> Signature:
    fields = Fields(value, "signature")
    signature = Signature(
        slot=fields.text("slot"),
        name=fields.text("name"),
        role=fields.text("role"),
        at=fields.moment("at"),
        public_key=fields.octets("public_key"),
        value=fields.octets("value"),
        picture=fields.octets("picture"),
    )
    fields.end()
    return signature


def _pairs(pairs: list[tuple[str, JsonValue]]) -> Record:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key stands twice")
    return record


def _refuse(text: str) -> JsonValue:
    raise ValueError(f"{text} is not allowed")
