"""One backup from beginning to end: snapshot, seal, describe, sign, publish."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from backup import archive, cluster, disk, lock, manifest, postgresql, result, snapshot
from backup.files import Sealing, regular
from backup.keys import Keyring, Role
from backup.manifest import DatabaseFacts, FileFacts, Link, Manifest, Part
from backup.plan import Kind, Plan, Progress, Stage, silent
from backup.snapshot import Snapshot
from backup.store import Loaded, Store
from backup.stream import Pulled, tar_of
from server.core import clock
from server.core.errors import Broken, Missing
from server.core.i18n import gettext as _

ROOM = 1.2  # how much more than the last backup must be free


def back_up(
    plan: Plan, store: Store, *, kind: Kind = Kind.MANUAL, progress: Progress = silent
) -> Manifest:
    """Make one backup and return its manifest.

    Raises Conflict when another run holds the place, Missing when the disk is full or a
    precondition is missing, Broken when the database is damaged. Whatever happens, earlier backups
    stay as they are and no half backup shows.
    """
    _require_recipients(plan.keys)
    with store.writing():
        store.sweep()
        lock.sweep_workspaces(plan.scratch, cluster.stop_abandoned)
        earlier = store.loaded(plan.keys.trust)
        with (
            lock.workspace(plan.scratch, "run") as workspace,
            _snapshot(plan.database_url, workspace, progress) as taken,
        ):
            _require_room(store, taken, earlier)
            return _Run(plan, store, kind, progress, earlier).seal(taken)


def _require_recipients(keys: Keyring) -> None:
    """Refuse to make a backup that nobody could open after a fire."""
    if not {Role.WORKING, Role.ESCROW} <= {each.role for each in keys.recipients}:
        raise Missing(
            _("The working or the escrow key of the backups is missing."), code="no_recipients"
        )


def _snapshot(url: str, workspace: Path, progress: Progress) -> AbstractContextManager[Snapshot]:
    take = snapshot.sqlite if snapshot.is_sqlite(url) else postgresql.snapshot
    return take(url, workspace, progress)


def _require_room(store: Store, taken: Snapshot, earlier: list[Loaded]) -> None:
    last = sum(part.bytes for part in earlier[-1].manifest.parts) if earlier else taken.bytes
    disk.require_room(store.folder, int(last * ROOM))


class _Run:
    """The parts of a set as they come together."""

    def __init__(
        self, plan: Plan, store: Store, kind: Kind, progress: Progress, earlier: list[Loaded]
    ) -> None:
        self._plan = plan
        self._store = store
        self._kind = kind
        self._progress = progress
        self._earlier = earlier
        self._recipients = plan.keys.age_recipients()
        self._warnings: list[str] = []

    def seal(self, taken: Snapshot) -> Manifest:
        """Seal everything into a new set and publish it."""
        set_id = manifest.new_id(taken.taken_at)
        with self._store.publishing(set_id) as folder, disk.naming_the_cause(self._store.folder):
            with taken.open() as source:
                database = self._part(folder, taken.part, source, Stage.DATABASE, taken.bytes)
            files = self._files()
            index = self._part(folder, manifest.INDEX, Pulled(self._index(files)), None, 0)
            secrets = self._part(
                folder, manifest.SECRETS, Pulled(tar_of(self._plan.secrets)), Stage.SECRETS, 0
            )
            made = self._manifest(set_id, taken, (database, index, secrets), files)
            self._progress(Stage.PUBLISH, 0, 1)
            content = manifest.written(made)
            disk.write_new(folder / manifest.NAME, content)
            disk.write_new(folder / manifest.SIGNATURE, self._plan.keys.sign(content))
        files.forget()
        self._progress(Stage.PUBLISH, 1, 1)
        return made

    def _part(
        self, folder: Path, name: str, source: disk.Reader, stage: Stage | None, total: int
    ) -> Part:
        def tell(done: int) -> None:
            if stage is not None:
                self._progress(stage, done, max(total, done))

        sealed = archive.seal(source, folder / name, self._recipients, tell)
        return Part(name, sealed.bytes, sealed.sha256, sealed.plain_bytes, sealed.plain_sha256)

    def _files(self) -> Sealing:
        known = {each.name: each for loaded in self._earlier for each in loaded.manifest.objects}
        ledger = self._plan.scratch / f"sealed-at-{self._store.place}.tsv"
        return Sealing(self._store, self._plan.keys, known, self._damaged(), ledger)

    def _damaged(self) -> frozenset[str]:
        """Return the objects that verifications found wrong."""
        names: set[str] = set()
        for loaded in self._earlier:
            try:
                record = result.read(self._store, loaded, self._plan.keys.trust)
            except Broken as error:
                self._warnings.append(error.message)
                continue
            for each in record.results if record is not None else ():
                names.update(each.damaged)
        return frozenset(names)

    def _index(self, files: Sealing) -> Iterator[bytes]:
        folder = self._plan.files
        if folder is None or not folder.is_dir():
            if folder is not None:
                self._warnings.append(f"{folder.name}: no such folder")
            return
        total = sum(1 for _path in regular(folder))
        for done, line in enumerate(files.lines(folder)):
            self._progress(Stage.FILES, done, total)
            yield line.written()
        self._progress(Stage.FILES, total, total)

    def _manifest(
        self, set_id: str, taken: Snapshot, parts: tuple[Part, ...], files: Sealing
    ) -> Manifest:
        last = self._earlier[-1] if self._earlier else None
        return Manifest(
            format=manifest.FORMAT,
            id=set_id,
            sequence=1 if last is None else last.manifest.sequence + 1,
            kind=self._kind,
            created_at=_whole(taken.taken_at),
            finished_at=_whole(clock.now()),
            instance=self._plan.instance,
            product_version=self._plan.product_version,
            schema_version=self._plan.schema_version,
            database=DatabaseFacts(
                engine=taken.engine,
                engine_version=taken.engine_version,
                part=taken.part,
                file=taken.file,
                digest=taken.algorithm,
            ),
            tables=taken.tables,
            parts=parts,
            files=FileFacts(files.count, files.plain_bytes),
            objects=tuple(files.objects[name] for name in sorted(files.objects)),
            recipients=self._plan.keys.recipients,
            signer=self._plan.keys.signer_fingerprint,
            previous=None if last is None else Link(last.manifest.id, last.sha256),
            confirmations=self._store.journal_head(),
            warnings=tuple(self._warnings),
        )


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
