"""Bringing a backup back: into a new folder, whole, checked before it shows. Touches nothing live."""

import io
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backup import archive, digest, disk, files, lists, manifest, postgresql
from backup.catalogue import Catalogue, Use
from backup.database import Joining
from backup.digest import TableDigest
from backup.keys import Trust
from backup.manifest import Manifest, Part
from backup.plan import Progress, Stage, silent
from backup.store import Store
from backup.stream import tar_members
from server.core import clock
from server.core.errors import Broken, Conflict, Missing
from server.core.i18n import gettext as _

Identities = tuple[archive.Identity, ...]
Problem = Callable[[str, str], None]
"""Called with the name of what is damaged and a sentence about it."""


@dataclass(frozen=True)
class Access:
    """The keys to open a backup with and the signers to believe; no trust means not asking."""

    identities: Identities
    trust: Trust | None


@dataclass(frozen=True)
class Layout:
    """Where the pieces of a restored backup stand."""

    root: Path

    @property
    def files(self) -> Path:
        """Return the folder of attachments."""
        return self.root / "files"

    @property
    def secrets(self) -> Path:
        """Return the folder of keys and settings."""
        return self.root / "secrets"

    def database(self, made: Manifest) -> Path:
        """Return the SQLite file, or the dump of PostgreSQL."""
        return self.root / "db" / made.database.file


@dataclass(frozen=True)
class Report:
    """What a restore brought back. `database_url` is None for a dump that was left as a file."""

    manifest: Manifest
    folder: Path
    database: Path
    files: Path
    secrets: Path
    database_url: str | None
    seconds: float


def refuse(_name: str, problem: str) -> None:
    """Stop at the first damage."""
    raise Broken(problem, code="damaged")


