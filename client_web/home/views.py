"""The first page: what is on today, how licence and backups stand, and where to begin on a new server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.panel import entries
from client_web.activities.tasks import reader_day
from client_web.deals.frame import home_currency, sums_text
from client_web.home.lights import licence_light
from client_web.ladder.refusal import closed_page
from server.activities import queries as activities
from server.backups.queries import backup_light
from server.companies.queries import company_names, company_options
from server.core import clock
from server.core.actor import Actor
from server.core.format import date, local, money, today
from server.core.i18n import gettext as _
from server.deals import queries as deals
from server.deals.rules import is_late
from server.http.access import current_actor, signed_in
from server.http.door import door_of
from server.http.unit_of_work import current_session

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.deals.models import Deal

blueprint = Blueprint("home", __name__)

SHOWN = 8
LAST = 5
NOON = 12
EVENING = 18


@dataclass(frozen=True)
class DealLine:
    """One of the reader's open deals, as the first page shows it."""

    deal: "Deal"
    company: str | None
    late: bool


@dataclass(frozen=True)
class FirstStep:
    """A way to fill a new installation."""

    label: str
    url: str
    icon: str


@blueprint.get("/")
@signed_in(always=True)
def page() -> ResponseReturnValue:
    """Show what is on today; where the licence lets nobody read records, what is open instead."""
    actor = current_actor()
    board = door_of(current_app).board
    if board is not None and board.verdict.mode == "setup" and actor.may("license.manage"):
        return redirect(url_for("license.page"))  # nothing else works before the activation
    if board is not None and not board.verdict.may_read:
        return closed_page()
    return render_template(
        "home/page.html",
        greeting=_greeting(actor),
        today=date(today(), "long"),
        licence=licence_light(actor, board.verdict) if board is not None else None,
        backups=_backups(actor),
        begin=_first_steps(actor),
        **_activities(actor),
        **_deals(actor),
    )


def _greeting(actor: Actor) -> str:
    hour = local(clock.now()).hour
    if hour < NOON:
        return _("Good morning, %(name)s", name=actor.name)
    if hour < EVENING:
        return _("Good afternoon, %(name)s", name=actor.name)
    return _("Good evening, %(name)s", name=actor.name)


def _backups(actor: Actor) -> Any:
    return backup_light(current_session(), actor) if actor.may("backups.see") else None


def _activities(actor: Actor) -> dict[str, Any]:
    if not actor.may("activities.see"):
        return {"counts": None, "tasks": [], "recent": []}
    session, day = current_session(), reader_day()
    tasks = activities.my_open_activities(session, actor, before=day.ends, limit=SHOWN)
    recent = activities.recent_activities(session, actor, LAST)
    shown = entries([*tasks, *recent])
    return {
        "counts": activities.count_open(session, actor, day, mine=True),
        "tasks": shown[: len(tasks)],
        "recent": shown[len(tasks) :],
    }


def _deals(actor: Actor) -> dict[str, Any]:
    if not actor.may("deals.see"):
        return {"deals": []}
    session, day = current_session(), today()
    mine = deals.my_open_deals(session, actor, SHOWN)
    names = company_names(session, actor, [deal.company_id for deal in mine])
    lines = [
        DealLine(
            deal, names.get(deal.company_id or 0), is_late(deal.status, deal.expected_close_on, day)
        )
        for deal in mine
    ]
    return {"deals": lines, **_open_sums(deals.my_open_totals(session, actor))}


def _open_sums(totals: Sequence[deals.Total]) -> dict[str, Any]:
    """Return how many deals there are and what they come to, the organisation's currency first."""
    ours = home_currency()
    sums = sums_text(sorted(totals, key=lambda total: total.currency != ours))
    return {
        "open_count": sum(total.count for total in totals),
        "open_sums": sums or money(0, ours),
    }


def _first_steps(actor: Actor) -> tuple[FirstStep, ...]:
    """Return where to begin while no company is written down; nothing later."""
    if not actor.may("companies.create") or company_options(current_session(), actor, "", 1):
        return ()
    steps = []
    if actor.may("imports.run"):
        steps.append(FirstStep(_("Import a file"), url_for("imports.new"), "upload"))
    by_hand = _("Write down the first company")
    steps.append(FirstStep(by_hand, url_for("companies.new"), "building"))
    return tuple(steps)
