"""Reading what people typed into forms, and putting refusals back beside the fields."""

import re
from decimal import Decimal

from flask import flash, render_template
from markupsafe import Markup

from server.core.errors import Invalid
from server.core.format import exponent
from server.core.i18n import gettext as _
from server.core.text import ascii_digits
from server.http.forms import address_now as address_now  # the pages of the CRM find it all here
from server.http.forms import lines as lines
from server.http.forms import page_address as page_address
from server.http.forms import put_back as put_back
from server.http.forms import whole as whole

NEW = "new:"  # stands before what was typed into a picker that also takes what is not there yet

_AMOUNT = re.compile(r"^[+-]?(\d{1,18}\.?|\d{0,18}\.\d{1,9})$")


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


def say(text: str, level: str = "success", *, undo: str | None = None) -> None:
    """Show the sentence on the next page, with a button that takes the step back."""
    if undo is None:
        flash(text, level)
    else:
        flash(Markup(render_template("_undo.html", text=text, undo=undo)), level)  # noqa: S704 - our own template, escaped there
