"""Companies over JSON."""

from dataclasses import replace

from apiflask import APIBlueprint
from flask import Response, url_for

from server.companies import queries, service
from server.companies.schema import (
    CompanyChange,
    CompanyList,
    CompanyShown,
    NewCompany,
    sent,
    show_company,
)
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import check_version, created, gone, listed, shown, told
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("companies_api", __name__, url_prefix="/companies", tag="companies")


@blueprint.get("")
@needs("companies.see")
@blueprint.output(CompanyList)
@blueprint.doc(description=told(queries.COMPANIES))
def list_companies() -> Response:
    """List companies."""
    page = queries.list_companies(current_session(), current_actor(), list_query())
    return listed(page, show_company)


@blueprint.get("/bin")
@needs("companies.delete")
@blueprint.output(CompanyList)
@blueprint.doc(description=told(queries.COMPANIES))
def list_binned() -> Response:
    """List the companies in the bin."""
    page = queries.list_binned_companies(current_session(), current_actor(), list_query())
    return listed(page, show_company)


@blueprint.post("")
@needs("companies.create")
@blueprint.input(NewCompany)
@blueprint.output(CompanyShown, status_code=201)
def create_company(json_data: NewCompany) -> Response:
    """Write down a company."""
    company = service.create_company(current_session(), current_actor(), json_data.draft())
    address = url_for("companies_api.get_company", company_id=company.id)
    return created(show_company(company), address, version=company.version)


@blueprint.get("/<int:company_id>")
@needs("companies.see")
@blueprint.output(CompanyShown)
def get_company(company_id: int) -> Response:
    """Return one company."""
    company = queries.get_company(current_session(), current_actor(), company_id)
    return shown(show_company(company), version=company.version)


@blueprint.patch("/<int:company_id>")
@needs("companies.edit")
@blueprint.input(CompanyChange)
@blueprint.output(CompanyShown)
def change_company(company_id: int, json_data: CompanyChange) -> Response:
    """Change a company."""
    session, actor = current_session(), current_actor()
    company = queries.get_company(session, actor, company_id)
    check_version(company.version, lambda: show_company(company))
    draft = replace(service.draft_of(company), **sent(json_data))
    changed = service.change_company(session, actor, company_id, draft)
    return shown(show_company(changed), version=changed.version)


@blueprint.delete("/<int:company_id>")
@needs("companies.delete")
@blueprint.output({}, status_code=204)
def delete_company(company_id: int) -> Response:
    """Put a company into the bin, from where it can be restored for 30 days."""
    service.delete_company(current_session(), current_actor(), company_id)
    return gone()


@blueprint.post("/<int:company_id>/restore")
@needs("companies.delete")
@blueprint.output(CompanyShown)
def restore_company(company_id: int) -> Response:
    """Take a company out of the bin."""
    company = service.restore_company(current_session(), current_actor(), company_id)
    return shown(show_company(company), version=company.version)
