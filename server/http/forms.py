"""What every page reads alike: typed text, the address of a list, refusals that go beside their fields."""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import request
from flask_wtf import FlaskForm

from server.core.errors import DaftarError, FieldError, Invalid
from server.core.i18n import gettext as _
from server.core.text import ascii_digits
from server.http.errors import status_of


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
