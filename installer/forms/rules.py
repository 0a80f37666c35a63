"""What may happen to a form, and what it still lacks. Pure: no files, no clock, no keys of ours."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum

from installer.forms.definition import FormDefinition, Item, ItemKind, Party, latest
from installer.forms.evidence import Evidence, in_order, record_evidence
from installer.forms.form import Answer, CheckAnswer, CheckStatus, Form, Visit, VisitMode
from installer.forms.seal import broken_signatures
from installer.forms.wording import FormError, Text, words

TEXT_LIMIT = 4000
SKIPPED = CheckAnswer.NOT_APPLICABLE


class Why(StrEnum):
    """Why something still stands in the way of a form."""

    UNANSWERED = "unanswered"
    NOT_RECORDED = "not_recorded"
    NOT_DONE = "not_done"
    FAILED_CHECKS = "failed_checks"
    UNSIGNED = "unsigned"
    BROKEN = "broken"
    NOT_OPENED = "not_opened"


@dataclass(frozen=True)
class Missing:
    """One thing a form lacks: the item, visit or form by id and label, and why."""

    id: str
    label: Text
    why: Why

    def sentence(self, locale: str) -> str:
        """Return it for a reader: what, and what is wrong with it."""
        colon = " : " if locale == "fr" else ": "
        return self.label.read(locale) + colon + words(f"missing.{self.why}").read(locale)


def open_form(
    code: str, reference: str, at: datetime, *, prerequisites: Iterable[Form] = ()
) -> Form:
    """Begin version 1 of a form. FO-OJ-21 opens only on a complete, signed CL-OJ-05 (R-DEP-2).

    `reference` ties all forms of one delivery together, such as the licence id.
    """
    definition = latest(code)
    earlier = tuple(prerequisites)
    require_prerequisites(definition, reference, earlier)
    form = Form(
        code=code,
        definition_version=definition.version,
        reference=reference,
        version=1,
        opened_at=at.astimezone(UTC).replace(microsecond=0),
    )
    return record_evidence(form, Evidence(), at, prerequisites=earlier)


def require_prerequisites(
    definition: FormDefinition, reference: str, prerequisites: Iterable[Form]
) -> None:
    """Raise FormError `not_open` naming what the required form still lacks."""
    lacking = blockers(definition, reference, prerequisites)
    if lacking:
        raise FormError(
            "not_open",
            code=definition.code,
            required=definition.requires,
            missing=named(lacking),
        )


def blockers(
    definition: FormDefinition, reference: str, prerequisites: Iterable[Form]
) -> tuple[Missing, ...]:
    """Return what stands in the way of opening a form; empty when nothing does."""
    if not definition.requires:
        return ()
    for form in prerequisites:
        if (form.code, form.reference) == (definition.requires, reference):
            return missing(form)
    label = latest(definition.requires).title
    return (Missing(definition.requires, label, Why.NOT_OPENED),)


def fill(form: Form, answers: Iterable[Answer]) -> Form:
    """Put people's answers into an unsigned form; each replaces the earlier one of its item."""
    refuse_signed(form)
    definition = form.definition
    found = {answer.item: answer for answer in form.answers}
    for answer in answers:
        item = definition.item(answer.item)
        check_answer(item, answer)
        found[item.id] = replace(
            answer, value=answer.value.strip(), at=answer.at.astimezone(UTC).replace(microsecond=0)
        )
    system = {item.id for item in definition.items() if item.by is Party.SYSTEM}
    return replace(form, answers=in_order(definition, found.values(), system))


def check_answer(item: Item, answer: Answer) -> None:
    """Raise FormError when a person may not give this answer to this item."""
    if item.by is Party.SYSTEM:
        raise FormError("system_item", label=item.label)
    if item.kind is ItemKind.SIGNATURE:
        raise FormError("signature_item", label=item.label, code=item.id)
    if not _fits(item, answer):
        raise FormError(
            "bad_value", value=answer.value, label=item.label, expected=_expected(item, answer)
        )


def _fits(item: Item, answer: Answer) -> bool:
    value = answer.value.strip()
    if answer.checks or len(answer.note) > TEXT_LIMIT or not answer.by.strip():
        return False
    skippable = item.may_be_skipped and bool(answer.note.strip())
    fits = {
        ItemKind.CHECK: value in {*CheckAnswer} - (set() if skippable else {SKIPPED}),
        ItemKind.CHOICE: value in {option.id for option in item.options},
        ItemKind.DATE: _is_date(value),
        ItemKind.NUMBER: value.isascii() and value.isdigit(),
    }
    return fits.get(item.kind, 0 < len(value) <= TEXT_LIMIT)


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _expected(item: Item, answer: Answer) -> Text:
    if item.kind is ItemKind.CHOICE:
        listed = ", ".join(option.id for option in item.options)
        return Text(listed, listed, listed)
    if item.kind is ItemKind.CHECK and not item.may_be_skipped:
        return words("expected.check_only")
    if item.kind is ItemKind.CHECK and answer.value.strip() == SKIPPED:
        return words("expected.skip_note")
    return words(f"expected.{item.kind}")


