"""Reading what people typed into forms, and putting refusals back beside the fields."""

import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlencode

from flask import flash, render_template, request
from flask_wtf import FlaskForm
from markupsafe import Markup

from server.core.errors import DaftarError, FieldError, Invalid
from server.core.format import exponent
from server.core.i18n import gettext as _
from server.core.text import ascii_digits
from server.http.errors import status_of

NEW = "new:"  # stands before what was typed into a picker that also takes what is not there yet

_AMOUNT = re.compile(r"^[+-]?(\d{1,18}\.?|\d{0,18}\.\d{1,9})$")


def lines(text: str | None) -> tuple[str, ...]:
    """Return what stands on the lines of the text, or between its commas; blank ones left out."""
    parts = (text or "").replace("،", "\n").replace(",", "\n").splitlines()
    return tuple(part.strip() for part in parts if part.strip())


def whole(text: str | None, field: str) -> int | None:
    """Return the whole number that was typed, Persian digits welcome; None for nothing."""
    digits = ascii_digits(text or "").strip().replace(",", "").replace("٬", "")
    if not digits:
        return None
    try:
        return int(digits)
    except ValueError as error:
        raise Invalid(_("“%(text)s” is no whole number.", text=text), field=field) from error


def minor_units(text: str | None, currency: str, field: str) -> int | None:
    """Return the amount in minor units of the currency; None for nothing."""
    digits = ascii_digits(text or "").strip().replace(",", "").replace("٬", "").replace("٫", ".")
    if not digits:
        return None
    if not _AMOUNT.match(digits):
        raise Invalid(_("“%(text)s” is no amount.", text=text), field=field)
    minor = Decimal(digits).scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise Invalid(
            _("%(currency)s has no coins that small.", currency=currency or "?"), field=field
        )
    return int(minor)


def major_units(minor: int | None, currency: str | None) -> str:
    """Return an amount as a money field takes it: a plain decimal."""
    return "" if minor is None else str(Decimal(minor).scaleb(-exponent(currency or "")))


def put_back(form: FlaskForm, refusal: DaftarError) -> tuple[list[FieldError], int]:
    """Write the refusal beside the fields of the form; return what has no field here, and the status."""
    elsewhere = []
    for item in getattr(refusal, "errors", ()):
        if item.field in form:
            form[item.field].errors = [*form[item.field].errors, item.message]
        else:
            elsewhere.append(item)
    return elsewhere, status_of(refusal)


def address_now(leave_out: Sequence[str] = ("sort", "cursor")) -> list[tuple[str, str]]:
    """Return what the address asks of a list now, for the links of its head and its filters."""
    return [
        (key, value)
        for key, value in request.args.items(multi=True)
        if key not in leave_out and value
    ]


def page_address(path: str, cursor: str | None, sort: str) -> str | None:
    """Return the address of a neighbouring page of the list that is shown; None when there is none."""
    if cursor is None:
        return None
    sorting = [("sort", sort)] if sort else []
    return f"{path}?{urlencode([*address_now(), *sorting, ('cursor', cursor)])}"


def say(text: str, level: str = "success", *, undo: str | None = None) -> None:
    """Show the sentence on the next page, with a button that takes the step back."""
    if undo is None:
        flash(text, level)
    else:
        flash(Markup(render_template("_undo.html", text=text, undo=undo)), level)  # noqa: S704 - our own template, escaped there
