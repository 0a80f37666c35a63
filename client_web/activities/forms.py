"""The form of an activity, and how it becomes a draft; the composer of a timeline sends the same fields."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectMultipleField, StringField, TextAreaField

from client_web.reading import whole
from server.activities.queries import target_of
from server.activities.rules import ActivityDraft, ActivityKind, happened
from server.core import clock
from server.core.checklist import Checklist
from server.core.errors import Invalid
from server.core.format import current_display, local
from server.core.i18n import gettext as _
from server.core.text import ascii_digits


class ActivityForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What people write down about an activity."""

    kind = StringField()
    subject = StringField()
    body = TextAreaField()
    due_at = StringField()
    done = BooleanField()
    owner_id = StringField()
    links = SelectMultipleField(validate_choice=False)
    version = HiddenField()

    def composed(self) -> ActivityDraft:
        """Return what was typed into a composer, where a call without a date has just taken place."""
        kind = _kind(self.kind.data)
        return happened(self._with(ActivityDraft(kind=kind)), clock.now())

    def draft(self, before: ActivityDraft) -> ActivityDraft:
        """Return what was typed on top of what is known; raise Invalid for what is unreadable."""
        checks = Checklist()
        owner_id = checks.take(None, whole, self.owner_id.data, "owner_id")
        changed = checks.take(before, self._with, before)
        checks.finish()
        done_at = (before.done_at or clock.now()) if self.done.data else None
        return replace(changed, owner_id=owner_id, done_at=done_at)

    def _with(self, before: ActivityDraft) -> ActivityDraft:
        checks = Checklist()
        kind = checks.take(before.kind, _kind, self.kind.data)
        due_at = checks.take(None, moment, self.due_at.data, "due_at")
        links = [
            checks.take(None, target_of, text, "links") for text in self.links.data or [] if text
        ]
        checks.finish()
        return replace(
            before,
            kind=kind,
            subject=self.subject.data or "",
            body=self.body.data or "",
            due_at=due_at,
            links=tuple(target for target in links if target is not None),
        )


def form_of(draft: ActivityDraft, version: int | None) -> ActivityForm:
    """Return the form as it is shown first, filled with what is known."""
    return ActivityForm(
        kind=draft.kind.value,
        subject=draft.subject,
        body=draft.body,
        due_at=local(draft.due_at).strftime("%Y-%m-%dT%H:%M") if draft.due_at else "",
        done=draft.done_at is not None,
        owner_id=draft.owner_id,
        links=[f"{target.kind}:{target.record_id}" for target in draft.links],
        version=version,
    )


def moment(text: str | None, field: str) -> datetime | None:
    """Return the moment of a date field, which sends the reader's local time; None for nothing."""
    typed = ascii_digits(text or "").strip()
    if not typed:
        return None
    try:
        naive = datetime.fromisoformat(typed)
        zone = naive.tzinfo or ZoneInfo(current_display().zone)
        return naive.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(_("“%(text)s” is no date with a time.", text=text), field=field) from error


def _kind(word: str | None) -> ActivityKind:
    try:
        return ActivityKind(word or "")
    except ValueError as error:
        raise Invalid(_("“%(word)s” is no kind of activity.", word=word), field="kind") from error
