"""Who a customer is. Pure."""

from email_validator import EmailNotValidError, validate_email

from server.core.text import fold

# Behind these domains stand millions of strangers, so the whole address stands for the organisation.
PUBLIC_MAIL = frozenset(
    {"gmail.com", "googlemail.com", "yahoo.com", "outlook.com", "hotmail.com", "live.com"}
    | {"icloud.com", "proton.me", "protonmail.com", "aol.com", "gmx.com", "mail.com", "yandex.com"}
    | {"chmail.ir", "mailfa.com", "vatanmail.ir", "mihanmail.ir"}
)


def normal_email(text: str) -> str | None:
    """Return the address in its normal form, or None when it is no address."""
    try:
        # example.com and the like stand in demos and tests
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized


def organization_of(email: str) -> str:
    """Return what stands for the organisation behind an address: its domain, if it is its own."""
    domain = email.rpartition("@")[2].lower()
    return email.lower() if domain in PUBLIC_MAIL else domain


def name_key(name: str) -> str:
    """Return the form of a name that customers are sorted by: letters folded, without spaces."""
    return fold(name).replace(" ", "") or name.strip().casefold()
