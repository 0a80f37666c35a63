"""What the picker of linked records offers: companies, people and deals that fit what was typed."""

from contextlib import suppress

from server.activities.queries import target_of
from server.companies.queries import company_options
from server.core import kinds
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.listing import ListQuery
from server.deals.queries import list_deals
from server.http.access import current_actor
from server.http.unit_of_work import current_session
from server.people.queries import person_options

EACH = 7


def record_options(q: str) -> list[dict[str, str]]:
    """Return the records that fit, some of each kind the reader may see."""
    session, actor = current_session(), current_actor()
    found: list[tuple[str, int, str]] = []
    if actor.may("companies.see"):
        found += [("company", one.id, one.name) for one in company_options(session, actor, q, EACH)]
    if actor.may("people.see"):
        found += [
            ("person", one.id, one.display_name) for one in person_options(session, actor, q, EACH)
        ]
    if actor.may("deals.see"):
        wish = ListQuery(q=q, limit=EACH)
        found += [("deal", one.id, one.title) for one in list_deals(session, actor, wish).items]
    return [
        {"value": f"{kind}:{key}", "text": title, "hint": _(kinds.kind_of(kind).label)}
        for kind, key, title in found
    ]


def chosen(names: list[str]) -> list[tuple[str, str]]:
    """Return the titles of the records that a form names now; hidden and unreadable ones are left out."""
    wanted = set()
    for name in names:
        with suppress(Invalid):
            target = target_of(name, "links")
            wanted.add((target.kind, target.record_id))
    links = kinds.links(current_session(), current_actor(), wanted)
    return [(f"{kind}:{key}", link.title) for (kind, key), link in links.items()]
