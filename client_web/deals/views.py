"""Pages of deals: the list, one record, its steps, the bin, and what pickers ask."""

from typing import TYPE_CHECKING, Any

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.panel import timeline_panel
from client_web.choices import colleagues
from client_web.deals.board import board_page, cards_of
from client_web.deals.frame import (
    STATUS_TONES,
    blueprint,
    may_change,
    names_for,
    views,
)
from client_web.history import history_panel
from client_web.reading import address_now, page_address, say, whole
from server.companies.queries import company_names
from server.core import clock
from server.core.errors import Invalid
from server.core.format import money, number, today
from server.core.i18n import gettext as _
from server.core.i18n import mark, ngettext
from server.deals import queries, service
from server.deals.rules import STATUS_LABELS, DealStatus, days_stuck, is_late, weighted
from server.deals.service import Step
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.people.queries import person_names

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.core.listing import ListQuery, Page
    from server.deals.models import Deal, Stage

DAY = 86_400
LOST_REASONS = (
    mark("Price"),
    mark("A competitor"),
    mark("No budget"),
    mark("No answer"),
    mark("Bad timing"),
    mark("Not needed any more"),
)


@blueprint.get("/deals")
@needs("deals.see")
def page() -> ResponseReturnValue:
    """Show the board, or the list when the address asks for it."""
    if request.args.get("view") != "list":
        return board_page()
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.list_deals(session, actor, wish)
    return _list(found, wish, in_bin=False)


@blueprint.get("/deals/bin")
@needs("deals.delete")
def binned() -> ResponseReturnValue:
    """List the deals in the bin."""
    session, actor, wish = current_session(), current_actor(), list_query()
    return _list(queries.list_binned_deals(session, actor, wish), wish, in_bin=True)


def _list(found: "Page[Deal]", wish: "ListQuery", *, in_bin: bool) -> str:
    session, actor = current_session(), current_actor()
    companies, owners = names_for(found.items)
    stages = queries.all_stages(session, actor)
    path = url_for("deals.binned" if in_bin else "deals.page")
    query = address_now()
    company_id = request.args.get("filter[company_id]", "")
    return render_template(
        "deals/list.html",
        found=found,
        wish=wish,
        in_bin=in_bin,
        path=path,
        query=query,
        sort=wish.sort or queries.DEALS.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        sums=() if in_bin else [_sum(one) for one in queries.totals(session, actor, wish)],
        companies=companies,
        owner_names=owners,
        stage_names={one.id: one.name for row in stages.values() for one in row},
        stages=stage_choices(stages),
        owners=colleagues(request.args.get("filter[owner_id]")),
        statuses=[(status.value, _(words)) for status, words in STATUS_LABELS.items()],
        chosen_company=_chosen_company(company_id),
        tones=STATUS_TONES,
        words={status: _(words) for status, words in STATUS_LABELS.items()},
        today=today(),
        is_late=is_late,
        views=views("list", query),
    )


def _chosen_company(text: str) -> list[tuple[int, str]]:
    try:
        known = whole(text, "company_id")
    except Invalid:
        return []
    return list(company_names(current_session(), current_actor(), [known]).items())


def _sum(total: queries.Total) -> dict[str, str]:
    words = ngettext(
        "%(count)s deal, by its probability %(weighted)s",
        "%(count)s deals, by their probability %(weighted)s",
        total.count,
        count=number(total.count),
        weighted=money(total.weighted, total.currency),
    )
    return {"amount": money(total.amount, total.currency), "words": words}


def stage_choices(known: "dict[int, list[Stage]]") -> list[tuple[Any, Any]]:
    """Return the stages as choices, in groups when there are several pipelines."""
    session, actor = current_session(), current_actor()
    groups = [
        (one.name, [(stage.id, stage.name) for stage in known.get(one.id, [])])
        for one in queries.all_pipelines(session, actor)
    ]
    return list(groups[0][1]) if len(groups) == 1 else list(groups)


@blueprint.get("/deals/options")
@needs("deals.see")
def options() -> ResponseReturnValue:
    """Answer a picker: the deals that fit what was typed."""
    found = queries.deal_options(
        current_session(), current_actor(), request.args.get("q", "")[:200]
    )
    return jsonify(
        [
            {"value": str(one.id), "text": one.title, "hint": money(one.amount, one.currency)}
            for one in found
        ]
    )


@blueprint.get("/deals/<int:deal_id>")
@needs("deals.see")
def show(deal_id: int) -> ResponseReturnValue:
    """Show one deal with everything that belongs to it."""
    session, actor = current_session(), current_actor()
    deal = queries.get_deal(session, actor, deal_id)
    stages = queries.stages_of(session, actor, deal.pipeline_id)
    return render_template(
        "deals/show.html",
        deal=deal,
        stage=next(one for one in stages if one.id == deal.stage_id),
        steps=_steps(deal, stages),
        may_change=may_change(actor, deal),
        reasons=reasons(deal.lost_reason),
        **_panels(deal, stages),
        **timeline_panel("deal", deal.id),
        **history_panel("deal", deal.id, currency=deal.currency),
    )


