"""Sentences for JSON bodies that do not fit, in the caller's language and with stable codes."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from server.core.errors import FieldError
from server.core.i18n import gettext as _

Context = Mapping[str, Any]

SENTENCES: dict[str, Callable[[Context], str]] = {
    "missing": lambda _context: _("This field is needed."),
    "extra_forbidden": lambda _context: _("There is no field of this name here."),
    "string_type": lambda _context: _("This must be text."),
    "string_unicode": lambda _context: _("This must be text."),
    "int_type": lambda _context: _("This must be a whole number."),
    "int_from_float": lambda _context: _("This must be a whole number."),
    "float_type": lambda _context: _("This must be a number."),
    "bool_type": lambda _context: _("This must be true or false."),
    "list_type": lambda _context: _("This must be a list."),
    "dict_type": lambda _context: _("This must be an object."),
    "model_type": lambda _context: _("This must be an object."),
    "model_attributes_type": lambda _context: _("This must be an object."),
    "string_too_long": lambda context: _(
        "This text is too long: at most %(most)s characters.", most=context["max_length"]
    ),
    "string_too_short": lambda context: _(
        "This text is too short: at least %(least)s characters.", least=context["min_length"]
    ),
    "too_long": lambda context: _(
        "These are too many: at most %(most)s.", most=context["max_length"]
    ),
    "too_short": lambda context: _(
        "These are too few: at least %(least)s.", least=context["min_length"]
    ),
    "greater_than_equal": lambda context: _(
        "This number must be at least %(least)s.", least=context["ge"]
    ),
    "greater_than": lambda context: _(
        "This number must be greater than %(limit)s.", limit=context["gt"]
    ),
    "less_than_equal": lambda context: _(
        "This number must be at most %(most)s.", most=context["le"]
    ),
    "less_than": lambda context: _("This number must be less than %(limit)s.", limit=context["lt"]),
    "literal_error": lambda context: _("Allowed here: %(words)s.", words=context["expected"]),
    "enum": lambda context: _("Allowed here: %(words)s.", words=context["expected"]),
    "date_type": lambda _context: _("This must be a date such as 2026-11-22."),
    "date_parsing": lambda _context: _("This must be a date such as 2026-11-22."),
    "date_from_datetime_parsing": lambda _context: _("This must be a date such as 2026-11-22."),
    "datetime_type": lambda _context: _("This must be a moment such as 2026-11-22T08:30:00Z."),
    "datetime_parsing": lambda _context: _("This must be a moment such as 2026-11-22T08:30:00Z."),
    "datetime_from_date_parsing": lambda _context: _(
        "This must be a moment such as 2026-11-22T08:30:00Z."
    ),
    "timezone_aware": lambda _context: _(
        "This moment needs its zone, such as the Z in 2026-11-22T08:30:00Z."
    ),
}


def _does_not_fit(_context: Context) -> str:
    return _("This value does not fit here.")


def field_errors(refusal: ValidationError) -> list[FieldError]:
    """Return what does not fit, each with a sentence in the language of the running request."""
    found = []
    for error in refusal.errors(include_url=False, include_input=False):
        sentence = SENTENCES.get(error["type"], _does_not_fit)
        place = ".".join(str(part) for part in error["loc"])
        found.append(FieldError(place, sentence(error.get("ctx", {})), error["type"]))
    return found
