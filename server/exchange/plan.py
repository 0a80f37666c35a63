"""What becomes of each row of a batch: decided here, written by write.py, only shown by a trial run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.exchange.companies import Companies
from server.exchange.deals import Deals
from server.exchange.entries import Entry, Reader, name_key, official_currency
from server.exchange.mapping import Mapping
from server.exchange.models import Import, ImportRow
from server.exchange.people import People
from server.exchange.references import References, find_references
from server.exchange.rules import ImportKind, Mode, Outcome
from server.exchange.stages import Stages, stages_for_import
from server.exchange.subjects import Present, Subject, Wish


@dataclass
class Step:
    """A row and what becomes of it. `wish` is there for what is to be written."""

    entry: Entry
    outcome: Outcome
    message: str = ""
    record_id: int | None = None
    wish: Wish | None = None
    before: Present | None = None
    version: int = 1
    changes: dict[str, Any] | None = None

    def refuse(self, message: str) -> None:
        """Let nothing become of the row, and say why."""
        self.outcome, self.message, self.wish = Outcome.REFUSED, message, None


@dataclass
class Plan:
    """What one run over a file knows from batch to batch.

    `seen` maps keys to the line that had them first; those of the present batch are `fresh` until the
    batch is safe. `words` are unknown words for stages, `made` what a trial run would make on the side.
    """

    kind: ImportKind
    mapping: Mapping
    reader: Reader
    subject: Subject
    writes: bool
    seen: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    made: set[tuple[str, str]] = field(default_factory=set)

    def would_make(self, steps: Iterable[Step]) -> Iterator[str]:
        """Yield the kind of each thing that these rows would make on the side, once in a whole run."""
        for step in steps:
            for one in step.wish.missing if step.wish else ():
                key = one.kind, name_key(one.new.name)
                if key not in self.made:
                    self.made.add(key)
                    yield one.kind

    def safe(self) -> None:
        """Remember the rows of the present batch for good."""
        self.seen |= self.fresh
        self.fresh = {}


def make_plan(
    kind: ImportKind, headers: tuple[str, ...], mapping: Mapping, currency: str, *, writes: bool
) -> Plan:
    """Return the plan of a run over a file; `currency` is the organisation's, for amounts without one."""
    code = mapping.currency or currency
    reader = Reader(kind, mapping, headers, code)
    return Plan(kind, mapping, reader, subject_of(kind, mapping, official_currency(code)), writes)


def subject_of(kind: ImportKind, mapping: Mapping, currency: str) -> Subject:
    """Return what an import asks of records of this kind."""
    if kind is ImportKind.COMPANIES:
        return Companies(mapping.source, currency, create_companies=mapping.create_companies)
    if kind is ImportKind.PEOPLE:
        return People(mapping.source, create_companies=mapping.create_companies)
    return Deals(mapping.source, currency, create_companies=mapping.create_companies)


def decide(
    session: Session, actor: Actor, plan: Plan, entries: Sequence[Entry]
) -> tuple[list[Step], References]:
    """Return what becomes of each row, in the same order; nothing is written."""
    good = [entry for entry in entries if not entry.problem and not entry.empty]
    names = {name for entry in good for name in plan.subject.names(entry)}
    found = find_references(session, actor, names, _stages(session, actor, plan))
    keyed = [entry for entry in good if entry.key]
    known = _known(session, actor, plan, keyed) if keyed else {}
    present = plan.subject.present(session, actor, set(known.values())) if known else {}
    plan.fresh = {}
    steps = []
    for entry in entries:
        step = _early(entry, plan)
        if step is None:
            record_id = known.get(entry.key) if entry.key else None
            before = present.get(record_id) if record_id is not None else None
            step = _step(entry, plan, found, record_id, before)
        if entry.key and step.outcome is not Outcome.REFUSED:
            plan.fresh.setdefault(entry.key, entry.line)
        steps.append(step)
    return steps, found


def _stages(session: Session, actor: Actor, plan: Plan) -> Stages | None:
    if plan.kind is not ImportKind.DEALS:
        return None
    return stages_for_import(session, actor, plan.mapping.pipeline, plan.words, writes=plan.writes)


def _known(session: Session, actor: Actor, plan: Plan, entries: Sequence[Entry]) -> dict[str, int]:
    if plan.reader.key != "row":
        return plan.subject.known(session, actor, plan.reader.key, entries)
    rows = session.execute(
        select(ImportRow.key, ImportRow.record_id)
        .join(Import, Import.id == ImportRow.import_id)
        .where(
            Import.kind == plan.kind,
            ImportRow.key.in_({entry.key for entry in entries}),
            ImportRow.outcome == Outcome.CREATED,
            ImportRow.record_id.is_not(None),
            ImportRow.undone.is_(None),
        )
    )
    return {row.key: row.record_id for row in rows}


def _early(entry: Entry, plan: Plan) -> Step | None:
    """Return what becomes of a row that need not be compared with anything, else None."""
    if entry.problem:
        return Step(entry, Outcome.REFUSED, entry.problem)
    if entry.empty:
        return Step(entry, Outcome.SKIPPED, _("No mapped column says anything in this row."))
    earlier = (plan.seen.get(entry.key) or plan.fresh.get(entry.key)) if entry.key else None
    if earlier is not None:
        sentence = _("The same record stands in line %(line)s already.", line=earlier)
        return Step(entry, Outcome.SKIPPED, sentence)
    return None


def _step(
    entry: Entry,
    plan: Plan,
    found: References,
    record_id: int | None,
    before: Present | None,
) -> Step:
    if before is not None and plan.mapping.mode is Mode.CREATE:
        return Step(entry, Outcome.SKIPPED, _("This record is there already."), record_id)
    if before is None and plan.mapping.mode is Mode.UPDATE:
        return Step(entry, Outcome.SKIPPED, _("There is no such record to change."))
    try:
        if before is not None:
            entry = plan.reader.in_currency(entry, plan.subject.currency_of(before.draft))
        wish = plan.subject.wish(entry, found, before.draft if before else None)
        wish = replace(wish, draft=plan.subject.checked(wish.draft))
    except DaftarError as refusal:
        return Step(entry, Outcome.REFUSED, refusal.message)
    if before is not None and _says_nothing(wish, before):
        sentence = _("This record is there already, and the row says nothing new.")
        return Step(entry, Outcome.SKIPPED, sentence, record_id)
    notes = " ".join((*entry.notes, *wish.notes))
    outcome = Outcome.CREATED if before is None else Outcome.UPDATED
    return Step(entry, outcome, notes, record_id if before else None, wish, before)


def _says_nothing(wish: Wish, before: Present) -> bool:
    return bool(wish.draft == before.draft) and not wish.missing and not wish.later