def _panels(deal: "Deal", stages: "list[Stage]") -> dict[str, Any]:
    """Return what the panels of the record page show; a new panel adds its data here."""
    session, actor = current_session(), current_actor()
    companies, owners = names_for([deal])
    moves = queries.history(session, actor, deal.id, limit=20)
    people = person_names(session, actor, queries.people_of(session, [deal.id])[deal.id])
    rot = next((one.rot_days for one in stages if one.id == deal.stage_id), None)
    is_open = deal.status is DealStatus.OPEN
    return {
        "company": companies.get(deal.company_id or 0),
        "owner": owners.get(deal.owner_id or 0),
        "people": list(people.items()),
        "moves": moves,
        "weighted": weighted(deal.amount, deal.probability),
        "lasted": _lasted,
        "stuck": days_stuck(deal.stage_since, clock.now(), rot) if is_open else None,
        "late": is_late(deal.status, deal.expected_close_on, today()),
        "tone": STATUS_TONES[deal.status],
        "status": _(STATUS_LABELS[deal.status]),
    }


def _lasted(seconds: int, stage: str) -> str:
    """Say for how long a deal stood in the stage before."""
    days = seconds // DAY
    if not days:
        return _("after less than a day in %(stage)s", stage=stage)
    return ngettext(
        "after %(count)s day in %(stage)s",
        "after %(count)s days in %(stage)s",
        days,
        count=number(days),
        stage=stage,
    )


def _steps(deal: "Deal", stages: "list[Stage]") -> list[dict[str, object]]:
    """Return the stages as the stepper shows them: those before the present one are done."""
    here = next(place for place, one in enumerate(stages) if one.id == deal.stage_id)
    steps = []
    for place, one in enumerate(stages):
        state = "done" if place < here and deal.status is DealStatus.OPEN else "next"
        if place == here:
            state = "current" if deal.status is DealStatus.OPEN else deal.status.value
        steps.append({"id": one.id, "name": one.name, "state": state})
    return steps


def reasons(present: str) -> list[tuple[str, str]]:
    """Return the usual reasons for losing a deal, and the present one."""
    usual = [_(reason) for reason in LOST_REASONS]
    return [(one, one) for one in dict.fromkeys([*usual, *([present] if present else [])])]


@blueprint.post("/deals/<int:deal_id>/stage")
@needs("deals.edit")
def step(deal_id: int) -> ResponseReturnValue:
    """Take the deal to the stage that was chosen on its page."""
    session, actor = current_session(), current_actor()
    stage_id = whole(request.form.get("stage_id"), "stage_id")
    if stage_id is None:
        raise Invalid(_("Choose a stage."), field="stage_id")
    deal = service.move_deal(session, actor, deal_id, Step(stage_id, version=_version()))
    stage = queries.get_stage(session, actor, deal.stage_id)
    say(_("%(name)s is now in “%(stage)s”.", name=deal.title, stage=stage.name))
    return redirect(url_for("deals.show", deal_id=deal_id))


def _version() -> int | None:
    return whole(request.form.get("version"), "version")


@blueprint.post("/deals/<int:deal_id>/win")
@needs("deals.edit")
def win(deal_id: int) -> ResponseReturnValue:
    """Mark the deal as won."""
    deal = service.win_deal(current_session(), current_actor(), deal_id, version=_version())
    say(_("%(name)s is won.", name=deal.title))
    return redirect(url_for("deals.show", deal_id=deal_id))


@blueprint.post("/deals/<int:deal_id>/lose")
@needs("deals.edit")
def lose(deal_id: int) -> ResponseReturnValue:
    """Mark the deal as lost, and keep why; once more keeps a better reason."""
    reason = request.form.get("lost_reason", "")
    session, actor = current_session(), current_actor()
    deal = service.lose_deal(session, actor, deal_id, reason, version=_version())
    if request.headers.get("HX-Request"):
        stage = queries.get_stage(session, actor, deal.stage_id)
        card = cards_of([deal], {stage.id: stage})[0]
        return render_template("deals/_one_card.html", card=card), {"HX-Trigger": "sheet:close"}
    say(_("%(name)s is lost.", name=deal.title))
    return redirect(url_for("deals.show", deal_id=deal_id))


@blueprint.get("/deals/<int:deal_id>/lost")
@needs("deals.see")
def ask_reason(deal_id: int) -> ResponseReturnValue:
    """Ask, on the board, why the deal was lost."""
    deal = queries.get_deal(current_session(), current_actor(), deal_id)
    return render_template("deals/_lost.html", deal=deal, reasons=reasons(deal.lost_reason))


@blueprint.post("/deals/<int:deal_id>/reopen")
@needs("deals.edit")
def reopen(deal_id: int) -> ResponseReturnValue:
    """Take a closed deal back to the stage it came from."""
    deal = service.reopen_deal(current_session(), current_actor(), deal_id, version=_version())
    say(_("%(name)s is open again.", name=deal.title))
    return redirect(url_for("deals.show", deal_id=deal_id))


@blueprint.post("/deals/<int:deal_id>/delete")
@needs("deals.delete")
def delete(deal_id: int) -> ResponseReturnValue:
    """Put the deal into the bin, and offer to undo that."""
    deal = service.delete_deal(current_session(), current_actor(), deal_id)
    back = url_for("deals.restore", deal_id=deal_id)
    say(_("%(name)s is in the bin.", name=deal.title), undo=back)
    return redirect(url_for("deals.page"))


@blueprint.post("/deals/<int:deal_id>/restore")
@needs("deals.delete")
def restore(deal_id: int) -> ResponseReturnValue:
    """Take the deal out of the bin."""
    deal = service.restore_deal(current_session(), current_actor(), deal_id)
    say(_("%(name)s is back.", name=deal.title))
    return redirect(url_for("deals.show", deal_id=deal_id))
