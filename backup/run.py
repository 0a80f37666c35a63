"""One backup from beginning to end: snapshot, seal, describe, sign, publish."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from backup import (
    archive,
    chunks,
    cluster,
    database,
    disk,
    lists,
    lock,
    manifest,
    postgresql,
    result,
    snapshot,
)
from backup.files import Index, regular
from backup.keys import Keyring, Role
from backup.manifest import DatabaseFacts, FileFacts, Link, Manifest, ObjectFacts, Part
from backup.objects import Objects
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
    needed = taken.bytes
    if earlier:
        last = earlier[-1].manifest
        needed = sum(part.bytes for part in last.parts) + last.objects.added_bytes
    disk.require_room(store.folder, int(needed * ROOM))


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
        ledger = self._plan.scratch / f"sealed-at-{self._store.place}.tsv"
        with (
            self._store.publishing(set_id) as folder,
            disk.naming_the_cause(self._store.folder),
            closing(Objects(self._store, self._plan.keys, self._damaged(), ledger)) as objects,
        ):
            self._learn(objects)
            sealed, facts = self._database(folder, taken, objects)
            files = Index(objects)
            index = self._part(folder, manifest.INDEX, Pulled(self._index(files)), None, 0)
            objects.settle()
            secrets = self._part(
                folder, manifest.SECRETS, Pulled(tar_of(self._plan.secrets)), Stage.SECRETS, 0
            )
            objects.finish()
            listed = self._list(folder, objects)
            made = self._manifest(set_id, taken, facts, (sealed, index, listed, secrets))
            made = replace(
                made,
                files=FileFacts(files.count, files.plain_bytes),
                objects=ObjectFacts(*objects.catalogue.used(), objects.added_bytes),
            )
            self._progress(Stage.PUBLISH, 0, 1)
            content = manifest.written(made)
            disk.write_new(folder / manifest.NAME, content)
            disk.write_new(folder / manifest.SIGNATURE, self._plan.keys.sign(content))
        objects.forget()
        self._progress(Stage.PUBLISH, 1, 1)
        return made

    def _part(
        self, folder: Path, name: str, source: disk.Reader, stage: Stage | None, total: int
    ) -> Part:
        tell = self._teller(stage, total)
        sealed = archive.seal(source, folder / name, self._recipients, tell)
        return Part(name, sealed.bytes, sealed.sha256, sealed.plain_bytes, sealed.plain_sha256)

    def _teller(self, stage: Stage | None, total: int) -> Callable[[int], None]:
        def tell(done: int) -> None:
            if stage is not None:
                self._progress(stage, done, max(total, done))

        return tell

    def _database(
        self, folder: Path, taken: Snapshot, objects: Objects
    ) -> tuple[Part, DatabaseFacts]:
        """Seal the database: in one piece where it is small, else in chunks."""
        facts = DatabaseFacts(
            engine=taken.engine,
            engine_version=taken.engine_version,
            part=taken.part,
            file=taken.file,
            digest=taken.algorithm,
        )
        with taken.open() as source:
            if taken.bytes < self._plan.chunks_from:
                part = self._part(folder, taken.part, source, Stage.DATABASE, taken.bytes)
                return part, facts
            return self._chunks(folder, taken, source, objects, facts)

    def _chunks(
        self,
        folder: Path,
        taken: Snapshot,
        source: disk.Reader,
        objects: Objects,
        facts: DatabaseFacts,
    ) -> tuple[Part, DatabaseFacts]:
        size = chunks.chunk_bytes(taken.bytes)
        if taken.copy is not None:
            sample, cut = chunks.sample(taken.copy), chunks.pages
        else:
            ahead = chunks.Ahead(source)
            source, sample, cut = ahead, ahead.dictionary, chunks.lines
        kept = self._plan.scratch / f"dictionary-at-{self._store.place}"
        words = database.words_for(objects, kept, self._last_words(), taken.bytes, sample)
        sealing = database.Sealing(objects, words, self._teller(Stage.DATABASE, taken.bytes))
        part = sealing.seal(source, cut, size, folder / manifest.CHUNKS)
        facts = replace(facts, part=part.name, chunk_bytes=size, dictionary=words.facts)
        return part, facts

    def _last_words(self) -> manifest.Dictionary | None:
        return self._earlier[-1].manifest.database.dictionary if self._earlier else None

    def _learn(self, objects: Objects) -> None:
        """Know what earlier manifests refer to; lists that are the same are read once."""
        seen: set[str] = set()
        for loaded in reversed(self._earlier):
            made = loaded.manifest
            hashes = {part.sha256 for part in made.parts if part.name in manifest.LISTS}
            if hashes <= seen:
                continue
            seen |= hashes
            try:
                objects.learn(lists.objects(self._store.set_folder(made.id), made))
            except Broken as error:
                self._warnings.append(error.message)

    def _list(self, folder: Path, objects: Objects) -> Part:
        """Write the list of the attachments' objects."""
        with disk.create(folder / manifest.OBJECTS) as file:
            listed = archive.Hashing(target=file)
            for entry in objects.catalogue.attachments():
                listed.write(lists.written(entry))
            disk.sync_file(file)
        return Part(manifest.OBJECTS, listed.bytes, listed.sha256, listed.bytes, listed.sha256)

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

    def _index(self, files: Index) -> Iterator[bytes]:
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
        self, set_id: str, taken: Snapshot, facts: DatabaseFacts, parts: tuple[Part, ...]
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
            database=facts,
            tables=taken.tables(),
            parts=parts,
            files=FileFacts(0, 0),
            objects=ObjectFacts(0, 0, 0),
            recipients=self._plan.keys.recipients,
            signer=self._plan.keys.signer_fingerprint,
            previous=None if last is None else Link(last.manifest.id, last.sha256),
            confirmations=self._store.journal_head(),
            warnings=tuple(self._warnings),
        )


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
