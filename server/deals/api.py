"""Deals over JSON. Pipelines and stages: pipelines_api.py."""

from dataclasses import replace

from apiflask import APIBlueprint
from flask import Response, current_app, url_for

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.listing import Page
from server.deals import queries, service
from server.deals.models import Deal
from server.deals.rules import DealDraft, DealStatus
from server.deals.schema import DealChange, DealList, DealShown, NewDeal, sent, show_deal
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import check_version, created, gone, listed, shown, told
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("deals_api", __name__, url_prefix="/deals", tag="deals")


def _show(deal: Deal) -> dict[str, object]:
    return show_deal(deal, queries.people_of(current_session(), [deal.id])[deal.id])


def _listed(page: Page[Deal]) -> Response:
    people = queries.people_of(current_session(), [deal.id for deal in page.items])
    return listed(page, lambda deal: show_deal(deal, people[deal.id]))


@blueprint.get("")
@needs("deals.see")
@blueprint.output(DealList)
@blueprint.doc(description=told(queries.DEALS))
def list_deals() -> Response:
    """List deals."""
    return _listed(queries.list_deals(current_session(), current_actor(), list_query()))


@blueprint.get("/bin")
@needs("deals.delete")
@blueprint.output(DealList)
@blueprint.doc(description=told(queries.DEALS))
def list_binned() -> Response:
    """List the deals in the bin."""
    return _listed(queries.list_binned_deals(current_session(), current_actor(), list_query()))


@blueprint.post("")
@needs("deals.create")
@blueprint.input(NewDeal)
@blueprint.output(DealShown, status_code=201)
def create_deal(json_data: NewDeal) -> Response:
    """Write down a deal."""
    currency = current_app.extensions["daftar.settings"].organization.currency
    draft = _with_status(json_data, json_data.draft(currency), None)
    deal = service.create_deal(current_session(), current_actor(), draft)
    address = url_for("deals_api.get_deal", deal_id=deal.id)
    return created(_show(deal), address, version=deal.version)


@blueprint.get("/<int:deal_id>")
@needs("deals.see")
@blueprint.output(DealShown)
def get_deal(deal_id: int) -> Response:
    """Return one deal."""
    deal = queries.get_deal(current_session(), current_actor(), deal_id)
    return shown(_show(deal), version=deal.version)


@blueprint.patch("/<int:deal_id>")
@needs("deals.edit")
@blueprint.input(DealChange)
@blueprint.output(DealShown)
def change_deal(deal_id: int, json_data: DealChange) -> Response:
    """Change a deal, its stage included."""
    session, actor = current_session(), current_actor()
    deal = queries.get_deal(session, actor, deal_id)
    check_version(deal.version, lambda: _show(deal))
    members = sent(json_data)
    # A stage brings its pipeline along, and a new pipeline begins at its first stage.
    if "stage_id" in members:
        members.setdefault("pipeline_id", None)
    elif "pipeline_id" in members:
        members["stage_id"] = None
    if "probability" not in members:
        members["probability"] = None
    draft = replace(service.draft_of(session, deal), **members)  # type: ignore[arg-type] # the body's types
    changed = service.change_deal(session, actor, deal_id, _with_status(json_data, draft, deal))
    return shown(_show(changed), version=changed.version)


@blueprint.delete("/<int:deal_id>")
@needs("deals.delete")
@blueprint.output({}, status_code=204)
def delete_deal(deal_id: int) -> Response:
    """Put a deal into the bin, from where it can be restored for 30 days."""
    service.delete_deal(current_session(), current_actor(), deal_id)
    return gone()


@blueprint.post("/<int:deal_id>/restore")
@needs("deals.delete")
@blueprint.output(DealShown)
def restore_deal(deal_id: int) -> Response:
    """Take a deal out of the bin."""
    deal = service.restore_deal(current_session(), current_actor(), deal_id)
    return shown(_show(deal), version=deal.version)


def _with_status(body: DealChange, draft: DealDraft, deal: Deal | None) -> DealDraft:
    """Return the draft with the stage that the wanted status means, when the caller sent one."""
    wanted = body.status
    if wanted is None:
        return draft
    session, actor = current_session(), current_actor()
    if body.stage_id is not None:
        _check_agreement(body.stage_id, wanted)
        return draft
    if deal is not None and deal.status is wanted and draft.stage_id is not None:
        return draft
    home = service.pipeline_of(session, actor, draft)
    stage = service.stage_for_status(session, actor, home, wanted)
    return replace(draft, pipeline_id=home, stage_id=stage.id)


def _check_agreement(stage_id: int, wanted: DealStatus) -> None:
    stage = queries.stage_or_none(current_session(), current_actor(), stage_id)
    if stage is not None and stage.type.value != wanted.value:
        raise Invalid(
            _(
                "In the stage “%(stage)s” a deal cannot be “%(status)s”. Send one of the two.",
                stage=stage.name,
                status=wanted.value,
            ),
            field="status",
        )
