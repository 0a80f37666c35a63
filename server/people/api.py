"""People over JSON."""

from dataclasses import replace

from apiflask import APIBlueprint
from flask import Response, url_for

from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import check_version, created, gone, listed, shown, told
from server.http.unit_of_work import current_session
from server.people import queries, service
from server.people.schema import (
    NewPerson,
    PersonChange,
    PersonList,
    PersonShown,
    sent,
    show_person,
)

blueprint = APIBlueprint("people_api", __name__, url_prefix="/people", tag="people")


@blueprint.get("")
@needs("people.see")
@blueprint.output(PersonList)
@blueprint.doc(description=told(queries.PEOPLE))
def list_people() -> Response:
    """List people."""
    page = queries.list_people(current_session(), current_actor(), list_query())
    return listed(page, show_person)


@blueprint.get("/bin")
@needs("people.delete")
@blueprint.output(PersonList)
@blueprint.doc(description=told(queries.PEOPLE))
def list_binned() -> Response:
    """List the people in the bin."""
    page = queries.list_binned_people(current_session(), current_actor(), list_query())
    return listed(page, show_person)


@blueprint.post("")
@needs("people.create")
@blueprint.input(NewPerson)
@blueprint.output(PersonShown, status_code=201)
def create_person(json_data: NewPerson) -> Response:
    """Write down a person."""
    person = service.create_person(current_session(), current_actor(), json_data.draft())
    address = url_for("people_api.get_person", person_id=person.id)
    return created(show_person(person), address, version=person.version)


@blueprint.get("/<int:person_id>")
@needs("people.see")
@blueprint.output(PersonShown)
def get_person(person_id: int) -> Response:
    """Return one person."""
    person = queries.get_person(current_session(), current_actor(), person_id)
    return shown(show_person(person), version=person.version)


@blueprint.patch("/<int:person_id>")
@needs("people.edit")
@blueprint.input(PersonChange)
@blueprint.output(PersonShown)
def change_person(person_id: int, json_data: PersonChange) -> Response:
    """Change a person."""
    session, actor = current_session(), current_actor()
    person = queries.get_person(session, actor, person_id)
    check_version(person.version, lambda: show_person(person))
    draft = replace(service.draft_of(person), **sent(json_data))
    changed = service.change_person(session, actor, person_id, draft)
    return shown(show_person(changed), version=changed.version)


@blueprint.delete("/<int:person_id>")
@needs("people.delete")
@blueprint.output({}, status_code=204)
def delete_person(person_id: int) -> Response:
    """Put a person into the bin, from where it can be restored for 30 days."""
    service.delete_person(current_session(), current_actor(), person_id)
    return gone()


@blueprint.post("/<int:person_id>/restore")
@needs("people.delete")
@blueprint.output(PersonShown)
def restore_person(person_id: int) -> Response:
    """Take a person out of the bin."""
    person = service.restore_person(current_session(), current_actor(), person_id)
    return shown(show_person(person), version=person.version)
