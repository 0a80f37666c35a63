"""Pages of people: the list, one record, its form, the bin, and what pickers ask."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.panel import timeline_panel
from client_web.choices import colleagues
from client_web.deals.panel import deals_panel
from client_web.history import history_panel
from client_web.people.forms import PersonForm, form_of
from client_web.reading import NEW, address_now, lines, page_address, put_back, say, whole
from server.audit.queries import history_of
from server.companies.queries import companies_by_name, company_names
from server.companies.rules import CompanyDraft
from server.companies.service import create_company
from server.core.contact import clean_emails, clean_phones, readable_phone
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.core.text import small_number
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.people import queries, service
from server.people.rules import PersonDraft, full_name
from server.users.queries import names_of

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.core.listing import Page
    from server.people.models import Person

blueprint = Blueprint("people", __name__)


@dataclass(frozen=True)
class Trouble:
    """Why a form is shown again: a sentence, what belongs to no field, and whose change came first."""

    message: str
    elsewhere: tuple[Any, ...] = ()
    other: Any = None


@blueprint.get("/people")
@needs("people.see")
def page() -> ResponseReturnValue:
    """List the people."""
    found = queries.list_people(current_session(), current_actor(), list_query())
    return _list(found, in_bin=False)


@blueprint.get("/people/bin")
@needs("people.delete")
def binned() -> ResponseReturnValue:
    """List the people in the bin."""
    found = queries.list_binned_people(current_session(), current_actor(), list_query())
    return _list(found, in_bin=True)


def _list(found: "Page[Person]", *, in_bin: bool) -> str:
    session, actor, wish = current_session(), current_actor(), list_query()
    path = url_for("people.binned" if in_bin else "people.page")
    wanted = request.args.get("filter[company_id]", type=int)
    companies = [wanted, *(person.company_id for person in found.items)]
    return render_template(
        "people/list.html",
        found=found,
        in_bin=in_bin,
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or queries.PEOPLE.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        owner_names=names_of(session, [person.owner_id for person in found.items]),
        company_names=company_names(session, actor, companies),
        company_id=wanted,
        owners=colleagues(),
        phone=readable_phone,
    )


@blueprint.get("/people/options")
@needs("people.see")
def options() -> ResponseReturnValue:
    """Answer a picker: the people that fit what was typed."""
    session, actor = current_session(), current_actor()
    found = queries.person_options(session, actor, request.args.get("q", "")[:200])
    companies = company_names(session, actor, [one.company_id for one in found])
    return jsonify(
        [
            {
                "value": str(one.id),
                "text": one.display_name,
                "hint": companies.get(one.company_id or 0) or one.job_title,
            }
            for one in found
        ]
    )


@blueprint.get("/people/similar")
@needs("people.see")
def similar() -> ResponseReturnValue:
    """Warn in the form when somebody with this name, address or number is written down already."""
    asked = request.args
    name = asked.get("display_name", "") or full_name(
        asked.get("first_name", "").strip(), asked.get("last_name", "").strip()
    )
    found = queries.similar_people(
        current_session(),
        current_actor(),
        name=name[:200],
        emails=_readable(lines(asked.get("emails", "")), clean_emails),
        phones=_readable(lines(asked.get("phones", "")), clean_phones),
        besides=asked.get("besides", type=int),
    )
    companies = company_names(current_session(), current_actor(), [one.company_id for one in found])
    return render_template("people/_similar.html", found=found, companies=companies)


def _readable(texts: tuple[str, ...], clean: Any) -> tuple[str, ...]:
    """Return those that can be read; saving refuses the others, looking around does not."""
    found: list[str] = []
    for text in texts[:20]:
        try:
            found += clean([text])
        except Invalid:
            continue
    return tuple(found)


@blueprint.get("/people/new")
@needs("people.create")
def new() -> ResponseReturnValue:
    """Show the form for a new person."""
    draft = PersonDraft(
        last_name=request.args.get("name", ""),
        company_id=request.args.get("company_id", type=int),
        owner_id=current_actor().user_id,
    )
    return _form(form_of(draft, None), None)


@blueprint.post("/people/new")
@needs("people.create")
def create() -> ResponseReturnValue:
    """Write the person down, or show the form again with what does not fit."""
    form = PersonForm()
    try:
        draft = form.draft(PersonDraft(), _company_of)
        person = service.create_person(current_session(), current_actor(), draft)
    except DaftarError as refusal:
        elsewhere, status = put_back(form, refusal)
        return _form(form, None, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("%(name)s is written down.", name=person.display_name))
    return redirect(url_for("people.show", person_id=person.id))


def _company_of(text: str) -> int | None:
    """Return the id of the company that was chosen, writing down one that was only typed."""
    session, actor = current_session(), current_actor()
    if not text.startswith(NEW):
        return whole(text, "company_id")
    name = text.removeprefix(NEW).strip()
    known = companies_by_name(session, actor, [name]).get(name)
    if known is not None:
        return known
    try:
        made = create_company(session, actor, CompanyDraft(name=name, owner_id=actor.user_id))
    except Invalid as refusal:
        raise Invalid(refusal.message, field="company_id") from refusal
    return made.id


@blueprint.get("/people/<int:person_id>")
@needs("people.see")
def show(person_id: int) -> ResponseReturnValue:
    """Show one person with everything that belongs to them."""
    person = queries.get_person(current_session(), current_actor(), person_id)
    return render_template("people/show.html", person=person, **_panels(person))


def _panels(person: "Person") -> dict[str, Any]:
    """Return what the panels of the record page show; a new panel adds its data here."""
    session, actor = current_session(), current_actor()
    companies = company_names(session, actor, [person.company_id])
    return {
        "company_name": companies.get(person.company_id or 0),
        "owner": names_of(session, [person.owner_id]).get(person.owner_id or 0),
        "phone": readable_phone,
        **deals_panel("person", person.id),
        **timeline_panel("person", person.id),
        **history_panel("person", person.id),
    }


@blueprint.get("/people/<int:person_id>/edit")
@needs("people.edit")
def edit(person_id: int) -> ResponseReturnValue:
    """Show the form of a person."""
    person = queries.get_person(current_session(), current_actor(), person_id)
    return _form(form_of(service.draft_of(person), person.version), person)


@blueprint.post("/people/<int:person_id>/edit")
@needs("people.edit")
def change(person_id: int) -> ResponseReturnValue:
    """Change the person, unless somebody else did so since the form was opened."""
    session, actor = current_session(), current_actor()
    person = queries.get_person(session, actor, person_id)
    form = PersonForm()
    if form.version.data != str(person.version):
        return _somebody_was_faster(form, person), 412
    before = service.draft_of(person)
    try:
        service.change_person(session, actor, person_id, form.draft(before, _company_of))
    except DaftarError as refusal:
        session.refresh(person)
        elsewhere, status = put_back(form, refusal)
        return _form(form, person, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("The changes are saved."))
    return redirect(url_for("people.show", person_id=person_id))


def _somebody_was_faster(form: PersonForm, person: "Person") -> str:
    """Show what was typed again, beside who changed what; saving once more then overwrites it knowingly."""
    history = history_of(current_session(), "person", person.id, limit=1)
    form.version.data = form.version.raw_data = None
    form.version.process_data(person.version)
    message = _(
        "Somebody else changed this person while you were writing. What you typed is still here. "
        "Compare it with the present state, then save again."
    )
    return _form(form, person, Trouble(message, other=history[0] if history else None))


def _form(form: PersonForm, person: "Person | None", trouble: Trouble | None = None) -> str:
    return render_template(
        "people/form.html",
        form=form,
        person=person,
        trouble=trouble,
        owners=colleagues(form.owner_id.data),
        companies=_chosen_company(str(form.company_id.data or "")),
    )


def _chosen_company(text: str) -> list[tuple[str, str]]:
    """Return the company that the form has now as a choice, so that it is shown by its name."""
    if text.startswith(NEW):
        return [(text, text.removeprefix(NEW))]
    names = company_names(current_session(), current_actor(), [small_number(text)])
    return [(str(company_id), name) for company_id, name in names.items()]


@blueprint.post("/people/<int:person_id>/delete")
@needs("people.delete")
def delete(person_id: int) -> ResponseReturnValue:
    """Put the person into the bin, and offer to undo that."""
    person = service.delete_person(current_session(), current_actor(), person_id)
    back = url_for("people.restore", person_id=person_id)
    say(_("%(name)s is in the bin.", name=person.display_name), undo=back)
    return redirect(url_for("people.page"))


@blueprint.post("/people/<int:person_id>/restore")
@needs("people.delete")
def restore(person_id: int) -> ResponseReturnValue:
    """Take the person out of the bin."""
    person = service.restore_person(current_session(), current_actor(), person_id)
    say(_("%(name)s is back.", name=person.display_name))
    return redirect(url_for("people.show", person_id=person_id))
