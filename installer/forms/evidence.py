"""What the system itself knows of an installation, and its way into the items marked `system`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from installer.forms.definition import FormDefinition, Party
from installer.forms.form import SYSTEM, Answer, CheckStatus, Form, HostCheck, moment_text
from installer.forms.wording import FormError


@dataclass(frozen=True)
class Evidence:
    """Facts of the installation; None or empty where they are not known. Names are item ids."""

    customer: str = ""
    license_id: str = ""
    seats: int | None = None
    activated_at: datetime | None = None
    product_version: str = ""
    installed_at: datetime | None = None
    host_name: str = ""
    operating_system: str = ""
    database: str = ""
    host_checks: tuple[HostCheck, ...] = ()
    backup_id: str = ""
    backup_verified_at: datetime | None = None


def record_evidence(
    form: Form, evidence: Evidence, at: datetime, *, prerequisites: Iterable[Form] = ()
) -> Form:
    """Fill the items marked `system` anew; unknown facts keep what was recorded before."""
    if form.signatures:
        raise FormError("already_signed", code=form.code, version=form.version)
    at = at.astimezone(UTC).replace(microsecond=0)
    found = {answer.item: answer for answer in form.answers}
    for answer in (*_known(evidence, at), *_basis(form.definition, prerequisites, at)):
        found[answer.item] = answer
    wanted = {item.id for item in form.definition.items() if item.by is Party.SYSTEM}
    return replace(form, answers=in_order(form.definition, found.values(), wanted))


def in_order(
    definition: FormDefinition, answers: Iterable[Answer], system_items: Iterable[str]
) -> tuple[Answer, ...]:
    """Return the answers in the order of the form, dropping evidence that it does not ask for."""
    wanted = set(system_items)
    by_item = {
        answer.item: answer for answer in answers if answer.by != SYSTEM or answer.item in wanted
    }
    return tuple(by_item[item.id] for item in definition.items() if item.id in by_item)


def summary(checks: tuple[HostCheck, ...]) -> str:
    """Return the counts of the host checks in one stable line, such as `pass=14 warn=2`."""
    counts = {status: sum(check.status is status for check in checks) for status in CheckStatus}
    return " ".join(f"{status}={count}" for status, count in counts.items())


def checklist_name(form: Form) -> str:
    """Return how another form names this one."""
    return f"{form.code} v{form.version}"


def _known(evidence: Evidence, at: datetime) -> Iterable[Answer]:
    for item in Evidence.__dataclass_fields__:
        value = getattr(evidence, item)
        if value is None or value in {"", ()}:
            continue
        if isinstance(value, tuple):
            yield Answer(item, summary(value), SYSTEM, at, checks=value)
        elif isinstance(value, datetime):
            yield Answer(item, moment_text(value), SYSTEM, at)
        else:
            yield Answer(item, str(value), SYSTEM, at)


def _basis(
    definition: FormDefinition, prerequisites: Iterable[Form], at: datetime
) -> Iterable[Answer]:
    for form in prerequisites:
        if form.code == definition.requires and form.signatures:
            signed_at = max(mark.at for mark in form.signatures)
            yield Answer("checklist", checklist_name(form), SYSTEM, at)
            yield Answer("checklist_hash", form.content_hash, SYSTEM, at)
            yield Answer("checklist_signed_at", moment_text(signed_at), SYSTEM, at)
