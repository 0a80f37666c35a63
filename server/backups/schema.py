"""JSON shapes of backups: those of `daftar backup list --json` (interfaces.md)."""

from typing import Annotated, Literal

from pydantic import Field

from backup.confirm import NOTE_LENGTH
from server.backups.models import BackupRun
from server.backups.rules import Action
from server.core.clock import rfc3339
from server.http.rest import Body, ListShown, Shown


class CheckShown(Shown):
    """One question that a verification asked, and its answer."""

    name: str
    ok: bool
    detail: str


class VerificationShown(Shown):
    """What the newest verification found. Without `level` the backup's own files are damaged."""

    ok: bool
    problems: list[str]
    level: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    bytes: int | None = None
    restore_seconds: float | None = None
    checks: list[CheckShown] = Field(default=[])


class BackupShown(Shown):
    """A backup as the API tells it."""

    id: str
    created_at: str
    kind: str | None
    bytes: int
    database: str | None
    state: str
    verified_at: str | None
    verification: VerificationShown | None
    confirmed_at: str | None
    confirmed_by: str | None


class BackupList(ListShown):
    """One page of backups."""

    items: list[BackupShown]


class NewRun(Body):
    """What to do: make a backup, or verify one; without an id the newest."""

    action: Literal["run", "verify"] = "run"
    id: Annotated[str, Field(max_length=64)] = ""

    @property
    def word(self) -> Action:
        """Return the action."""
        return Action(self.action)


class RunShown(Shown):
    """A run of the scheduler: waiting, under way or ended."""

    id: int
    action: str
    state: str
    backup_id: str | None
    asked_by: str
    asked_at: str
    started_at: str | None
    finished_at: str | None
    stage: str | None
    done: int
    total: int
    outcome: str


class RunList(Shown):
    """What runs and waits, and the newest runs that ended."""

    items: list[RunShown]


class Word(Body):
    """What a person says about a backup, signed with their password."""

    choice: Literal["in_order", "problem_found"]
    password: Annotated[str, Field(max_length=256)]
    note: Annotated[str, Field(max_length=NOTE_LENGTH)] = ""


def show_run(run: BackupRun) -> dict[str, object]:
    """Return the JSON object of a run."""
    return {
        "id": run.id,
        "action": run.action.value,
        "state": run.state.value,
        "backup_id": run.set_name or None,
        "asked_by": run.asked_by,
        "asked_at": rfc3339(run.asked_at),
        "started_at": rfc3339(run.started_at) if run.started_at else None,
        "finished_at": rfc3339(run.finished_at) if run.finished_at else None,
        "stage": run.stage,
        "done": run.done,
        "total": run.total,
        "outcome": run.outcome,
    }
