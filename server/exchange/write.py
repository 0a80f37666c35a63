"""Writing what was decided about a batch of rows, and the rows themselves, in the caller's transaction."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import DaftarError
from server.exchange.models import ImportRow
from server.exchange.plan import Plan, Step
from server.exchange.references import References, make_missing
from server.exchange.rules import Outcome
from server.exchange.subjects import differences


def carry_out(
    session: Session,
    actor: Actor,
    plan: Plan,
    steps: Sequence[Step],
    found: References,
    import_id: int,
) -> list[tuple[str, str]]:
    """Write the records that rows want; return the kind and name of what was made on the side."""
    wanted = [step for step in steps if step.wish is not None]
    missing = [(one.kind, one.new) for step in wanted if step.wish for one in step.wish.missing]
    extras = make_missing(session, actor, found, missing) if missing else []
    for extra in extras:
        extra.import_id = import_id
        session.merge(extra)
    _create(session, actor, plan, wanted, found)
    for step in wanted:
        if step.outcome is Outcome.UPDATED:
            _change(session, actor, plan, step, found)
    return [(extra.kind, extra.name) for extra in extras]


def _create(
    session: Session, actor: Actor, plan: Plan, wanted: Sequence[Step], found: References
) -> None:
    new = [step for step in wanted if step.outcome is Outcome.CREATED]
    drafts = [step.wish.filled(found) for step in new if step.wish]
    try:
        with session.begin_nested():
            ids = plan.subject.create(session, actor, drafts)
    except DaftarError:
        _create_one_by_one(session, actor, plan, new, found)
    else:
        for step, record_id in zip(new, ids, strict=True):
            step.record_id = record_id


def _create_one_by_one(
    session: Session, actor: Actor, plan: Plan, new: Sequence[Step], found: References
) -> None:
    """Write each record by itself, so that one the slice refuses stops no other."""
    for step in new:
        if step.wish is None:
            continue
        try:
            with session.begin_nested():
                draft = step.wish.filled(found)
                (step.record_id,) = plan.subject.create(session, actor, [draft])
        except DaftarError as refusal:
            step.refuse(refusal.message)


def _change(session: Session, actor: Actor, plan: Plan, step: Step, found: References) -> None:
    if step.wish is None or step.before is None or step.record_id is None:
        return
    try:
        with session.begin_nested():
            plan.subject.change(session, actor, step.record_id, step.wish.filled(found))
    except DaftarError as refusal:
        step.refuse(refusal.message)
        return
    after = plan.subject.present(session, actor, [step.record_id])[step.record_id]
    step.version = after.version
    step.changes = differences(step.before.draft, after.draft)


def keep_rows(session: Session, import_id: int, steps: Sequence[Step]) -> None:
    """Write down what became of each row, with every cell as it stands in the file."""
    if not steps:
        return
    session.execute(
        insert(ImportRow),
        [
            {
                "import_id": import_id,
                "line": step.entry.line,
                "outcome": step.outcome,
                "record_id": step.record_id,
                "key": step.entry.key,
                "message": step.message,
                "raw": list(step.entry.raw),
                "changes": step.changes,
                "version": step.version,
                "later": step.wish.later if step.wish and step.wish.later else None,
                "undo_message": "",
            }
            for step in steps
        ],
    )
