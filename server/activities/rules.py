"""Activities: their words, what can be written down about one, and where it stands in time."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from server.core.actor import Actor
from server.core.checklist import LONG_TEXT, Checklist, clean_line, clean_text
from server.core.errors import Invalid, NotAllowed
from server.core.i18n import gettext as _
from server.core.i18n import mark

MAX_SUBJECT = 250
MAX_LINKS = 50
FIRST_MOMENT = datetime(1900, 1, 1, tzinfo=UTC)
# Where something planned without a date stands: after everything that has one.
SOMEDAY = datetime(9999, 12, 1, tzinfo=UTC)


class ActivityKind(StrEnum):
    TASK = "task"
    CALL = "call"
    MEETING = "meeting"
    NOTE = "note"
    EMAIL = "email"
    SMS = "sms"


class Chapter(StrEnum):
    """Which part of a task list is read. Someone's whole work is `open`, the next three are parts of it."""

    OPEN = "open"
    OVERDUE = "overdue"
    TODAY = "today"
    UPCOMING = "upcoming"
    DONE = "done"


KIND_LABELS = {
    ActivityKind.TASK: mark("Task"),
    ActivityKind.CALL: mark("Call"),
    ActivityKind.MEETING: mark("Meeting"),
    ActivityKind.NOTE: mark("Note"),
    ActivityKind.EMAIL: mark("Email"),
    ActivityKind.SMS: mark("Text message"),
}
# What is planned first and done later; the other kinds tell of what has happened.
PLANNED = frozenset({ActivityKind.TASK, ActivityKind.CALL, ActivityKind.MEETING})


@dataclass(frozen=True, order=True)
class Target:
    """A record that an activity belongs to, by its kind and id."""

    kind: str
    record_id: int


@dataclass(frozen=True)
class ActivityDraft:
    """An activity as someone wrote it down. Without an owner it belongs to its writer."""

    kind: ActivityKind
    subject: str = ""
    body: str = ""
    due_at: datetime | None = None
    done_at: datetime | None = None
    owner_id: int | None = None
    links: tuple[Target, ...] = ()
    external_source: str = ""
    external_id: str | None = None


def is_open(kind: ActivityKind, done_at: datetime | None) -> bool:
    """Tell whether the activity still waits to be done."""
    return done_at is None and kind in PLANNED


def stands_at(draft: ActivityDraft, written_at: datetime) -> datetime:
    """Return the moment by which an activity is sorted.

    What is open stands where it is due, what is done where it was done, a note where it was written.
    """
    if is_open(draft.kind, draft.done_at):
        return draft.due_at or SOMEDAY
    return draft.done_at or written_at


def happened(draft: ActivityDraft, now: datetime) -> ActivityDraft:
    """Return the draft as a person means it who writes down a call or a meeting.

    Without a moment it has just taken place, with a past one it took place then; a future one plans it.
    """
    if draft.kind is ActivityKind.TASK or draft.kind not in PLANNED or draft.done_at is not None:
        return draft
    if draft.due_at is None:
        return replace(draft, done_at=now)
    return replace(draft, done_at=draft.due_at, due_at=None) if draft.due_at <= now else draft


def can_be_ticked(kind: ActivityKind, due_at: datetime | None, done_at: datetime | None) -> bool:
    """Tell whether the activity was planned; a call that was only written down afterwards was not."""
    return kind in PLANNED and (
        kind is ActivityKind.TASK or is_open(kind, done_at) or due_at is not None
    )


def checked(draft: ActivityDraft) -> ActivityDraft:
    """Return the draft in the form it is kept in, or raise Invalid with every field that does not fit."""
    checks = Checklist()
    subject = checks.take("", clean_line, draft.subject, "subject", MAX_SUBJECT)
    body = checks.take("", clean_text, draft.body, "body", LONG_TEXT)
    external_id = checks.take("", clean_line, draft.external_id or "", "external_id")
    if not checks.errors and not subject:
        if draft.kind is ActivityKind.TASK:
            checks.refuse("subject", _("A task needs a subject: what is to be done?"), "missing")
        elif not body:
            checks.refuse("body", _("Write a subject or a text, so that others know."), "missing")
    clean = replace(
        draft,
        subject=subject,
        body=body,
        due_at=checks.take(None, _moment, draft.due_at, "due_at"),
        done_at=checks.take(None, _moment, draft.done_at, "done_at"),
        links=checks.take((), _links, draft.links),
        external_source=checks.take("", clean_line, draft.external_source, "external_source", 100),
        external_id=external_id or None,
    )
    checks.finish()
    return clean


def _moment(moment: datetime | None, field: str) -> datetime | None:
    if moment is not None and not FIRST_MOMENT <= moment < SOMEDAY:
        raise Invalid(_("This date lies too far away."), field=field, code="out_of_range")
    return moment


def _links(links: tuple[Target, ...]) -> tuple[Target, ...]:
    once = tuple(dict.fromkeys(links))
    if len(once) > MAX_LINKS:
        raise Invalid(
            _("An activity can belong to at most %(most)s records.", most=MAX_LINKS), field="links"
        )
    if any(target.kind == "activity" for target in once):
        raise Invalid(_("An activity cannot belong to another activity."), field="links")
    return once


def check_can_be_done(kind: ActivityKind) -> None:
    """Raise Invalid for a note or a message, which nobody can tick off."""
    if kind not in PLANNED:
        raise Invalid(_("Only tasks, calls and meetings can be done."), field="done")


def may_change(actor: Actor, concerned: Collection[int | None]) -> bool:
    """Tell whether this actor may change an activity that concerns these users: its owner and its writer."""
    if actor.may("activities.edit_all"):
        return True
    return actor.may("activities.edit") and actor.user_id is not None and actor.user_id in concerned


def check_may_change(actor: Actor, concerned: Collection[int | None]) -> None:
    """Raise NotAllowed unless this actor may change the activity."""
    actor.must("activities.edit")
    if not may_change(actor, concerned):
        raise NotAllowed(
            _("This belongs to a colleague. Its owner, its writer or a manager can change it.")
        )
