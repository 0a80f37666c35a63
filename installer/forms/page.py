"""A filled form as its printed page needs it: every text chosen, every digit written. No HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from pathlib import Path

from installer.forms.calendar import (
    keep_numbers_whole,
    read_moment,
    show_date,
    show_moment,
    show_number,
)
from installer.forms.definition import Format, Item, ItemKind, Party, Section
from installer.forms.form import Answer, Form, Signature, Visit, VisitMode
from installer.forms.seal import broken_signatures
from installer.forms.wording import say

LONG = 300


@dataclass(frozen=True)
class Letterhead:
    """Who issues the form: name, address lines below it, and a PNG logo or nothing."""

    name: str
    lines: tuple[str, ...] = ()
    logo: bytes = b""


@dataclass(frozen=True)
class PrintOptions:
    """How a form is printed. `check_titles` translates host checks by id, `font_dir` holds Vazirmatn."""

    locale: str
    letterhead: Letterhead
    font_dir: Path | None = None
    zone: tzinfo = UTC
    check_titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckLine:
    """One host check as printed."""

    title: str
    status: str
    verdict: str
    detail: str


@dataclass(frozen=True)
class Row:
    """One item with its answer. `style` is text, code, done, not_done, not_applicable or empty."""

    number: str
    label: str
    help: str
    style: str
    text: str
    note: str
    by: str
    system: bool
    checks: tuple[CheckLine, ...]

    @property
    def is_long(self) -> bool:
        """Return whether the answer gets the whole width and may run over the page's end."""
        return len(self.text) > LONG


@dataclass(frozen=True)
class Block:
    """One section."""

    number: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SignatureBox:
    """One box to sign in, empty until somebody has. `picture` is an asset's name or empty."""

    label: str
    name: str
    role: str
    at: str
    key: str
    valid: bool
    picture: str


@dataclass(frozen=True)
class VisitBlock:
    """One visit's report and its approval."""

    number: str
    mode: str
    day: str
    experts: str
    report: str
    approval: SignatureBox | None

    @property
    def is_long(self) -> bool:
        """Return whether the report may run over the page's end."""
        return len(self.report) > LONG


@dataclass(frozen=True)
class Page:
    """Everything the template shows."""

    title: str
    purpose: str
    declaration: str
    code: str
    version: str
    reference: str
    opened: str
    state: str
    state_word: str
    amendment: str
    reason: str
    blocks: tuple[Block, ...]
    visits: tuple[VisitBlock, ...]
    boxes: tuple[SignatureBox, ...]
    fingerprint: str
    zone: str
    issuer: str
    issuer_lines: tuple[str, ...]


def lay_out(form: Form, options: PrintOptions) -> Page:
    """Turn a filled form into the page that is printed."""
    definition = form.definition
    locale = options.locale
    broken = set(broken_signatures(form))
    state = _state(form)
    sections = [section for section in definition.sections if _printed(section)]
    amendment = say("print.amends", locale).format(version=show_number(form.version - 1, locale))
    return Page(
        title=definition.title.read(locale),
        purpose=definition.purpose.read(locale),
        declaration=definition.declaration.read(locale),
        code=form.code,
        version=show_number(form.version, locale),
        reference=form.reference,
        opened=show_date(form.opened_at.astimezone(options.zone).date(), locale),
        state=state,
        state_word=say(f"print.{state}", locale),
        amendment=amendment if form.amends else "",
        reason=form.amendment,
        blocks=tuple(
            _block(form, section, number, options) for number, section in enumerate(sections, 1)
        ),
        visits=tuple(_visit(visit, broken, options) for visit in form.visits),
        boxes=tuple(
            _box(item.label.read(locale), form.signature(item.id), broken, options)
            for item in definition.signatures()
        ),
        fingerprint=form.content_hash,
        zone=say("print.zone", locale).format(zone=options.zone),
        issuer=options.letterhead.name,
        issuer_lines=tuple(keep_numbers_whole(line) for line in options.letterhead.lines),
    )


