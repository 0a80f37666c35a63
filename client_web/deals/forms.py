"""The form of a deal, and how it becomes a draft. Everything stays as typed until it is read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectMultipleField, StringField, TextAreaField

from client_web.money import kept_amount, kept_currency, typed_amount
from client_web.reading import whole
from server.core.checklist import Checklist
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.listing import read_date
from server.deals.rules import DealDraft

NUMBERS = ("stage_id", "company_id", "owner_id", "probability")
DAYS = ("expected_close_on", "engaged_on", "closed_on")


class DealForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What people write down about a deal."""

    title = StringField()
    amount = StringField()
    currency = StringField()
    stage_id = StringField()
    probability = StringField()
    expected_close_on = StringField()
    company_id = StringField()
    person_ids = SelectMultipleField(validate_choice=False)
    owner_id = StringField()
    product = StringField()
    engaged_on = StringField()
    closed_on = StringField()
    lost_reason = TextAreaField()
    version = HiddenField()

    def draft(self, before: DealDraft) -> DealDraft:
        """Return what was typed on top of what is known; raise Invalid for what is unreadable."""
        checks = Checklist()
        code = self.currency.data or ""
        numbers: dict[str, Any] = {
            name: checks.take(None, whole, self[name].data, name) for name in NUMBERS
        }
        days: dict[str, Any] = {
            name: checks.take(None, day, self[name].data, name) for name in DAYS
        }
        amount = checks.take(None, kept_amount, self.amount.data, code, "amount")
        people = checks.take((), chosen, self.person_ids.data or [], "person_ids")
        draft = replace(
            before,
            **numbers,
            **days,
            title=self.title.data or "",
            amount=amount or 0,
            currency=kept_currency(code),
            person_ids=people,
            product=self.product.data or "",
            lost_reason=self.lost_reason.data or "",
        )
        if checks.errors:  # whoever mends a number hears of the rest in the same round
            checks.take(None, draft.cleaned().check)
        checks.finish()
        # A stage brings its pipeline along.
        moved = draft.stage_id != before.stage_id and draft.stage_id is not None
        return replace(draft, pipeline_id=None) if moved else draft


def day(text: str | None, field: str) -> date | None:
    """Return the date that was typed; None for nothing."""
    if not (text or "").strip():
        return None
    try:
        return read_date(text or "")
    except ValueError as error:
        raise Invalid(_("“%(text)s” is no date.", text=text), field=field) from error


def chosen(ids: Sequence[str], field: str) -> tuple[int, ...]:
    """Return the ids that a picker sent."""
    return tuple(key for text in ids if (key := whole(text, field)) is not None)


def form_of(draft: DealDraft, version: int | None, currency: str) -> DealForm:
    """Return the form as it is shown first, filled with what is known."""
    amount, code = typed_amount(draft.amount or None, draft.currency or currency)
    plain = ("title", "stage_id", "probability", "company_id", "owner_id", "product", "lost_reason")
    known: dict[str, Any] = {name: getattr(draft, name) for name in (*plain, *DAYS)}
    return DealForm(
        **known,
        amount=amount,
        currency=code,
        person_ids=[str(person_id) for person_id in draft.person_ids],
        version=version,
    )
