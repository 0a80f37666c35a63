"""Amounts as people type them: in toman where the house counts so, though rials are kept."""

from client_web.reading import major_units, minor_units
from server.core.format import TOMAN_IN_RIALS, current_display
from server.core.i18n import gettext as _

TOMAN = "IRT"  # no code of ISO 4217: a way to type and to show IRR
CURRENCIES = ("IRR", "USD", "EUR", "GBP", "AED", "TRY", "CNY", "CHF")


def currency_choices(home: str, present: str | None = None) -> list[tuple[str, str]]:
    """Return the currencies a form offers: the one of the house first, toman where it is used."""
    codes = list(dict.fromkeys([home, *CURRENCIES, *([present] if present else [])]))
    rials = [(TOMAN, _("toman")), ("IRR", _("rial"))] if _counts_in_toman() else [("IRR", "IRR")]
    choices = []
    for code in codes:
        if code == "IRR":
            choices += rials
        elif code != TOMAN:
            choices.append((code, code))
    return choices


def _counts_in_toman() -> bool:
    return current_display().toman


def typed_currency(home: str) -> str:
    """Return what a new form begins with: toman, where the house counts its rials so."""
    return TOMAN if home == "IRR" and _counts_in_toman() else home


def kept_currency(code: str) -> str:
    """Return the code of ISO 4217 that is kept for what the form sent."""
    return "IRR" if code == TOMAN else code


def kept_amount(text: str | None, code: str, field: str) -> int | None:
    """Return what was typed in minor units of the kept currency; None for nothing."""
    if code != TOMAN:
        return minor_units(text, code, field)
    tomans = minor_units(text, "IRR", field)
    return None if tomans is None else tomans * TOMAN_IN_RIALS


def typed_amount(minor: int | None, currency: str) -> tuple[str, str]:
    """Return an amount and its currency as a form shows them: whole tomans where that is exact."""
    if currency == "IRR" and _counts_in_toman() and (minor or 0) % TOMAN_IN_RIALS == 0:
        return major_units(None if minor is None else minor // TOMAN_IN_RIALS, "IRR"), TOMAN
    return major_units(minor, currency), currency
