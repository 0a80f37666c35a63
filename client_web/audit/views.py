"""The audit trail: who changed what and when, and whether the seal over it is whole."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.audit.words import action_word, field_word, kind_word, value_word, who_word
from client_web.history import Change, Step, steps_of
from client_web.reading import address_now, page_address
from server.audit import queries
from server.core import clock, kinds
from server.core.i18n import gettext as _
from server.core.listing import Filter, ListQuery
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.users.queries import names_of, owners

if TYPE_CHECKING:  # a template shows entries, and only their type is needed here
    from collections.abc import Sequence

    from server.audit.models import AuditEntry

blueprint = Blueprint("audit", __name__)

DAYS = (1, 7, 30, 365)
LONG = 200


@dataclass(frozen=True)
class Row:
    """One entry of the trail, as the list shows it."""

    entry: Any
    action: str
    tone: str
    kind: str
    title: str
    who: str
    url: str | None
    changes: tuple[Change, ...]


@blueprint.get("/audit")
@needs("audit.see")
def page() -> ResponseReturnValue:
    """List the changes of every record, newest first."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.list_entries(session, actor, _within(wish))
    path = url_for("audit.page")
    return render_template(
        "audit/list.html",
        rows=_rows(found.items),
        found=found,
        wish=wish,
        days=_days(),
        filtered=bool(wish.filters or _days()),
        seal=queries.seal_state(session, actor),
        kinds=[(word, kind_word(word)) for word in queries.kinds_in_trail(session, actor)],
        actions=[(word, action_word(word)) for word in queries.actions_in_trail(session, actor)],
        people=[(owner.id, owner.display_name) for owner in owners(session, actor)],
        periods=[(days, _period(days)) for days in DAYS],
        path=path,
        query=address_now(),
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
    )


def _days() -> int | None:
    days = request.args.get("days", type=int)
    return days if days in DAYS else None


def _within(wish: ListQuery) -> ListQuery:
    """Return the wish, narrowed to the last days that the address names."""
    days = _days()
    if days is None:
        return wish
    since = clock.now() - timedelta(days=days)
    return replace(wish, filters=(*wish.filters, Filter("at", "gte", since.isoformat())))


def _period(days: int) -> str:
    words = {
        1: _("Last 24 hours"),
        7: _("Last 7 days"),
        30: _("Last 30 days"),
        365: _("Last 12 months"),
    }
    return words[days]


def _rows(entries: "Sequence[AuditEntry]") -> list[Row]:
    links = _links(entries)
    return [
        _row(entry, step, links)
        for entry, step in zip(entries, steps_of(list(entries)), strict=True)
    ]


def _links(entries: "Sequence[AuditEntry]") -> dict[tuple[str, int], tuple[str, str | None]]:
    """Return title and page of the records that this reader may see; one query for each kind."""
    session, actor = current_session(), current_actor()
    wanted = {(one.kind, one.record_id) for one in entries if one.record_id is not None}
    known = {kind.name for kind in kinds.all_kinds()}
    records = kinds.links(session, actor, [one for one in wanted if one[0] in known])
    colleagues = names_of(session, [number for kind, number in wanted if kind == "user"])
    return {("user", number): (name, None) for number, name in colleagues.items()} | {
        key: (link.title, link.url) for key, link in records.items()
    }


def _row(
    entry: "AuditEntry", step: Step, links: dict[tuple[str, int], tuple[str, str | None]]
) -> Row:
    title, url = links.get((entry.kind, entry.record_id or 0), ("", None))
    return Row(
        entry=entry,
        action=action_word(entry.action),
        tone=step.tone,
        kind=kind_word(entry.kind),
        title=title,
        who=who_word(entry.user_name or _("Daftar")),
        url=url,
        changes=step.changes or _all_changes(entry.changes),
    )


def _all_changes(changes: dict[str, Any]) -> tuple[Change, ...]:
    """Return every field as it is kept; what is no pair of before and after has only an after."""
    shown = []
    for field, value in changes.items():
        pair = value if isinstance(value, list) and len(value) == 2 else [None, value]
        before, after = (_text(value_word(field, part)) for part in pair)
        if before or after:
            shown.append(Change(field_word(field), before, after))
    return tuple(shown)


def _text(value: object) -> str:
    if value is None or value in ("", [], {}):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
