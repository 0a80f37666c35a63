"""Companies: what can be written down about one, and what makes sense."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from babel.numbers import is_currency

from server.core.checklist import LONG_TEXT, Checklist, clean_line, clean_text, needed
from server.core.contact import clean_emails, clean_phones, clean_website
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.numbers import digits, number
from server.core.text import fold

MAX_NAME = 200
MAX_EMPLOYEES = 100_000_000
MAX_REVENUE = 2**53 - 1
FIRST_YEAR = 500


@dataclass(frozen=True)
class CompanyDraft:
    """A company as someone wrote it down. Amounts are minor units of their currency."""

    name: str
    industry: str = ""
    website: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    address: str = ""
    city: str = ""
    country: str = ""
    founded_year: int | None = None
    annual_revenue: int | None = None
    revenue_currency: str | None = None
    employees: int | None = None
    parent_company_id: int | None = None
    owner_id: int | None = None
    external_source: str = ""
    external_id: str | None = None
    notes: str = ""


def name_key(name: str) -> str:
    """Return the form of a name by which two companies look the same.

    Letters, digits, accents and case are folded, and half-spaces and spaces make no difference.
    """
    return fold(name).replace(" ", "") or name.strip().casefold()


def checked(draft: CompanyDraft, this_year: int) -> CompanyDraft:
    """Return the draft in the form it is kept in, or raise Invalid with every field that does not fit."""
    checks = Checklist()
    nobody = _("A company needs a name.")
    name = checks.take("", clean_line, draft.name, "name", MAX_NAME)
    if not checks.errors:
        checks.take("", needed, name, "name", nobody)
    external_id = checks.take("", clean_line, draft.external_id or "", "external_id")
    clean = replace(
        draft,
        name=name,
        industry=checks.take("", clean_line, draft.industry, "industry", 100),
        website=checks.take("", clean_website, draft.website),
        emails=checks.take((), clean_emails, draft.emails),
        phones=checks.take((), clean_phones, draft.phones),
        address=checks.take("", clean_text, draft.address, "address", 1_000),
        city=checks.take("", clean_line, draft.city, "city", 100),
        country=checks.take("", clean_line, draft.country, "country", 100),
        external_source=checks.take("", clean_line, draft.external_source, "external_source", 100),
        external_id=external_id or None,
        notes=checks.take("", clean_text, draft.notes, "notes", LONG_TEXT),
        revenue_currency=checks.take(None, _currency, draft),
    )
    _check_numbers(checks, draft, this_year)
    checks.finish()
    return clean


def _currency(draft: CompanyDraft) -> str | None:
    if draft.annual_revenue is None:
        return None
    code = (draft.revenue_currency or "").strip().upper()
    if not is_currency(code):
        raise Invalid(
            _(
                "“%(code)s” is no currency. Give the annual revenue a code such as IRR or USD.",
                code=code,
            ),
            field="revenue_currency",
        )
    return code


def _check_numbers(checks: Checklist, draft: CompanyDraft, this_year: int) -> None:
    limits = (
        ("founded_year", draft.founded_year, FIRST_YEAR, this_year),
        ("annual_revenue", draft.annual_revenue, 0, MAX_REVENUE),
        ("employees", draft.employees, 0, MAX_EMPLOYEES),
    )
    for field, value, least, most in limits:
        if value is not None and not least <= value <= most:
            checks.refuse(
                field,
                _(
                    "This number lies between %(least)s and %(most)s.",
                    least=_shown(field, least),
                    most=_shown(field, most),
                ),
                "out_of_range",
            )


def _shown(field: str, value: int) -> str:
    """Return a limit as the reader writes it; years are not grouped."""
    return digits(str(value)) if field == "founded_year" else number(value)


def check_parent(company_id: int, parent_id: int | None, parents: Mapping[int, int | None]) -> None:
    """Raise Invalid when the parent is the company itself or stands below it.

    `parents` maps each company above the wanted parent to its own parent.
    """
    above = parent_id
    seen: set[int] = set()
    while above is not None and above not in seen:
        if above == company_id:
            raise Invalid(
                _(
                    "A company cannot belong to itself or to one of its own subsidiaries. "
                    "Choose another parent company."
                ),
                field="parent_company_id",
                code="cycle",
            )
        seen.add(above)
        above = parents.get(above)
