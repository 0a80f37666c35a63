"""The form of a person, and how it becomes a draft. Everything stays as typed until it is read."""

from collections.abc import Callable
from dataclasses import replace

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField

from client_web.reading import lines, whole
from server.core.checklist import Checklist
from server.people.rules import PersonDraft, full_name
from server.people.service import check_draft

PLAIN = ("first_name", "last_name", "display_name", "job_title", "notes")


class PersonForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What people write down about somebody outside the house."""

    first_name = StringField()
    last_name = StringField()
    display_name = StringField()
    job_title = StringField()
    company_id = StringField()
    emails = TextAreaField()
    phones = TextAreaField()
    owner_id = StringField()
    notes = TextAreaField()
    version = HiddenField()

    def draft(self, before: PersonDraft, company_of: Callable[[str], int | None]) -> PersonDraft:
        """Return what was typed on top of what the form does not show; raise Invalid for what is unreadable.

        `company_of` returns the id of what was chosen or typed as the company.
        """
        checks = Checklist()
        company_id = checks.take(None, company_of, self.company_id.data or "")
        owner_id = checks.take(None, whole, self.owner_id.data, "owner_id")
        draft = replace(
            before,
            **{name: self[name].data or "" for name in PLAIN},
            emails=lines(self.emails.data),
            phones=lines(self.phones.data),
            company_id=company_id,
            owner_id=owner_id,
        )
        if checks.errors:  # whoever chooses another company hears of the rest in the same round
            checks.take(draft, check_draft, draft)
        checks.finish()
        return draft


def form_of(draft: PersonDraft, version: int | None) -> PersonForm:
    """Return the form as it is shown first, filled with what is known.

    A name that is only first and last name together is left out, so that it follows when they change.
    """
    known = {name: getattr(draft, name) for name in PLAIN}
    if draft.display_name == full_name(draft.first_name, draft.last_name):
        known["display_name"] = ""
    return PersonForm(
        **known,
        emails="\n".join(draft.emails),
        phones="\n".join(draft.phones),
        company_id=draft.company_id,
        owner_id=draft.owner_id,
        version=version,
    )
