"""People outside the house: what can be written down about one, and what makes sense."""

from dataclasses import dataclass, replace

from server.core.checklist import LONG_TEXT, Checklist, clean_line, clean_text
from server.core.contact import clean_emails, clean_phones
from server.core.i18n import gettext as _
from server.core.text import fold

MAX_NAME = 100


@dataclass(frozen=True)
class PersonDraft:
    """A person as someone wrote it down. An empty display name is made from first and last name."""

    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    job_title: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company_id: int | None = None
    owner_id: int | None = None
    external_source: str = ""
    external_id: str | None = None
    notes: str = ""


def name_key(name: str) -> str:
    """Return the form of a name by which people are sorted and compared."""
    return fold(name).replace(" ", "") or name.strip().casefold()


def full_name(first_name: str, last_name: str) -> str:
    """Return the name to show for first and last name."""
    return f"{first_name} {last_name}".strip()


def checked(draft: PersonDraft) -> PersonDraft:
    """Return the draft in the form it is kept in, or raise Invalid with every field that does not fit."""
    checks = Checklist()
    first = checks.take("", clean_line, draft.first_name, "first_name", MAX_NAME)
    last = checks.take("", clean_line, draft.last_name, "last_name", MAX_NAME)
    shown = checks.take("", clean_line, draft.display_name, "display_name", 2 * MAX_NAME + 1)
    if not (first or last or shown or checks.errors):
        checks.refuse(
            "last_name", _("A person needs a name: a first, last or display name."), "missing"
        )
    external_id = checks.take("", clean_line, draft.external_id or "", "external_id")
    clean = replace(
        draft,
        first_name=first,
        last_name=last,
        display_name=shown or full_name(first, last),
        job_title=checks.take("", clean_line, draft.job_title, "job_title"),
        emails=checks.take((), clean_emails, draft.emails),
        phones=checks.take((), clean_phones, draft.phones),
        external_source=checks.take("", clean_line, draft.external_source, "external_source", 100),
        external_id=external_id or None,
        notes=checks.take("", clean_text, draft.notes, "notes", LONG_TEXT),
    )
    checks.finish()
    return clean


def renamed(before: PersonDraft, after: PersonDraft) -> PersonDraft:
    """Let a display name that was made from first and last name follow when these change."""
    was_made = before.display_name == full_name(before.first_name, before.last_name)
    if was_made and after.display_name == before.display_name:
        return replace(after, display_name="")
    return after
