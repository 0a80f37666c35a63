"""A trial run that leaves no trace: what would become of every row of a file, for the command line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from server.core.actor import Actor
from server.exchange.mapping import Mapping
from server.exchange.plan import Plan, Step, decide, make_plan
from server.exchange.rules import BATCH, ImportKind, Outcome, added
from server.exchange.run import Workshop, speaking_as
from server.exchange.table import Sheet

MOST_PROBLEMS = 100


@dataclass
class Trial:
    """What a trial run told: how often which outcome, the first refused rows, the first remarks."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)


def try_out(
    workshop: Workshop,
    actor: Actor,
    kind: ImportKind,
    sheet: Sheet,
    mapping: Mapping,
    progress: Callable[[int], None] | None = None,
) -> Trial:
    """Decide every row of the file by the same code as the run itself; nothing is written anywhere."""
    plan = make_plan(kind, sheet.headers, mapping, workshop.currency, writes=False)
    trial = Trial()
    done = 0
    with speaking_as(actor, workshop.zone):
        for steps in _batches(workshop, actor, sheet, plan):
            done += len(steps)
            remarks = _remarks(steps)
            words = [*(step.outcome.value for step in steps), *("noted" for _remark in remarks)]
            trial.counts = added(trial.counts, [*words, *plan.would_make(steps)])
            trial.remarks += remarks[: MOST_PROBLEMS - len(trial.remarks)]
            trial.problems += _refused(steps)[: MOST_PROBLEMS - len(trial.problems)]
            if progress:
                progress(done)
    return trial


def _batches(workshop: Workshop, actor: Actor, sheet: Sheet, plan: Plan) -> Iterator[list[Step]]:
    rows = sheet.rows()
    while entries := [plan.reader.read(row) for row in islice(rows, BATCH)]:
        with workshop.database.read() as session:
            steps, _found = decide(session, actor, plan, entries)
        plan.safe()
        yield steps


def _remarks(steps: list[Step]) -> list[tuple[int, str]]:
    return [
        (step.entry.line, step.message) for step in steps if step.wish is not None and step.message
    ]


def _refused(steps: list[Step]) -> list[tuple[int, str]]:
    return [(step.entry.line, step.message) for step in steps if step.outcome is Outcome.REFUSED]