def unpack(
    store: Store,
    made: Manifest,
    identities: Identities,
    into: Path | None,
    *,
    problem: Problem = refuse,
    progress: Progress = silent,
) -> None:
    """Open every part and every attachment and compare it with what was sealed.

    With no folder everything is read and nothing written. Raises Missing when no key fits.
    """
    unpacking = _Unpacking(store, made, identities, problem, progress)
    layout = None if into is None else Layout(into)
    if layout is not None:
        for folder in (layout.database(made).parent, layout.files, layout.secrets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unpacking.open_database(None if layout is None else layout.database(made))
    unpacking.open_secrets(None if layout is None else layout.secrets)
    unpacking.open_files(None if layout is None else layout.files)


class _Unpacking:
    """Opens the pieces of one backup."""

    def __init__(
        self,
        store: Store,
        made: Manifest,
        identities: Identities,
        problem: Problem,
        progress: Progress,
    ) -> None:
        self._store = store
        self._made = made
        self._identities = identities
        self._problem = problem
        self._progress = progress
        self._folder = store.set_folder(made.id)

    def open_database(self, target: Path | None) -> None:
        self._progress(Stage.RESTORE, 0, 0)
        if target is None:
            self._database(_Nowhere())
            return
        with disk.create(target) as file:
            self._database(file)
            disk.sync_file(file)

    def _database(self, target: disk.Writer) -> None:
        part = self._made.part(self._made.database.part)
        if part.name != manifest.CHUNKS:
            self._open(part, target)
            return
        joining = Joining(self._store, self._made, self._identities)
        joining.join(target, lambda name, error: self._problem(name, error.message))

    def open_secrets(self, target: Path | None) -> None:
        content = io.BytesIO()
        if not self._open(self._made.part(manifest.SECRETS), content):
            return
        content.seek(0)
        for name, data in tar_members(content):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                self._problem(manifest.SECRETS, _("The secrets lead out of their folder."))
            elif target is not None:
                final = target.joinpath(*path.parts)
                final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                disk.write_new(final, data)

    def open_files(self, target: Path | None) -> None:
        with closing(Catalogue()) as listed, tempfile.TemporaryFile() as index:
            try:
                listed.learn(lists.attachments(self._folder, self._made))
            except Broken as error:
                self._problem(manifest.OBJECTS, error.message)
                return
            if not self._open(self._made.part(manifest.INDEX), index):
                return
            index.seek(0)
            for done, raw in enumerate(index):
                self._progress(Stage.CONTENT, done, self._made.files.count)
                self._listed_file(listed, files.read_line(raw), target)
            if listed.unused():
                self._problem(manifest.INDEX, _("The list of files lacks some of the objects."))

    def _listed_file(self, listed: Catalogue, line: files.Line, target: Path | None) -> None:
        entry = listed.find(line.object)
        if entry is None:
            self._problem(manifest.INDEX, self._not_listed(line.object))
        elif listed.use(entry.name, Use.FILE) or target is not None:
            self._file(entry, line, target)

    def _not_listed(self, name: str) -> str:
        return _("The object %(name)s is not in the manifest.", name=name)

    def _file(self, entry: manifest.Object, line: files.Line, target: Path | None) -> None:
        part = Part(entry.name, entry.bytes, entry.sha256, line.size, line.sha256)
        if target is None:
            self._open(part, _Nowhere())
            return
        final = target.joinpath(*PurePosixPath(line.path).parts)
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with disk.create(final) as file:
            self._open(part, file)
        os.utime(final, ns=(line.modified_ns, line.modified_ns))

    def _open(self, part: Part, target: disk.Writer) -> bool:
        """Open one sealed file and compare; return whether it is what was sealed."""
        is_object = manifest.is_object(part.name)
        path = self._store.object_path(part.name) if is_object else self._folder / part.name
        try:
            opened = archive.unseal(path, target, self._identities)
        except FileNotFoundError:
            self._problem(part.name, archive.missing(part.name))
            return False
        except Broken as error:
            self._problem(part.name, error.message)
            return False
        except Missing:
            # A changed header of the sealed file looks to the age library like a key that does not fit.
            if archive.hash_file(path) == (part.bytes, part.sha256):
                raise
            self._problem(part.name, archive.differs(part.name))
            return False
        same = opened == archive.Sealed(
            part.bytes, part.sha256, part.plain_bytes, part.plain_sha256
        )
        if not same:
            self._problem(part.name, archive.differs(part.name))
        return same


class _Nowhere:
    """A writer that keeps nothing: the hash was taken on the way."""

    def write(self, data: bytes, /) -> int:
        return len(data)


def check_sqlite(path: Path, made: Manifest) -> list[str]:
    """Return what is wrong with a restored SQLite file: structure, references, content."""
    problems = check_structure(path)
    try:
        return problems + compare(digest.sqlite_tables(path), made)
    except sqlite3.Error as error:
        return [*problems, _unreadable(error)]


def check_structure(path: Path) -> list[str]:
    """Return what is wrong with the pages, indexes and references of a SQLite file."""
    try:
        with closing(digest.open_copy(path)) as connection:
            said = [_text(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            loose = connection.execute("PRAGMA foreign_key_check").fetchmany(20)
    except sqlite3.Error as error:
        return [_unreadable(error)]
    problems = [] if said == ["ok"] else said
    return problems + [
        _("Table %(name)s has rows without their parent.", name=_text(row[0])) for row in loose
    ]


def _unreadable(error: sqlite3.Error) -> str:
    return _("The restored database cannot be read: %(reason)s.", reason=error)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def compare(found: tuple[TableDigest, ...], made: Manifest) -> list[str]:
    """Return how the tables differ from those in the manifest."""
    expected = {table.name: table for table in made.tables}
    actual = {table.name: table for table in found}
    problems = []
    for name in sorted(expected.keys() | actual.keys()):
        then, now = expected.get(name), actual.get(name)
        if then is None or now is None:
            problems.append(_("Table %(name)s is there on one side only.", name=name))
        elif then.rows != now.rows:
            problems.append(
                _(
                    "Table %(name)s has %(now)s rows, not %(then)s.",
                    name=name,
                    now=now.rows,
                    then=then.rows,
                )
            )
        elif then.sha256 != now.sha256:
            problems.append(_("The content of table %(name)s differs.", name=name))
    return problems


def restore(
    store: Store,
    set_id: str,
    into: Path,
    *,
    access: Access,
    database_url: str | None = None,
    progress: Progress = silent,
) -> Report:
    """Restore a backup whole into a new folder; it appears under its name only when all is right.

    The folder then holds `db/`, `files/`, `secrets/` and the manifest. `database_url` names an
    empty PostgreSQL database that takes a PostgreSQL backup; without it the dump stays a file.
    """
    require_identities(access.identities)
    started = clock.monotonic()
    with store.reading():
        loaded = store.load(set_id, access.trust)
        made = loaded.manifest
        if database_url is not None:
            _require_empty(made, database_url)
        with new_folder(into) as part, disk.naming_the_cause(into):
            unpack(store, made, access.identities, part, progress=progress)
            source = store.set_folder(set_id) / manifest.NAME
            shutil.copyfile(source, part / manifest.NAME)
            progress(Stage.CHECK, 0, 1)
            _check(made, Layout(part).database(made), database_url)
            progress(Stage.CHECK, 1, 1)
    layout = Layout(into)
    database = layout.database(made)
    url = f"sqlite:///{database.absolute()}" if made.database.engine == "sqlite" else database_url
    seconds = clock.monotonic() - started
    return Report(made, into, database, layout.files, layout.secrets, url, seconds)


def _require_empty(made: Manifest, url: str) -> None:
    if made.database.engine != "postgresql":
        raise Conflict(
            _("The backup %(id)s is one of SQLite and needs no database server.", id=made.id),
            code="wrong_engine",
        )
    if not postgresql.is_empty(url):
        raise Conflict(
            _(
                "The database %(name)s is not empty. Name a new one.",
                name=postgresql.database_name(url),
            ),
            code="not_empty",
        )


def _check(made: Manifest, database: Path, url: str | None) -> None:
    problems: list[str] = []
    if made.database.engine == "sqlite":
        # Byte for byte the file whose rows the manifest counts, so they need no second count.
        problems = check_structure(database)
    elif url is not None:
        postgresql.restore(database, url, major(made))
        problems = compare(postgresql.tables(url), made)
    if problems:
        raise Broken(
            _("The restored backup is not whole: %(problems)s", problems=" ".join(problems[:5])),
            code="damaged",
        )


def major(made: Manifest) -> int:
    """Return the major version of the PostgreSQL server that was dumped."""
    digits = made.database.engine_version.split(".")[0].split(" ")[0]
    return int(digits) if digits.isdigit() else 0


@contextmanager
def new_folder(into: Path) -> Iterator[Path]:
    """Give a folder that takes the wanted name when the block ends well, else is wiped."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Conflict(
            _("%(path)s is there already. Restore into a new folder.", path=into), code="not_empty"
        )
    with disk.naming_the_cause(into):
        into.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".part-{into.name}-", dir=into.parent))
    try:
        yield part
        with disk.naming_the_cause(into):
            if into.is_dir():
                into.rmdir()
            part.rename(into)
            disk.sync_folder(into.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def require_identities(identities: Identities) -> None:
    """Refuse to go on without a key."""
    if not identities:
        raise Missing(
            _(
                "There is no key to open the backup: the drill key was removed from this server."
                " Give the working or the escrow key, or check the sealed files only."
            ),
            code="no_key",
        )
