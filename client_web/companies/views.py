"""Pages of companies: the list, one record, its form, the bin, and what pickers ask."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.panel import timeline_panel
from client_web.choices import colleagues, words
from client_web.companies.forms import CompanyForm, form_of
from client_web.deals.panel import deals_panel
from client_web.history import history_panel
from client_web.money import currency_choices
from client_web.reading import address_now, page_address, put_back, say
from server.audit.queries import history_of
from server.companies import queries, service
from server.companies.rules import CompanyDraft
from server.core.contact import readable_phone
from server.core.errors import DaftarError
from server.core.i18n import current_locale
from server.core.i18n import gettext as _
from server.core.text import persian_digits, small_number
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.people.queries import people_of_company
from server.users.queries import names_of

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.companies.models import Company
    from server.core.listing import Page

blueprint = Blueprint("companies", __name__)


@dataclass(frozen=True)
class Trouble:
    """Why a form is shown again: a sentence, what belongs to no field, and whose change came first."""

    message: str
    elsewhere: tuple[Any, ...] = ()
    other: Any = None


def _currency() -> str:
    return str(current_app.extensions["daftar.settings"].organization.currency)


@blueprint.get("/companies")
@needs("companies.see")
def page() -> ResponseReturnValue:
    """List the companies."""
    session, actor = current_session(), current_actor()
    found = queries.list_companies(session, actor, list_query())
    return _list(found, in_bin=False)


@blueprint.get("/companies/bin")
@needs("companies.delete")
def binned() -> ResponseReturnValue:
    """List the companies in the bin."""
    session, actor = current_session(), current_actor()
    found = queries.list_binned_companies(session, actor, list_query())
    return _list(found, in_bin=True)


def _list(found: "Page[Company]", *, in_bin: bool) -> str:
    session, actor, wish = current_session(), current_actor(), list_query()
    path = url_for("companies.binned" if in_bin else "companies.page")
    return render_template(
        "companies/list.html",
        found=found,
        in_bin=in_bin,
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or queries.COMPANIES.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        owner_names=names_of(session, [company.owner_id for company in found.items]),
        owners=colleagues(),
        industries=words(queries.industries(session, actor)),
        cities=words(queries.cities(session, actor)),
        phone=readable_phone,
    )


@blueprint.get("/companies/options")
@needs("companies.see")
def options() -> ResponseReturnValue:
    """Answer a picker: the companies that fit what was typed."""
    found = queries.company_options(
        current_session(), current_actor(), request.args.get("q", "")[:200]
    )
    return jsonify(
        [
            {"value": str(one.id), "text": one.name, "hint": one.city or one.industry}
            for one in found
        ]
    )


@blueprint.get("/companies/similar")
@needs("companies.see")
def similar() -> ResponseReturnValue:
    """Warn in the form when a company of this name exists already."""
    besides = request.args.get("besides", type=int)
    name = request.args.get("name", "")[:200]
    found = queries.similar_companies(current_session(), current_actor(), name, besides=besides)
    return render_template("companies/_similar.html", found=found)


@blueprint.get("/companies/new")
@needs("companies.create")
def new() -> ResponseReturnValue:
    """Show the form for a new company."""
    draft = CompanyDraft(
        name=request.args.get("name", ""),
        owner_id=current_actor().user_id,
        parent_company_id=request.args.get("parent_company_id", type=int),
    )
    return _form(form_of(draft, None, _currency()), None)


@blueprint.post("/companies/new")
@needs("companies.create")
def create() -> ResponseReturnValue:
    """Write the company down, or show the form again with what does not fit."""
    form = CompanyForm()
    try:
        draft = form.draft(CompanyDraft(name=""))
        company = service.create_company(current_session(), current_actor(), draft)
    except DaftarError as refusal:
        elsewhere, status = put_back(form, refusal)
        return _form(form, None, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("%(name)s is written down.", name=company.name))
    return redirect(url_for("companies.show", company_id=company.id))


@blueprint.get("/companies/<int:company_id>")
@needs("companies.see")
def show(company_id: int) -> ResponseReturnValue:
    """Show one company with everything that belongs to it."""
    company = queries.get_company(current_session(), current_actor(), company_id)
    return render_template("companies/show.html", company=company, **_panels(company))


def _panels(company: "Company") -> dict[str, Any]:
    """Return what the panels of the record page show; a new panel adds its data here."""
    session, actor = current_session(), current_actor()
    parents = queries.company_names(session, actor, [company.parent_company_id])
    return {
        "parent": parents.get(company.parent_company_id or 0),
        "owner": names_of(session, [company.owner_id]).get(company.owner_id or 0),
        "people": people_of_company(session, actor, company.id) if actor.may("people.see") else [],
        "subsidiaries": queries.subsidiaries_of(session, actor, company.id),
        "founded": _year(company.founded_year),
        "phone": readable_phone,
        **deals_panel("company", company.id),
        **timeline_panel("company", company.id),
        **history_panel("company", company.id, currency=company.revenue_currency or ""),
    }


def _year(year: int | None) -> str:
    """Return a year in the reader's digits, without the separators of a number."""
    text = str(year or "")
    return persian_digits(text) if current_locale() == "fa" else text


