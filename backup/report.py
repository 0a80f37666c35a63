"""The list of backups and how the house stands, as facts. Pages and commands put them in words."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from backup import manifest, result
from backup.confirm import Choice, Confirmation, confirmations
from backup.keys import Trust
from backup.plan import Kind, State
from backup.result import Record
from backup.store import DRILL, Store
from server.core import clock
from server.core.errors import Broken

Json = dict[str, object]


@dataclass(frozen=True)
class Item:
    """One backup of the list. `problem` is set when its own files are damaged."""

    id: str
    created_at: datetime
    kind: Kind | None
    bytes: int
    database: str | None
    state: State
    record: Record | None
    confirmation: Confirmation | None
    problem: str | None
    tables: int | None = None
    rows: int | None = None
    files: int | None = None

    @property
    def verified_at(self) -> datetime | None:
        """Return when a drill last ended well."""
        drill = None if self.record is None else self.record.drill
        return None if drill is None else drill.finished_at

    @property
    def restore_seconds(self) -> float | None:
        """Return how long the real restore of the last drill took."""
        drill = None if self.record is None else self.record.drill
        return None if drill is None else drill.restore_seconds

    def as_json(self) -> Json:
        """Return the item as `daftar backup list --json` shows it."""
        agreed = self.confirmation is not None and self.confirmation.choice is Choice.IN_ORDER
        return {
            "id": self.id,
            "created_at": clock.rfc3339(self.created_at),
            "kind": self.kind,
            "bytes": self.bytes,
            "database": self.database,
            "state": self.state,
            "verified_at": None if self.verified_at is None else clock.rfc3339(self.verified_at),
            "verification": self._verification(),
            "confirmed_at": self.confirmation.at if agreed and self.confirmation else None,
            "confirmed_by": self.confirmation.user_name if agreed and self.confirmation else None,
        }

    def _verification(self) -> Json | None:
        if self.problem is not None:
            return {"ok": False, "problems": [self.problem]}
        if self.record is None:
            return None
        last = self.record.newest
        return {
            "level": last.level,
            "ok": not self.record.failed,
            "started_at": clock.rfc3339(last.started_at),
            "finished_at": clock.rfc3339(last.finished_at),
            "bytes": last.bytes,
            "restore_seconds": self.restore_seconds,
            "problems": [text for each in self.record.results for text in each.problems],
            "checks": [
                {"name": check.name, "ok": check.ok, "detail": check.detail}
                for check in last.checks
            ],
        }


Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class _Known:
    """What was read of a backup while its small files had these stamps."""

    stamp: Stamp
    item: Item
    manifest_sha256: str | None


class Shelf:
    """Remembers what was read, so that a list of many backups reads only the changed ones again."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def items(self, store: Store, trust: Trust) -> list[Item]:
        """Return every published backup, newest first, damaged ones too."""
        said = {each.manifest_sha256: each for each in confirmations(store)}
        known = {set_id: self._one(store, set_id, trust) for set_id in store.set_ids()}
        self._known = known
        return [_with_word(each, said) for each in reversed(known.values())]

    def _one(self, store: Store, set_id: str, trust: Trust) -> _Known:
        stamp = tuple(
            _stamp(store.sets / set_id / name)
            for name in (manifest.NAME, manifest.SIGNATURE, DRILL)
        )
        kept = self._known.get(set_id)
        if kept is not None and kept.stamp == stamp:
            return kept
        item, sha256 = _read(store, set_id, trust)
        return _Known(stamp, item, sha256)


def items(store: Store, trust: Trust) -> list[Item]:
    """Return every published backup, newest first, damaged ones too."""
    return Shelf().items(store, trust)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _with_word(known: _Known, said: dict[str, Confirmation]) -> Item:
    """Return the item with what a person said about exactly this manifest."""
    item = known.item
    confirmation = None if known.manifest_sha256 is None else said.get(known.manifest_sha256)
    state = _state(item.record, confirmation, item.problem)
    return replace(item, confirmation=confirmation, state=state)


def _read(store: Store, set_id: str, trust: Trust) -> tuple[Item, str | None]:
    try:
        loaded = store.load(set_id, trust)
    except Broken as error:
        return _damaged(store, set_id, error.message), None
    record, problem = None, None
    try:
        record = result.read(store, loaded, trust)
    except Broken as error:
        problem = error.message
    item = Item(
        id=set_id,
        created_at=loaded.manifest.created_at,
        kind=loaded.manifest.kind,
        bytes=loaded.manifest.bytes,
        database=loaded.manifest.database.engine,
        state=_state(record, None, problem),
        record=record,
        confirmation=None,
        problem=problem,
        tables=len(loaded.manifest.tables),
        rows=sum(table.rows for table in loaded.manifest.tables),
        files=loaded.manifest.files.count,
    )
    return item, loaded.sha256


def _damaged(store: Store, set_id: str, problem: str) -> Item:
    size = sum(path.stat().st_size for path in store.set_folder(set_id).iterdir())
    return Item(
        id=set_id,
        created_at=moment_of(set_id),
        kind=None,
        bytes=size,
        database=None,
        state=State.FAILED,
        record=None,
        confirmation=None,
        problem=problem,
    )


def moment_of(set_id: str) -> datetime:
    """Return the moment that stands in a backup's name."""
    manifest.must_be_id(set_id)
    try:
        return datetime.strptime(set_id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:  # a name made by hand, such as the 32nd of a month
        return datetime.fromtimestamp(0, UTC)


def _state(record: Record | None, confirmation: Confirmation | None, problem: str | None) -> State:
    refused = confirmation is not None and confirmation.choice is Choice.PROBLEM_FOUND
    if problem is not None or refused or (record is not None and record.failed):
        return State.FAILED
    if record is None or record.drill is None:
        return State.COMPLETE
    return State.VERIFIED if confirmation is None else State.CONFIRMED


@dataclass(frozen=True)
class Standing:
    """How the house stands: the newest backup and the newest that is proved."""

    newest: Item | None
    verified: Item | None
    unchecked: tuple[str, ...]
    age_seconds: int | None
    restore_seconds: float | None


def standing(found: list[Item], now: datetime) -> Standing:
    """Return what a page needs to say "back in N minutes, M minutes of work lost"."""
    proved = (State.VERIFIED, State.CONFIRMED)
    verified = next((item for item in found if item.state in proved), None)
    age = None if verified is None else int((now - verified.created_at).total_seconds())
    return Standing(
        newest=found[0] if found else None,
        verified=verified,
        unchecked=tuple(item.id for item in found if item.confirmation is None),
        age_seconds=age,
        restore_seconds=None if verified is None else verified.restore_seconds,
    )
