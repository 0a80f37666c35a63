"""How people and companies are reached: addresses and numbers in the one form they are kept in. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from server.core.checklist import Checklist
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.i18n import ltr
from server.core.text import ascii_digits

REGION = "IR"
MOST = 20
MAX_WEBSITE = 500


class ContactKind(StrEnum):
    """What a key of a person or company is."""

    EMAIL = "email"
    PHONE = "phone"


def clean_email(text: str, field: str = "emails") -> str:
    """Return the address as it is kept, or raise Invalid. Nobody asks the network whether it exists."""
    try:
        return validate_email(
            ascii_digits(text.strip()), check_deliverability=False, globally_deliverable=False
        ).normalized
    except EmailNotValidError as error:
        raise Invalid(
            _("“%(email)s” is no email address. It looks like name@example.com.", email=text),
            field=field,
        ) from error


def email_key(email: str) -> str:
    """Return the form of an address by which two are the same."""
    return ascii_digits(email).strip().casefold()


def clean_phone(text: str, field: str = "phones", region: str = REGION) -> str:
    """Return the number as E.164, with `;ext=` when it has an extension, or raise Invalid.

    Persian digits are welcome; a number without a country code belongs to the region.
    """
    try:
        number = phonenumbers.parse(ascii_digits(text.strip()), region)
    except phonenumbers.NumberParseException as error:
        raise _no_phone(text, field) from error
    if not phonenumbers.is_valid_number(number):
        raise _no_phone(text, field)
    kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{kept};ext={number.extension}" if number.extension else kept


def _no_phone(text: str, field: str) -> Invalid:
    return Invalid(
        _(
            "“%(phone)s” is no telephone number. Write it like %(example)s or %(abroad)s.",
            phone=ltr(text),
            example=ltr("021 8888 7777"),
            abroad=ltr("+49 30 901820"),
        ),
        field=field,
    )


def phone_key(phone: str) -> str:
    """Return the form of a kept number by which two are the same: without the extension."""
    return phone.partition(";")[0]


def national_phone(phone: str, region: str = REGION) -> str:
    """Return the digits of a kept number as its neighbours dial it, for searching."""
    number = phonenumbers.parse(phone_key(phone), region)
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(letter for letter in shown if letter.isdecimal())


def readable_phone(phone: str) -> str:
    """Return a kept number as people read it."""
    number, _sign, extension = phone.partition(";ext=")
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return phone
    shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"{shown} #{extension}" if extension else shown


def _clean_all(
    texts: Sequence[str], field: str, clean: Callable[[str, str], str], same: Callable[[str], str]
) -> tuple[str, ...]:
    checks = Checklist()
    found: dict[str, str] = {}
    for text in texts:
        if text.strip():
            kept = checks.take("", clean, text, field)
            found.setdefault(same(kept), kept)
    if len(found) > MOST:
        checks.refuse(field, _("At most %(most)s of these can be kept.", most=MOST))
    checks.finish()
    return tuple(found.values())


def clean_emails(texts: Sequence[str], field: str = "emails") -> tuple[str, ...]:
    """Return the addresses as they are kept, each once, in the writer's order."""
    return _clean_all(texts, field, clean_email, email_key)


def clean_phones(texts: Sequence[str], field: str = "phones") -> tuple[str, ...]:
    """Return the numbers as they are kept, each once, in the writer's order."""
    return _clean_all(texts, field, clean_phone, lambda phone: phone)


def clean_website(text: str, field: str = "website") -> str:
    """Return the address of a site with its scheme, or raise Invalid; empty stays empty."""
    address = text.strip()
    if not address:
        return ""
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises for “javascript:alert(1)”, whose port is no number
    except ValueError:
        host = ""
    if (
        not host
        or parts.username is not None
        or parts.scheme not in {"http", "https"}
        or any(letter.isspace() or not letter.isprintable() for letter in address)
        or len(address) > MAX_WEBSITE
    ):
        raise Invalid(
            _("“%(address)s” is no web address. It looks like https://example.com.", address=text),
            field=field,
        )
    return address
