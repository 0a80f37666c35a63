"""The history of a record in words, for every room to include: `_history.html` shows what this returns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.audit.queries import history_of
from server.companies.queries import get_company
from server.core import format as shown
from server.core import kinds
from server.core.actor import Actor
from server.core.contact import readable_phone
from server.core.errors import NotAllowed, NotFound
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.deals.queries import get_deal, stage_names
from server.http.access import current_actor, signed_in
from server.http.unit_of_work import current_session
from server.users.queries import names_of

if TYPE_CHECKING:  # a template shows entries, and only their type is needed here
    from server.audit.models import AuditEntry

blueprint = Blueprint("history", __name__)

SHOWN, MOST, LONG = 4, 200, 240

# Whoever may change a record of the kind may see who changed it before.
PERMISSIONS = {"company": "companies.edit", "person": "people.edit", "deal": "deals.edit"}

ACTIONS = {
    "create": (mark("Wrote this down"), "plus", "green"),
    "update": (mark("Changed"), "edit", "blue"),
    "delete": (mark("Put into the bin"), "trash", "red"),
    "restore": (mark("Taken out of the bin"), "restore", "teal"),
}

LABELS = {
    "address": mark("Address"),
    "amount": mark("Amount"),
    "annual_revenue": mark("Annual revenue"),
    "body": mark("Text"),
    "city": mark("City"),
    "company_id": mark("Company"),
    "country": mark("Country"),
    "currency": mark("Currency"),
    "display_name": mark("Name"),
    "done_at": mark("Done"),
    "done_by_id": mark("Done by"),
    "due_at": mark("Due"),
    "emails": mark("Email addresses"),
    "employees": mark("Employees"),
    "expected_close_on": mark("Expected to close on"),
    "external_id": mark("External id"),
    "external_source": mark("Source of the external id"),
    "first_name": mark("First name"),
    "founded_year": mark("Founded"),
    "industry": mark("Industry"),
    "job_title": mark("Position"),
    "last_name": mark("Last name"),
    "links": mark("Belongs to"),
    "lost_reason": mark("Reason for losing it"),
    "name": mark("Name"),
    "notes": mark("Notes"),
    "owner_id": mark("Owner"),
    "parent_company_id": mark("Parent company"),
    "phones": mark("Telephones"),
    "probability": mark("Probability"),
    "product": mark("Product"),
    "revenue_currency": mark("Currency"),
    "stage_id": mark("Stage"),
    "subject": mark("Subject"),
    "title": mark("Title"),
    "website": mark("Website"),
}

# Which kind of record the number in a field names.
NAMED = {
    "company_id": "company",
    "parent_company_id": "company",
    "owner_id": "user",
    "done_by_id": "user",
    "stage_id": "stage",
}
OWN_NAMES = frozenset({"user", "stage"})  # kinds that have no page of their own
MONEY = {"annual_revenue": "revenue_currency", "amount": "currency"}
YEARS = frozenset({"founded_year"})

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")


@dataclass(frozen=True)
class Change:
    """One field before and after, as a person reads it; empty when there was or is nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Step:
    """One change of a record: who did what, when, and to which fields."""

    who: str
    at: datetime
    what: str
    icon: str
    tone: str
    changes: tuple[Change, ...]


def may_see_history(actor: Actor, kind: str) -> bool:
    """Tell whether this reader may see who changed a record of the kind."""
    return actor.may("audit.see") or (kind in PERMISSIONS and actor.may(PERMISSIONS[kind]))


def history_panel(kind: str, record_id: int, *, currency: str = "") -> dict[str, Any]:
    """Return what `_history.html` shows of a visible record; nothing for those who may not see it.

    `currency` is the record's own, for amounts whose change did not touch it.
    """
    if not may_see_history(current_actor(), kind):
        return {"history": None}
    entries = history_of(current_session(), kind, record_id, limit=SHOWN + 1)
    steps = steps_of(entries[:SHOWN], currency=currency)
    more = len(entries) > SHOWN
    return {"history": {"steps": steps, "kind": kind, "record_id": record_id, "more": more}}


