"""Exchange: the words of an import, what may follow what, and how its rows are counted. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from server.core.i18n import mark

MAX_FILE = 64 * 1024 * 1024
BATCH = 500
MAX_NEW_STAGES = 20
DEFAULT_SOURCE = "file"


class ImportKind(StrEnum):
    COMPANIES = "companies"
    PEOPLE = "people"
    DEALS = "deals"


class Mode(StrEnum):
    """Whether rows write down new records, change known ones, or both."""

    CREATE = "create"
    UPDATE = "update"
    BOTH = "both"


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    SKIPPED = "skipped"
    REFUSED = "refused"


class UndoOutcome(StrEnum):
    """What undoing the import did with the record of a row."""

    REMOVED = "removed"
    RESTORED = "restored"
    KEPT = "kept"


class ImportStatus(StrEnum):
    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


WORKING = frozenset({ImportStatus.CHECKING, ImportStatus.RUNNING, ImportStatus.UNDOING})
EDITABLE = frozenset({ImportStatus.DRAFT, ImportStatus.CHECKED})
UNDOABLE = frozenset({ImportStatus.DONE, ImportStatus.STOPPED, ImportStatus.FAILED})
RESUMABLE = frozenset({ImportStatus.STOPPED, ImportStatus.FAILED})

KIND_LABELS = {
    ImportKind.COMPANIES: mark("Companies"),
    ImportKind.PEOPLE: mark("People"),
    ImportKind.DEALS: mark("Deals"),
}
MODE_LABELS = {
    Mode.BOTH: mark("Write down new ones and change known ones"),
    Mode.CREATE: mark("Only write down new ones"),
    Mode.UPDATE: mark("Only change known ones"),
}
OUTCOME_LABELS = {
    Outcome.CREATED: mark("Newly written down"),
    Outcome.UPDATED: mark("Brought up to date"),
    Outcome.SKIPPED: mark("Skipped"),
    Outcome.REFUSED: mark("Refused"),
}
UNDO_LABELS = {
    UndoOutcome.REMOVED: mark("In the bin"),
    UndoOutcome.RESTORED: mark("As before"),
    UndoOutcome.KEPT: mark("Kept"),
}
STATUS_LABELS = {
    ImportStatus.DRAFT: mark("Not run yet"),
    ImportStatus.CHECKING: mark("Trial run under way"),
    ImportStatus.CHECKED: mark("Tried"),
    ImportStatus.RUNNING: mark("Running"),
    ImportStatus.STOPPED: mark("Stopped"),
    ImportStatus.DONE: mark("Done"),
    ImportStatus.FAILED: mark("Failed"),
    ImportStatus.UNDOING: mark("Being undone"),
    ImportStatus.UNDONE: mark("Undone"),
}


def added(counts: Mapping[str, int], words: Iterable[str]) -> dict[str, int]:
    """Return the counts with each of the words counted once more."""
    total = dict(counts)
    for word in words:
        total[word] = total.get(word, 0) + 1
    return total