def picture_name(slot: str) -> str:
    """Return the asset under which the template finds a drawn signature."""
    return "picture-" + slot.replace(":", "-")


def _printed(section: Section) -> bool:
    return any(item.kind is not ItemKind.SIGNATURE for item in section.items)


def _state(form: Form) -> str:
    if not form.signatures:
        return "draft"
    return "signed" if len(form.signatures) == len(form.definition.signatures()) else "partly"


def _block(form: Form, section: Section, number: int, options: PrintOptions) -> Block:
    rows = tuple(
        _row(item, form.answer(item.id), f"{number}.{place}", options)
        for place, item in enumerate(section.items, 1)
        if item.kind is not ItemKind.SIGNATURE
    )
    return Block(show_number(number, options.locale), section.title.read(options.locale), rows)


def _row(item: Item, answer: Answer | None, number: str, options: PrintOptions) -> Row:
    style, text = _shown(item, answer, options)
    by = ""
    if answer is not None and item.by is not Party.SYSTEM:
        by = say("print.filled_by", options.locale).format(name=answer.by)
    return Row(
        number=show_number(number, options.locale),
        label=item.label.read(options.locale),
        help=item.help.read(options.locale) if item.help else "",
        style=style,
        text=text,
        note=answer.note if answer else "",
        by=by,
        system=item.by is Party.SYSTEM,
        checks=_checks(answer, options),
    )


def _shown(item: Item, answer: Answer | None, options: PrintOptions) -> tuple[str, str]:
    """Return how an answer looks and what it says."""
    if answer is None:
        return "empty", say("print.empty", options.locale)
    if item.kind is ItemKind.CHECK:
        return answer.value, say(f"print.{answer.value}", options.locale)
    if item.kind is ItemKind.EVIDENCE:
        return _evidence(item.format, answer.value, options)
    return "text", _told(item, answer.value, options)


def _told(item: Item, value: str, options: PrintOptions) -> str:
    match item.kind:
        case ItemKind.CHOICE:
            labels = {option.id: option.label for option in item.options}
            return labels[value].read(options.locale)
        case ItemKind.DATE:
            return show_date(date.fromisoformat(value), options.locale)
        case ItemKind.NUMBER:
            return show_number(value, options.locale)
        case _:
            return value


def _evidence(form: Format, value: str, options: PrintOptions) -> tuple[str, str]:
    match form:
        case Format.NUMBER:
            return "text", show_number(value, options.locale)
        case Format.MOMENT:
            return "text", show_moment(read_moment(value), options.locale, options.zone)
        case Format.CODE:
            return "code", value
        case _:
            return "text", value


def _checks(answer: Answer | None, options: PrintOptions) -> tuple[CheckLine, ...]:
    if answer is None:
        return ()
    return tuple(
        CheckLine(
            title=options.check_titles.get(check.id, check.title),
            status=check.status.value,
            verdict=say(f"print.{check.status}", options.locale),
            detail=check.detail,
        )
        for check in answer.checks
    )


def _visit(visit: Visit, broken: set[str], options: PrintOptions) -> VisitBlock:
    asked = visit.mode is VisitMode.ON_SITE or visit.signature is not None
    label = say("print.approval", options.locale)
    return VisitBlock(
        number=show_number(visit.number, options.locale),
        mode=say(f"print.{visit.mode}", options.locale),
        day=show_date(visit.visited_on, options.locale),
        experts=visit.experts,
        report=visit.report,
        approval=_box(label, visit.signature, broken, options) if asked else None,
    )


def _box(
    label: str, signature: Signature | None, broken: set[str], options: PrintOptions
) -> SignatureBox:
    if signature is None:
        return SignatureBox(label, "", "", "", "", valid=True, picture="")
    return SignatureBox(
        label=label,
        name=signature.name,
        role=signature.role,
        at=show_moment(signature.at, options.locale, options.zone),
        key=signature.fingerprint,
        valid=signature.slot not in broken,
        picture=picture_name(signature.slot) if signature.picture else "",
    )
