"""The form of a company, and how it becomes a draft. Everything stays as typed until it is read."""

from dataclasses import replace
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField

from client_web.money import kept_amount, kept_currency, typed_amount
from client_web.reading import lines, whole
from server.companies.rules import CompanyDraft
from server.companies.service import check_draft
from server.core.checklist import Checklist

PLAIN = ("name", "industry", "website", "address", "city", "country", "notes")


class CompanyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What people write down about a company."""

    name = StringField()
    industry = StringField()
    website = StringField()
    emails = TextAreaField()
    phones = TextAreaField()
    address = TextAreaField()
    city = StringField()
    country = StringField()
    founded_year = StringField()
    annual_revenue = StringField()
    revenue_currency = StringField()
    employees = StringField()
    parent_company_id = StringField()
    owner_id = StringField()
    notes = TextAreaField()
    version = HiddenField()

    def draft(self, before: CompanyDraft) -> CompanyDraft:
        """Return what was typed on top of what the form does not show; raise Invalid for what is unreadable."""
        checks = Checklist()
        typed = self.revenue_currency.data or ""
        numbers: dict[str, Any] = {
            name: checks.take(None, whole, self[name].data, name)
            for name in ("founded_year", "employees", "parent_company_id", "owner_id")
        }
        amount = (self.annual_revenue.data, typed, "annual_revenue")
        revenue = checks.take(None, kept_amount, *amount)
        plain: dict[str, Any] = {name: self[name].data or "" for name in PLAIN}
        draft = replace(
            before,
            **plain,
            **numbers,
            emails=lines(self.emails.data),
            phones=lines(self.phones.data),
            annual_revenue=revenue,
            revenue_currency=kept_currency(typed) if revenue is not None else None,
        )
        if checks.errors:  # whoever mends a number hears of the rest in the same round
            checks.take(draft, check_draft, draft)
        checks.finish()
        return draft


def form_of(draft: CompanyDraft, version: int | None, currency: str) -> CompanyForm:
    """Return the form as it is shown first, filled with what is known."""
    known: dict[str, Any] = {name: getattr(draft, name) for name in PLAIN}
    amount, code = typed_amount(draft.annual_revenue, draft.revenue_currency or currency)
    return CompanyForm(
        **known,
        emails="\n".join(draft.emails),
        phones="\n".join(draft.phones),
        founded_year=draft.founded_year,
        annual_revenue=amount,
        revenue_currency=code,
        employees=draft.employees,
        parent_company_id=draft.parent_company_id,
        owner_id=draft.owner_id,
        version=version,
    )
