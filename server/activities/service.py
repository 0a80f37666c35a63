"""Changing activities: writing down, doing, the bin. The caller opens the transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from server.activities.models import Activity, ActivityLink
from server.activities.queries import get_activity, get_binned_activity, targets_of
from server.activities.rules import (
    ActivityDraft,
    Target,
    check_can_be_done,
    check_may_change,
    checked,
    is_open,
    stands_at,
)
from server.audit.service import note, note_many
from server.core import clock, kinds
from server.core.actor import SYSTEM, Actor
from server.core.bin import overdue
from server.core.errors import Conflict, Invalid, NotFound, Stale
from server.core.i18n import gettext as _
from server.core.text import search_text
from server.users.queries import owners

_FIELDS = tuple(field.name for field in fields(ActivityDraft) if field.name != "links")


def draft_of(session: Session, activity: Activity) -> ActivityDraft:
    """Return what is written down about the activity, to be changed and handed back."""
    known = {name: getattr(activity, name) for name in _FIELDS}
    return ActivityDraft(**known, links=targets_of(session, [activity.id])[activity.id])


def create_activity(session: Session, actor: Actor, draft: ActivityDraft) -> Activity:
    """Write down something that is to be done or has happened."""
    actor.must("activities.create")
    draft = _with_owner(checked(draft), actor)
    _check_owners(session, actor, {draft.owner_id})
    _check_targets(session, actor, draft.links)
    _check_external_id(session, draft)
    activity = Activity(created_by_id=actor.user_id, **_columns(draft, clock.now()))
    activity.done_by_id = actor.user_id if draft.done_at is not None else None
    session.add(activity)
    session.flush()
    _write_links(session, actor, activity, before=(), after=draft.links)
    return activity


def create_activities(session: Session, actor: Actor, drafts: Sequence[ActivityDraft]) -> list[int]:
    """Write down many activities and return their ids in the same order, as an import does."""
    actor.must("activities.create")
    clean = [_with_owner(checked(draft), actor) for draft in drafts]
    if not clean:
        return []
    _check_owners(session, actor, {draft.owner_id for draft in clean})
    _check_targets(session, actor, {target for draft in clean for target in draft.links})
    moment = clock.now()
    made = {
        "version": 1,
        "created_at": moment,
        "updated_at": moment,
        "created_by_id": actor.user_id,
    }
    rows = [{**_columns(draft, moment), **made} for draft in clean]
    statement = insert(Activity).returning(Activity.id, sort_by_parameter_order=True)
    ids = list(session.scalars(statement, rows))
    links = [
        _link_row(activity_id, target, row)
        for activity_id, draft, row in zip(ids, clean, rows, strict=True)
        for target in draft.links
    ]
    if links:
        session.execute(insert(ActivityLink), links)
    note_many(session, actor, "create", kind="activity", record_ids=ids)
    return ids


def change_activity(
    session: Session,
    actor: Actor,
    activity_id: int,
    draft: ActivityDraft,
    *,
    version: int | None = None,
) -> Activity:
    """Replace what is written down about the activity; begin from `draft_of` to keep the rest.

    Links to records that this actor may not see stay as they are.
    """
    activity = get_activity(session, actor, activity_id)
    check_may_change(actor, (activity.owner_id, activity.created_by_id))
    _check_version(activity, version)
    before = draft_of(session, activity)
    draft = checked(draft)
    if draft.owner_id != before.owner_id:
        _check_owners(session, actor, {draft.owner_id})
    _check_targets(session, actor, set(draft.links) - set(before.links))
    if _key(draft) != _key(before):
        _check_external_id(session, draft)
    hidden = _hidden(session, actor, before.links)
    draft = replace(draft, links=tuple(dict.fromkeys((*draft.links, *hidden))))
    _write(activity, draft, actor)
    session.flush()
    _write_links(session, actor, activity, before=before.links, after=draft.links)
    return activity


def set_done(session: Session, actor: Actor, activity_id: int, *, done: bool) -> Activity:
    """Tick the activity off, or open it again. Of two people who tick at once, the first one did it."""
    activity = get_activity(session, actor, activity_id)
    check_may_change(actor, (activity.owner_id, activity.created_by_id))
    check_can_be_done(activity.kind)
    # The second of two waits here until the first has ended, then sees what it did.
    session.refresh(activity, with_for_update=True)
    if activity.deleted_at is not None:
        raise NotFound(_("There is no activity %(id)s.", id=activity_id))
    if done == (activity.done_at is not None):
        return activity
    draft = draft_of(session, activity)
    _write(activity, replace(draft, done_at=clock.now() if done else None), actor)
    session.flush()
    _move_links(session, activity)
    return activity


def delete_activity(session: Session, actor: Actor, activity_id: int) -> Activity:
    """Put the activity into the bin."""
    activity = get_activity(session, actor, activity_id)
    check_may_change(actor, (activity.owner_id, activity.created_by_id))
    activity.deleted_at = clock.now()
    session.flush()
    return activity


def restore_activity(session: Session, actor: Actor, activity_id: int) -> Activity:
    """Take the activity out of the bin again."""
    activity = get_binned_activity(session, actor, activity_id)
    check_may_change(actor, (activity.owner_id, activity.created_by_id))
    _check_external_id(session, draft_of(session, activity))
    activity.deleted_at = None
    session.flush()
    return activity


def purge_activities(session: Session, moment: datetime) -> int:
    """Remove the next activities whose time in the bin is over, and their links."""
    ids = overdue(session, Activity, moment)
    if ids:
        session.execute(delete(Activity).where(Activity.id.in_(ids)))
        note_many(session, SYSTEM, "purge", kind="activity", record_ids=ids)
    return len(ids)


def _with_owner(draft: ActivityDraft, actor: Actor) -> ActivityDraft:
    return draft if draft.owner_id is not None else replace(draft, owner_id=actor.user_id)


def _columns(draft: ActivityDraft, written_at: datetime) -> dict[str, object]:
    """Return the columns of a row, the derived ones included."""
    known = asdict(draft)
    del known["links"]
    return {
        **known,
        "is_open": is_open(draft.kind, draft.done_at),
        "at": stands_at(draft, written_at),
        "search_text": search_text(draft.subject, draft.body, draft.external_id),
    }


def _write(activity: Activity, draft: ActivityDraft, actor: Actor) -> None:
    if draft.done_at is None:
        activity.done_by_id = None
    elif activity.done_at is None:
        activity.done_by_id = actor.user_id
    for name, value in _columns(draft, activity.created_at).items():
        setattr(activity, name, value)


def _link_row(activity_id: int, target: Target, columns: dict[str, object]) -> dict[str, object]:
    return {
        "activity_id": activity_id,
        "kind": target.kind,
        "record_id": target.record_id,
        "is_open": columns["is_open"],
        "at": columns["at"],
    }


def _write_links(
    session: Session,
    actor: Actor,
    activity: Activity,
    *,
    before: tuple[Target, ...],
    after: tuple[Target, ...],
) -> None:
    if set(before) != set(after):
        session.execute(delete(ActivityLink).where(ActivityLink.activity_id == activity.id))
        columns: dict[str, object] = {"is_open": activity.is_open, "at": activity.at}
        if after:
            rows = [_link_row(activity.id, target, columns) for target in after]
            session.execute(insert(ActivityLink), rows)
        changes = {"links": [_named(before), _named(after)]}
        note(session, actor, "link", kind="activity", record_id=activity.id, changes=changes)
        session.flush()
    _move_links(session, activity)


def _named(targets: Iterable[Target]) -> list[str]:
    return [f"{target.kind}:{target.record_id}" for target in sorted(targets)]


def _move_links(session: Session, activity: Activity) -> None:
    """Let the links stand where their activity stands."""
    session.execute(
        update(ActivityLink)
        .where(ActivityLink.activity_id == activity.id)
        .values(is_open=activity.is_open, at=activity.at)
    )


def _check_version(activity: Activity, version: int | None) -> None:
    if version is not None and version != activity.version:
        raise Stale(
            _(
                "Somebody else changed this activity after you opened it. "
                "Look at its current state, then try again."
            )
        )


def _check_owners(session: Session, actor: Actor, owner_ids: set[int | None]) -> None:
    foreign = owner_ids - {actor.user_id, None}
    if not foreign:
        return
    unknown = foreign - {owner.id for owner in owners(session, actor)}
    if unknown:
        raise Invalid(
            _("There is no active user %(id)s who could do it.", id=min(filter(None, unknown))),
            field="owner_id",
            code="unknown",
        )


def _hidden(session: Session, actor: Actor, targets: Iterable[Target]) -> list[Target]:
    wanted = {(target.kind, target.record_id) for target in targets}
    known = kinds.links(session, actor, wanted)
    return [target for target in targets if (target.kind, target.record_id) not in known]


def _check_targets(session: Session, actor: Actor, targets: Iterable[Target]) -> None:
    try:
        hidden = _hidden(session, actor, sorted(targets))
    except Invalid as error:  # a kind that nobody knows
        raise Invalid(error.message, field="links", code="unknown") from error
    if hidden:
        raise Invalid(
            _(
                "There is no such record: %(kind)s %(id)s.",
                kind=hidden[0].kind,
                id=hidden[0].record_id,
            ),
            field="links",
            code="unknown",
        )


def _key(draft: ActivityDraft) -> tuple[str, str | None]:
    return draft.external_source, draft.external_id


def _check_external_id(session: Session, draft: ActivityDraft) -> None:
    if draft.external_id is None:
        return
    taken = session.scalar(
        select(Activity.id).where(
            Activity.external_source == draft.external_source,
            Activity.external_id == draft.external_id,
            Activity.deleted_at.is_(None),
        )
    )
    if taken is not None:
        raise Conflict(
            _(
                "Another activity has the external id %(id)s already. Change that one, or leave it out.",
                id=draft.external_id,
            ),
            code="external_id_taken",
        )
