"""Reading companies. Everybody who may see companies sees all of them; the bin is for those who fill it."""

from collections.abc import Collection, Sequence

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from server.companies.models import Company, CompanyContactKey
from server.companies.rules import name_key
from server.core import kinds
from server.core.actor import Actor
from server.core.contact_keys import contact_filters
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment
from server.core.search_index import search_in

CHUNK = 500
MAX_OPTIONS = 20
MAX_WORDS_OFFERED = 200

COMPANIES = ListSpec(
    key=Company.id,
    filters={
        "owner_id": Field(Company.owner_id, read_int),
        "industry": Field(Company.industry, operators=("eq", "ne", "in")),
        "city": Field(Company.city, operators=("eq", "ne", "in")),
        "country": Field(Company.country, operators=("eq", "ne", "in")),
        "parent_company_id": Field(Company.parent_company_id, read_int, ("eq", "in", "empty")),
        "name": Field(Company.name_key, name_key, ("eq",)),
        "external_id": Field(Company.external_id, operators=("eq", "in", "empty")),
        "external_source": Field(Company.external_source, operators=("eq", "in")),
        "created_at": Field(Company.created_at, read_moment, ("gte", "lte", "gt", "lt")),
        "updated_at": Field(Company.updated_at, read_moment, ("gte", "lte", "gt", "lt")),
    },
    conditions=contact_filters(CompanyContactKey, Company.id),
    sorts={
        "name": Field(Company.name_key),
        "industry": Field(Company.industry),
        "city": Field(Company.city),
        "country": Field(Company.country),
        "created_at": Field(Company.created_at, read_moment),
        "updated_at": Field(Company.updated_at, read_moment),
        "id": Field(Company.id, read_int),
    },
    default_sort="name",
    search=search_in(Company.search_text),
)


def visible_to(actor: Actor) -> Select[Company]:
    """Return the companies this actor may see, as a query to narrow further."""
    actor.must("companies.see")
    return select(Company).where(Company.deleted_at.is_(None))


def binned_for(actor: Actor) -> Select[Company]:
    """Return the companies in the bin, for those who may take one out."""
    actor.must("companies.delete")
    return select(Company).where(Company.deleted_at.is_not(None))


def list_companies(session: Session, actor: Actor, wish: ListQuery) -> Page[Company]:
    """Return one page of companies."""
    return page(session, visible_to(actor), COMPANIES, wish)


def list_binned_companies(session: Session, actor: Actor, wish: ListQuery) -> Page[Company]:
    """Return one page of the bin."""
    return page(session, binned_for(actor), COMPANIES, wish)


def get_company(session: Session, actor: Actor, company_id: int) -> Company:
    """Return the company, or raise NotFound."""
    company = session.scalar(visible_to(actor).where(Company.id == company_id))
    if company is None:
        raise NotFound(_("There is no company %(id)s.", id=company_id))
    return company


def get_binned_company(session: Session, actor: Actor, company_id: int) -> Company:
    """Return the company in the bin, or raise NotFound."""
    company = session.scalar(binned_for(actor).where(Company.id == company_id))
    if company is None:
        raise NotFound(_("There is no company %(id)s in the bin.", id=company_id))
    return company


def company_names(session: Session, actor: Actor, ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of those of the companies that this actor may see; one query."""
    wanted = {company_id for company_id in ids if company_id is not None}
    if not wanted or not actor.may("companies.see"):
        return {}
    query = visible_to(actor).with_only_columns(Company.id, Company.name)
    rows = session.execute(query.where(Company.id.in_(wanted)))
    return {row.id: row.name for row in rows}


kinds.register(kinds.Kind("company", mark("Company"), "/companies/{id}", company_names))


def company_options(
    session: Session, actor: Actor, q: str, limit: int = MAX_OPTIONS
) -> list[Company]:
    """Return the companies a picker offers for what was typed, those that begin with it first."""
    query = visible_to(actor)
    if not q.strip():
        return list(session.scalars(query.order_by(Company.name_key, Company.id).limit(limit)))
    begins = Company.name_key.startswith(name_key(q), autoescape=True)
    found = query.where(search_in(Company.search_text)(q))
    order = (case((begins, 0), else_=1), Company.name_key, Company.id)
    return list(session.scalars(found.order_by(*order).limit(limit)))


def similar_companies(
    session: Session, actor: Actor, name: str, *, besides: int | None = None
) -> list[Company]:
    """Return companies whose name looks the same, as a warning before a second one is written down."""
    if not name.strip():
        return []
    query = visible_to(actor).where(Company.name_key == name_key(name))
    if besides is not None:
        query = query.where(Company.id != besides)
    return list(session.scalars(query.order_by(Company.id).limit(5)))


def companies_by_name(session: Session, actor: Actor, names: Collection[str]) -> dict[str, int]:
    """Return the id of the oldest company for each of the names that is known, whatever its letters' form."""
    keys = {name_key(name) for name in names}
    known: dict[str, int] = {}
    for part in _parts(sorted(keys)):
        query = visible_to(actor).with_only_columns(Company.name_key, func.min(Company.id))
        rows = session.execute(query.where(Company.name_key.in_(part)).group_by(Company.name_key))
        known |= {row[0]: row[1] for row in rows}
    return {name: known[name_key(name)] for name in names if name_key(name) in known}


def companies_by_external_id(
    session: Session, actor: Actor, source: str, external_ids: Collection[str]
) -> dict[str, int]:
    """Return the id of each company that is known under one of these ids of the source."""
    known: dict[str, int] = {}
    for part in _parts(sorted(set(external_ids))):
        query = visible_to(actor).with_only_columns(Company.external_id, Company.id)
        query = query.where(Company.external_source == source, Company.external_id.in_(part))
        known |= {row[0]: row[1] for row in session.execute(query) if row[0] is not None}
    return known


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]


def subsidiaries_of(
    session: Session, actor: Actor, company_id: int, limit: int = 50
) -> list[Company]:
    """Return the companies that belong directly to this one, by name."""
    query = visible_to(actor).where(Company.parent_company_id == company_id)
    return list(session.scalars(query.order_by(Company.name_key, Company.id).limit(limit)))


def parents_above(session: Session, company_id: int) -> dict[int, int | None]:
    """Map the company and every company above it to its parent, those in the bin included."""
    first = select(Company.id, Company.parent_company_id).where(Company.id == company_id)
    chain = first.cte("chain", recursive=True)
    above = select(Company.id, Company.parent_company_id).where(
        Company.id == chain.c.parent_company_id
    )
    rows = session.execute(select(chain.union(above)))
    return {row.id: row.parent_company_id for row in rows}


def industries(session: Session, actor: Actor) -> list[str]:
    """Return the industries in use, for filters and suggestions."""
    query = visible_to(actor).with_only_columns(Company.industry).where(Company.industry != "")
    return list(
        session.scalars(query.distinct().order_by(Company.industry).limit(MAX_WORDS_OFFERED))
    )


def cities(session: Session, actor: Actor) -> list[str]:
    """Return the cities in use, for filters and suggestions."""
    query = visible_to(actor).with_only_columns(Company.city).where(Company.city != "")
    return list(session.scalars(query.distinct().order_by(Company.city).limit(MAX_WORDS_OFFERED)))


def countries(session: Session, actor: Actor) -> list[str]:
    """Return the countries in use, for filters and suggestions."""
    query = visible_to(actor).with_only_columns(Company.country).where(Company.country != "")
    return list(
        session.scalars(query.distinct().order_by(Company.country).limit(MAX_WORDS_OFFERED))
    )