@blueprint.get("/history/<kind>/<int:record_id>")
@signed_in()
def page(kind: str, record_id: int) -> ResponseReturnValue:
    """Show the whole history of one record."""
    session, actor = current_session(), current_actor()
    if kind not in PERMISSIONS:
        raise NotFound(_("There is no page at this address."))
    if not may_see_history(actor, kind):
        raise NotAllowed(_("You may not see who changed this. Ask an administrator."))
    link = kinds.links(session, actor, [(kind, record_id)]).get((kind, record_id))
    if link is None:
        raise NotFound(_("There is no such record, or it is in the bin."))
    entries = history_of(session, kind, record_id, limit=MOST)
    steps = steps_of(entries, currency=_currency_of(kind, record_id))
    return render_template("history.html", steps=steps, link=link, most=MOST)


def _currency_of(kind: str, record_id: int) -> str:
    """Return the currency of a visible record's amounts."""
    session, actor = current_session(), current_actor()
    if kind == "company":
        return get_company(session, actor, record_id).revenue_currency or ""
    return get_deal(session, actor, record_id).currency if kind == "deal" else ""


def readable_changes(entry: "AuditEntry") -> tuple[Change, ...]:
    """Return what one entry of the trail changed, as a person reads it."""
    return steps_of([entry])[0].changes


def steps_of(entries: "Sequence[AuditEntry]", *, currency: str = "") -> list[Step]:
    """Return entries of the trail in words; one query for each kind of record they name."""
    names = _names(entries)
    return [_step(entry, names, currency) for entry in entries]


def _step(entry: "AuditEntry", names: Mapping[tuple[str, int], str], currency: str) -> Step:
    words, icon, tone = ACTIONS.get(entry.action, (entry.action, "activity", "gray"))
    changes: Iterable[tuple[str, Any]] = () if entry.action == "create" else entry.changes.items()
    pairs = [(field, pair) for field, pair in changes if field in LABELS and _is_pair(pair)]
    return Step(
        who=entry.user_name or _("Daftar"),
        at=entry.at,
        what=_(words),
        icon=icon,
        tone=tone,
        changes=tuple(
            _change(field, pair, names, _currencies(field, entry.changes, currency))
            for field, pair in pairs
        ),
    )


def _change(
    field: str,
    pair: Sequence[Any],
    names: Mapping[tuple[str, int], str],
    currencies: tuple[str, str],
) -> Change:
    before, after = (_text(field, pair[n], names, currencies[n]) for n in (0, 1))
    return Change(_(LABELS[field]), before, after)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2


def _currencies(field: str, changes: Mapping[str, Any], currency: str) -> tuple[str, str]:
    """Return the currency an amount had before and after."""
    changed = changes.get(MONEY.get(field, ""))
    before, after = changed if isinstance(changed, list) and changed else (currency, currency)
    return str(before or after or ""), str(after or before or "")


def _text(field: str, value: Any, names: Mapping[tuple[str, int], str], currency: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return _(", ").join(_word(field, each) for each in value)
    if isinstance(value, int) and field in NAMED:
        return names.get((NAMED[field], value)) or _("No. %(id)s", id=shown.number(value))
    if isinstance(value, int) and field not in YEARS:
        return shown.money(value, currency) if currency and field in MONEY else shown.number(value)
    return _word(field, value)


def _word(field: str, value: object) -> str:
    text = str(value)
    if field == "phones":
        return readable_phone(text)
    with suppress(ValueError):  # a name can look like a date and be none
        if _DAY.match(text):
            return shown.date(date.fromisoformat(text))
        if _MOMENT.match(text):
            return shown.datetime(datetime.fromisoformat(text))
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _names(entries: "Sequence[AuditEntry]") -> dict[tuple[str, int], str]:
    session, actor = current_session(), current_actor()
    wanted = {
        (NAMED[field], value)
        for entry in entries
        for field, pair in entry.changes.items()
        if field in NAMED and _is_pair(pair)
        for value in pair
        if isinstance(value, int)
    }
    colleagues = names_of(session, [number for kind, number in wanted if kind == "user"])
    stages = stage_names(session, actor, [number for kind, number in wanted if kind == "stage"])
    others = kinds.links(session, actor, [one for one in wanted if one[0] not in OWN_NAMES])
    return (
        {("user", number): name for number, name in colleagues.items()}
        | {("stage", number): name for number, name in stages.items()}
        | {key: link.title for key, link in others.items()}
    )