@blueprint.get("/companies/<int:company_id>/edit")
@needs("companies.edit")
def edit(company_id: int) -> ResponseReturnValue:
    """Show the form of a company."""
    company = queries.get_company(current_session(), current_actor(), company_id)
    return _form(form_of(service.draft_of(company), company.version, _currency()), company)


@blueprint.post("/companies/<int:company_id>/edit")
@needs("companies.edit")
def change(company_id: int) -> ResponseReturnValue:
    """Change the company, unless somebody else did so since the form was opened."""
    session, actor = current_session(), current_actor()
    company = queries.get_company(session, actor, company_id)
    form = CompanyForm()
    if form.version.data != str(company.version):
        return _somebody_was_faster(form, company), 412
    before = service.draft_of(company)
    try:
        service.change_company(session, actor, company_id, form.draft(before))
    except DaftarError as refusal:
        session.refresh(company)
        elsewhere, status = put_back(form, refusal)
        return _form(form, company, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("The changes are saved."))
    return redirect(url_for("companies.show", company_id=company_id))


def _somebody_was_faster(form: CompanyForm, company: "Company") -> str:
    """Show what was typed again, beside who changed what; saving once more then overwrites it knowingly."""
    history = history_of(current_session(), "company", company.id, limit=1)
    form.version.data = form.version.raw_data = None
    form.version.process_data(company.version)
    message = _(
        "Somebody else changed this company while you were writing. What you typed is still here. "
        "Compare it with the present state, then save again."
    )
    return _form(form, company, Trouble(message, other=history[0] if history else None))


def _form(form: CompanyForm, company: "Company | None", trouble: Trouble | None = None) -> str:
    session, actor = current_session(), current_actor()
    parent_id = small_number(form.parent_company_id.data)
    return render_template(
        "companies/form.html",
        form=form,
        company=company,
        trouble=trouble,
        owners=colleagues(form.owner_id.data),
        parents=list(queries.company_names(session, actor, [parent_id]).items()),
        industries=words(queries.industries(session, actor), form.industry.data),
        cities=words(queries.cities(session, actor), form.city.data),
        countries=words(queries.countries(session, actor), form.country.data),
        currencies=currency_choices(_currency(), form.revenue_currency.data),
    )


@blueprint.post("/companies/<int:company_id>/delete")
@needs("companies.delete")
def delete(company_id: int) -> ResponseReturnValue:
    """Put the company into the bin, and offer to undo that."""
    company = service.delete_company(current_session(), current_actor(), company_id)
    back = url_for("companies.restore", company_id=company_id)
    say(_("%(name)s is in the bin.", name=company.name), undo=back)
    return redirect(url_for("companies.page"))


@blueprint.post("/companies/<int:company_id>/restore")
@needs("companies.delete")
def restore(company_id: int) -> ResponseReturnValue:
    """Take the company out of the bin."""
    company = service.restore_company(current_session(), current_actor(), company_id)
    say(_("%(name)s is back.", name=company.name))
    return redirect(url_for("companies.show", company_id=company_id))
