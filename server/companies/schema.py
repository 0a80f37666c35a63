"""JSON shapes of companies."""

from typing import Annotated, Any

from pydantic import Field

from server.companies.models import Company
from server.companies.rules import FIRST_YEAR, MAX_EMPLOYEES, MAX_NAME, MAX_REVENUE, CompanyDraft
from server.core.clock import rfc3339
from server.http.rest import (
    Body,
    Emails,
    Line,
    ListShown,
    Paragraphs,
    Phones,
    RecordId,
    Shown,
    Whole,
)

Word = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class CompanyChange(Body):
    """What to change; members left out stay as they are. Amounts are minor units of their currency."""

    name: Name = ""
    industry: Word = ""
    website: Annotated[str, Field(max_length=500)] = ""
    emails: Emails = Field(default=[])
    phones: Phones = Field(default=[])
    address: Annotated[str, Field(max_length=1_000)] = ""
    city: Word = ""
    country: Word = ""
    founded_year: Annotated[Whole, Field(ge=FIRST_YEAR)] | None = None
    annual_revenue: Annotated[Whole, Field(ge=0, le=MAX_REVENUE)] | None = None
    revenue_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    employees: Annotated[Whole, Field(ge=0, le=MAX_EMPLOYEES)] | None = None
    parent_company_id: RecordId | None = None
    owner_id: RecordId | None = None
    external_source: Word = ""
    external_id: Line | None = None
    notes: Paragraphs = ""


class NewCompany(CompanyChange):
    """A company to write down."""

    name: Name

    def draft(self) -> CompanyDraft:
        """Return the body as the service takes it."""
        return CompanyDraft(**sent(self))


class CompanyShown(Shown):
    """A company as the API tells it."""

    id: int
    version: int
    name: str
    industry: str
    website: str
    emails: list[str]
    phones: list[str]
    address: str
    city: str
    country: str
    founded_year: int | None
    annual_revenue: int | None
    revenue_currency: str | None
    employees: int | None
    parent_company_id: int | None
    owner_id: int | None
    external_source: str
    external_id: str | None
    notes: str
    created_at: str
    updated_at: str
    created_by_id: int | None
    deleted_at: str | None


class CompanyList(ListShown):
    """One page of companies."""

    items: list[CompanyShown]


def sent(body: CompanyChange) -> dict[str, Any]:
    """Return the members that the caller sent, as the fields of a draft."""
    lists = ("emails", "phones")
    return {name: tuple(value) if name in lists else value for name, value in body.sent().items()}


def show_company(company: Company) -> dict[str, object]:
    """Return the JSON object of a company."""
    moments = {
        "created_at": rfc3339(company.created_at),
        "updated_at": rfc3339(company.updated_at),
        "deleted_at": rfc3339(company.deleted_at) if company.deleted_at else None,
    }
    plain = {
        name: getattr(company, name) for name in CompanyShown.model_fields if name not in moments
    }
    return {**plain, **moments}