def add_visit(form: Form, visit: Visit) -> Form:
    """Record the report of a visit, or correct one that is not signed yet (R-DEP-1)."""
    refuse_signed(form)
    if not form.definition.visits:
        raise FormError("no_visits", code=form.code)
    if not visit.experts.strip() or not 0 < len(visit.report.strip()) <= TEXT_LIMIT:
        raise FormError("bad_visit")
    earlier = form.visit(visit.number)
    if earlier is not None and earlier.signature is not None:
        raise FormError("visit_signed", number=visit.number)
    if visit.number < 1 or visit.number > next_visit(form) or visit.signature is not None:
        raise FormError("unknown_visit", number=visit.number)
    visit = replace(visit, recorded_at=visit.recorded_at.astimezone(UTC).replace(microsecond=0))
    others = [other for other in form.visits if other.number != visit.number]
    return replace(form, visits=tuple(sorted([*others, visit], key=lambda each: each.number)))


def next_visit(form: Form) -> int:
    """Return the number the next visit gets."""
    return len(form.visits) + 1


def missing(form: Form) -> tuple[Missing, ...]:
    """Return everything the form lacks to be complete and signed, in the order of the form."""
    return (*missing_content(form), *_missing_signatures(form))


def missing_content(form: Form) -> tuple[Missing, ...]:
    """Return what must still be done before the form can be signed: answers and signed visits."""
    items = [_lack(form, item) for item in form.definition.items()]
    visits = [_visit_lack(visit) for visit in form.visits]
    return tuple(lack for lack in (*items, *visits) if lack is not None)


def is_complete(form: Form) -> bool:
    """Return whether the form is fully answered and validly signed by everyone."""
    return not missing(form)


def _lack(form: Form, item: Item) -> Missing | None:
    if item.kind is ItemKind.SIGNATURE or not _is_required(form, item):
        return None
    answer = form.answer(item.id)
    if answer is None:
        why = Why.NOT_RECORDED if item.by is Party.SYSTEM else Why.UNANSWERED
        return Missing(item.id, item.label, why)
    if item.kind is ItemKind.CHECK and answer.value == CheckAnswer.NOT_DONE:
        return Missing(item.id, item.label, Why.NOT_DONE)
    if any(check.status is CheckStatus.FAIL for check in answer.checks):
        return Missing(item.id, item.label, Why.FAILED_CHECKS)
    return None


def _is_required(form: Form, item: Item) -> bool:
    if item.required_if is None:
        return item.required
    answer = form.answer(item.required_if.item)
    return answer is not None and answer.value == item.required_if.value


def _visit_lack(visit: Visit) -> Missing | None:
    # Remote work may be recorded the same way, but only visits on site must be approved.
    if visit.mode is VisitMode.REMOTE or visit.signature is not None:
        return None
    label = words("missing.visit")
    number = visit.number
    numbered = Text(
        label.fa.format(number=number),
        label.en.format(number=number),
        label.fr.format(number=number),
    )
    return Missing(visit.slot, numbered, Why.UNSIGNED)


def _missing_signatures(form: Form) -> tuple[Missing, ...]:
    slots = form.definition.signatures()
    lacking = [
        Missing(slot.id, slot.label, Why.UNSIGNED)
        for slot in slots
        if form.signature(slot.id) is None
    ]
    labels = {slot.id: slot.label for slot in slots}
    lacking += [
        Missing(slot, labels.get(slot, Text(slot, slot, slot)), Why.BROKEN)
        for slot in broken_signatures(form)
    ]
    return tuple(lacking)


def amend(form: Form, reason: str, at: datetime) -> Form:
    """Open the next version of a signed form with its answers; the signed one stays as it is."""
    if not form.signatures:
        raise FormError("not_signed_yet", code=form.code, version=form.version)
    if not reason.strip():
        raise FormError("reason_needed")
    definition = latest(form.code)
    known = {item.id for item in definition.items()}
    return replace(
        form,
        definition_version=definition.version,
        version=form.version + 1,
        opened_at=at.astimezone(UTC).replace(microsecond=0),
        answers=tuple(answer for answer in form.answers if answer.item in known),
        amends=form.content_hash,
        amendment=reason.strip(),
        signatures=(),
    )


def refuse_signed(form: Form) -> None:
    """Raise FormError `already_signed` once anyone has signed this version."""
    if form.signatures:
        raise FormError("already_signed", code=form.code, version=form.version)


def named(lacking: Iterable[Missing]) -> Text:
    """Return a list of missing things as one text."""
    things = tuple(lacking)
    return Text(
        "؛ ".join(thing.sentence("fa") for thing in things),
        "; ".join(thing.sentence("en") for thing in things),
        " ; ".join(thing.sentence("fr") for thing in things),
    )
