"""Proving a backup: all sealed bytes, all content, a real restore with its checks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backup import archive, cluster, disk, lists, lock, manifest, postgresql, restore, result
from backup.keys import Keyring, Trust
from backup.manifest import Manifest, Object
from backup.plan import Invariant, Level, Progress, Restored, Stage, silent
from backup.restore import Identities, Layout
from backup.result import Check, Result
from backup.store import Loaded, Store
from server.core import clock
from server.core.errors import Broken
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Verification:
    """How to verify.

    `scratch_server` is the URL of a PostgreSQL server that may hold the drill's database; without
    one the drill starts a server of its own.
    """

    level: Level
    trust: Trust
    scratch: Path
    identities: Identities = ()
    invariants: tuple[Invariant, ...] = ()
    scratch_server: str | None = None


def verify(store: Store, set_id: str, how: Verification, *, progress: Progress = silent) -> Result:
    """Verify a backup and return what was found; a damaged backup is a result, not an error.

    Raises Missing when there is no key, no room or no tool, Conflict while backups are removed.
    """
    if how.level is not Level.STORE:
        restore.require_identities(how.identities)
    with store.reading():
        return _Examination(store, set_id, how, progress).run()


def verify_and_keep(
    store: Store, set_id: str, how: Verification, keys: Keyring, *, progress: Progress = silent
) -> Result:
    """Verify a backup, sign the result and keep it with the backup."""
    found = verify(store, set_id, how, progress=progress)
    try:
        loaded = store.load(set_id, how.trust)
    except Broken:
        return found  # nothing to keep it beside; the list shows the set as failed anyway
    result.keep(store, loaded, keys, found)
    return found


def latest(store: Store, trust: Trust) -> str | None:
    """Return the newest backup by its own order, None when there is none."""
    loaded = store.loaded(trust)
    return loaded[-1].manifest.id if loaded else None


@dataclass
class _Findings:
    """What was asked and found so far."""

    checks: list[Check] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def add(self, name: str, problems: Sequence[str], detail: str = "") -> None:
        self.checks.append(Check(name, not problems, "\n".join(problems) or detail))

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


class _Examination:
    """One verification on its way."""

    def __init__(self, store: Store, set_id: str, how: Verification, progress: Progress) -> None:
        self._store = store
        self._set_id = set_id
        self._how = how
        self._progress = progress
        self._found = _Findings()
        self._bytes = 0
        self._restore_seconds: float | None = None

    def run(self) -> Result:
        started = clock.now()
        loaded = self._signature()
        if loaded is not None:
            self._chain(loaded)
            self._stored(loaded.manifest)
            if self._how.level is Level.CONTENT:
                self._content(loaded.manifest)
            elif self._how.level is Level.DRILL:
                self._drill(loaded.manifest)
        return Result(
            level=self._how.level,
            ok=self._found.ok,
            started_at=started,
            finished_at=clock.now(),
            checks=tuple(self._found.checks),
            damaged=tuple(dict.fromkeys(self._found.damaged)),
            bytes=self._bytes,
            restore_seconds=self._restore_seconds,
        )

    def _signature(self) -> Loaded | None:
        try:
            loaded = self._store.load(self._set_id, self._how.trust)
        except Broken as error:
            self._found.add("signature", [error.message])
            return None
        self._found.add("signature", [])
        return loaded

    def _chain(self, loaded: Loaded) -> None:
        """Compare with the manifest before; one that was pruned or lies elsewhere is no damage."""
        link = loaded.manifest.previous
        problems: list[str] = []
        if link is not None and (self._store.sets / link.id).is_dir():
            try:
                before = self._store.load(link.id, self._how.trust)
                if before.sha256 != link.sha256:
                    problems.append(_("The backup %(id)s before it was replaced.", id=link.id))
            except Broken:
                pass  # that backup's own damage, named where it is verified
        self._found.add("chain", problems, "" if link is None else link.id)

    def _stored(self, made: Manifest) -> None:
        """Read every sealed byte and compare; needs no key."""
        folder = self._store.set_folder(made.id)
        problems, note = self._problems()
        for part in made.parts:
            entry = Object(part.name, part.bytes, part.sha256)
            self._stored_file(entry, folder / part.name, made, note)
        try:
            for entry in lists.distinct(folder, made):
                self._stored_file(entry, self._store.object_path(entry.name), made, note)
        except Broken as error:
            if not problems:  # a list that was changed was found among the parts already
                note(manifest.OBJECTS, error.message)
        self._found.add("store", problems)

    def _stored_file(
        self, entry: Object, path: Path, made: Manifest, note: restore.Problem
    ) -> None:
        self._progress(Stage.STORE, self._bytes, made.bytes)
        try:
            found = archive.hash_file(path)
        except FileNotFoundError:
            note(entry.name, archive.missing(entry.name))
        except OSError as error:
            note(entry.name, disk.translated(error, path).message)
        else:
            self._bytes += found[0]
            if found != (entry.bytes, entry.sha256):
                note(entry.name, archive.differs(entry.name))

    def _problems(self) -> tuple[list[str], restore.Problem]:
        problems: list[str] = []

        def note(name: str, problem: str) -> None:
            problems.append(problem)
            self._found.damaged.append(name)

        return problems, note

    def _content(self, made: Manifest) -> None:
        problems, note = self._problems()
        restore.unpack(
            self._store, made, self._how.identities, None, problem=note, progress=self._progress
        )
        self._found.add("content", problems)

    def _drill(self, made: Manifest) -> None:
        """Restore for real, as after a fire, and ask the restored application."""
        lock.sweep_workspaces(self._how.scratch, cluster.stop_abandoned)
        with lock.workspace(self._how.scratch, "drill") as workspace:
            needed = made.files.plain_bytes + sum(part.plain_bytes for part in made.parts)
            disk.require_room(workspace, needed)
            started = clock.monotonic()
            problems, note = self._problems()
            with disk.naming_the_cause(workspace):
                restore.unpack(
                    self._store,
                    made,
                    self._how.identities,
                    workspace,
                    problem=note,
                    progress=self._progress,
                )
            self._found.add("content", problems)
            if problems:
                return
            with self._answering(made, Layout(workspace)) as url:
                if url is None:
                    return
                self._restore_seconds = round(clock.monotonic() - started, 3)
                self._progress(Stage.CHECK, 0, 1 + len(self._how.invariants))
                self._database(made, url, Layout(workspace))
                self._invariants(Restored(url, Layout(workspace).files, Layout(workspace).secrets))

    @contextmanager
    def _answering(self, made: Manifest, layout: Layout) -> Iterator[str | None]:
        """Give the URL of the restored database, None when it cannot be restored."""
        database = layout.database(made)
        if made.database.engine == "sqlite":
            yield f"sqlite:///{database}"
            return
        version = restore.major(made)
        with cluster.scratch_database(layout.root, self._how.scratch_server, version) as url:
            try:
                postgresql.restore(database, url, version)
            except Broken as error:
                self._found.add("database", [error.message])
                yield None
            else:
                yield url

    def _database(self, made: Manifest, url: str, layout: Layout) -> None:
        if made.database.engine == "sqlite":
            problems = restore.check_sqlite(layout.database(made), made)
        else:
            problems = restore.compare(postgresql.tables(url), made)
        rows = sum(table.rows for table in made.tables)
        self._found.add("database", problems, f"{len(made.tables)} tables, {rows} rows")

    def _invariants(self, restored: Restored) -> None:
        for done, each in enumerate(self._how.invariants, start=1):
            self._progress(Stage.CHECK, done, 1 + len(self._how.invariants))
            try:
                problems = list(each.check(restored))
            except Exception as error:  # noqa: BLE001 - the caller's code; its fall is a finding
                problems = [f"{type(error).__name__}: {error}"]
            self._found.add(each.name, problems)
