"""Writing down a deal and changing it: the form, and who was faster."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.choices import colleagues, words
from client_web.deals.forms import DealForm, form_of
from client_web.deals.frame import blueprint, home_currency
from client_web.deals.views import reasons, stage_choices
from client_web.money import currency_choices, kept_currency, typed_currency
from client_web.reading import put_back, say, whole
from server.audit.queries import history_of
from server.companies.queries import company_names
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.deals import queries, service
from server.deals.rules import DealDraft, DealStatus
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session
from server.people.queries import get_person, person_names

if TYPE_CHECKING:
    from server.deals.models import Deal


@dataclass(frozen=True)
class Trouble:
    """Why a form is shown again: a sentence, what belongs to no field, and whose change came first."""

    message: str
    elsewhere: tuple[Any, ...] = ()
    other: Any = None


@blueprint.get("/deals/new")
@needs("deals.create")
def new() -> ResponseReturnValue:
    """Show the form for a new deal; the address may name its company, person and stage."""
    session, actor = current_session(), current_actor()
    draft = DealDraft(
        title=request.args.get("title", ""),
        currency=home_currency(),
        company_id=_asked("company_id"),
        stage_id=_asked("stage_id"),
        owner_id=actor.user_id,
    )
    person_id = _asked("person_id")
    if person_id is not None:
        person = get_person(session, actor, person_id)
        company_id = draft.company_id or person.company_id
        draft = replace(draft, person_ids=(person_id,), company_id=company_id)
    return _form(form_of(draft, None, home_currency()), None)


def _asked(name: str) -> int | None:
    return whole(request.args.get(name), name)


@blueprint.post("/deals/new")
@needs("deals.create")
def create() -> ResponseReturnValue:
    """Write the deal down, or show the form again with what does not fit."""
    form = DealForm()
    try:
        draft = form.draft(DealDraft(title="", currency=""))
        deal = service.create_deal(current_session(), current_actor(), draft)
    except DaftarError as refusal:
        elsewhere, status = put_back(form, refusal)
        return _form(form, None, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("%(name)s is written down.", name=deal.title))
    return redirect(url_for("deals.show", deal_id=deal.id))


@blueprint.get("/deals/<int:deal_id>/edit")
@needs("deals.edit")
def edit(deal_id: int) -> ResponseReturnValue:
    """Show the form of a deal."""
    session = current_session()
    deal = queries.get_deal(session, current_actor(), deal_id)
    return _form(form_of(_shown(deal), deal.version, deal.currency), deal)


def _shown(deal: "Deal") -> DealDraft:
    """Return the draft of a deal as its form shows it: the probability only where it is its own."""
    session, actor = current_session(), current_actor()
    draft = service.draft_of(session, deal)
    usual = queries.get_stage(session, actor, deal.stage_id).probability
    own = deal.status is DealStatus.OPEN and draft.probability != usual
    return draft if own else replace(draft, probability=None)


@blueprint.post("/deals/<int:deal_id>/edit")
@needs("deals.edit")
def change(deal_id: int) -> ResponseReturnValue:
    """Change the deal, unless somebody else did so since the form was opened."""
    session, actor = current_session(), current_actor()
    deal = queries.get_deal(session, actor, deal_id)
    form = DealForm()
    if form.version.data != str(deal.version):
        return _somebody_was_faster(form, deal), 412
    before = service.draft_of(session, deal)
    try:
        draft = _with_hidden_people(_with_probability(form.draft(before)), before)
        service.change_deal(session, actor, deal_id, draft)
    except DaftarError as refusal:
        session.refresh(deal)
        elsewhere, status = put_back(form, refusal)
        return _form(form, deal, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("The changes are saved."))
    return redirect(url_for("deals.show", deal_id=deal_id))


def _with_probability(draft: DealDraft) -> DealDraft:
    """Return the draft with the probability of its stage where the form left it empty."""
    if draft.probability is not None or draft.stage_id is None:
        return draft
    stage = queries.stage_or_none(current_session(), current_actor(), draft.stage_id)
    return draft if stage is None else replace(draft, probability=stage.probability)


def _with_hidden_people(draft: DealDraft, before: DealDraft) -> DealDraft:
    """Return the draft with the people that the form did not show, such as one in the bin."""
    shown = person_names(current_session(), current_actor(), before.person_ids)
    hidden = tuple(person_id for person_id in before.person_ids if person_id not in shown)
    return replace(draft, person_ids=(*draft.person_ids, *hidden))


def _somebody_was_faster(form: DealForm, deal: "Deal") -> str:
    """Show what was typed again, beside who changed what; saving once more then overwrites it knowingly."""
    history = history_of(current_session(), "deal", deal.id, limit=1)
    form.version.data = form.version.raw_data = None
    form.version.process_data(deal.version)
    message = _(
        "Somebody else changed this deal while you were writing. What you typed is still here. "
        "Compare it with the present state, then save again."
    )
    return _form(form, deal, Trouble(message, other=history[0] if history else None))


def _form(form: DealForm, deal: "Deal | None", trouble: Trouble | None = None) -> str:
    session, actor = current_session(), current_actor()
    people = [_id(text) for text in form.person_ids.data or []]
    company_id = _id(form.company_id.data)
    home = home_currency()
    code = form.currency.data or typed_currency(home)
    return render_template(
        "deals/form.html",
        form=form,
        deal=deal,
        trouble=trouble,
        owners=colleagues(form.owner_id.data),
        companies=list(company_names(session, actor, [company_id]).items()),
        people=list(person_names(session, actor, people).items()),
        stages=stage_choices(queries.all_stages(session, actor)),
        products=words(queries.products(session, actor), form.product.data),
        reasons=reasons(form.lost_reason.data or ""),
        currency=code,
        currencies=currency_choices(home, kept_currency(code)),
        closed=deal is not None and deal.status is not DealStatus.OPEN,
        lost=deal is not None and deal.status is DealStatus.LOST,
    )


def _id(text: object) -> int | None:
    try:
        return whole(str(text or ""), "")
    except Invalid:
        return None
