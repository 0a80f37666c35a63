"""One backup as one file, and back again. The file is a plain tar: unpacked it is a place itself."""

import io
import json
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from backup import archive, disk, lists, manifest
from backup.keys import Trust
from backup.manifest import Manifest
from backup.plan import Progress, Stage, silent
from backup.store import DRILL, MARKER, PART, Store
from server.core.errors import Broken, Conflict
from server.core.i18n import gettext as _

_PLAIN = frozenset({manifest.NAME, manifest.SIGNATURE, DRILL})


def export_set(
    store: Store, set_id: str, file: Path, *, trust: Trust, progress: Progress = silent
) -> Path:
    """Write a backup with its attachments into one tar file; the file appears when it is whole."""
    if file.exists():
        raise Conflict(_("%(path)s is there already.", path=file), code="file_exists")
    part = file.with_name(f"{PART}{file.name}-{secrets.token_hex(4)}")
    with store.reading(), disk.naming_the_cause(file.parent):
        made = store.load(set_id, trust).manifest
        try:
            with disk.create(part) as target:
                _write(store, made, target, progress)
                disk.sync_file(target)
            disk.publish_new(part, file)
        finally:
            part.unlink(missing_ok=True)
    return file


@dataclass(frozen=True)
class Outgoing:
    """A backup on its way out as one tar: its size, and its bytes piece by piece."""

    size: int
    blocks: Iterator[bytes]


def send(store: Store, set_id: str, *, trust: Trust) -> Outgoing:
    """Return a backup as one tar to be sent while it is read, nothing of it written anywhere.

    Raises Broken before the first byte when a piece is missing or has another size.
    """
    made = store.load(set_id, trust).manifest
    marker = _marker()
    total = 2 * tarfile.BLOCKSIZE + len(_header(MARKER, len(marker))) + len(_padded(marker))
    for piece in _pieces(store, made):
        if not piece.path.is_file():
            raise Broken(archive.missing(piece.path.name), code="damaged")
        size = piece.path.stat().st_size
        if piece.bytes not in (None, size):
            raise Broken(archive.differs(piece.path.name), code="damaged")
        total += len(_header(piece.name, size)) + size + -size % tarfile.BLOCKSIZE
    return Outgoing(total, _blocks(store, made, marker))


def _blocks(store: Store, made: Manifest, marker: bytes) -> Iterator[bytes]:
    with store.reading():
        yield _header(MARKER, len(marker)) + _padded(marker)
        for piece in _pieces(store, made):
            yield _header(piece.name, piece.path.stat().st_size)
            size = 0
            with piece.path.open("rb") as source:
                while block := source.read(disk.BLOCK):
                    size += len(block)
                    yield block
            yield b"\0" * (-size % tarfile.BLOCKSIZE)
        yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    return info.tobuf(tarfile.PAX_FORMAT)


def _marker() -> bytes:
    text = json.dumps({"format": manifest.FORMAT, "place": secrets.token_hex(8)})
    return text.encode() + b"\n"


def _write(store: Store, made: Manifest, target: IO[bytes], progress: Progress) -> None:
    done = 0
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        marker = _marker()
        _add(tar, MARKER, io.BytesIO(marker), len(marker))
        for piece in _pieces(store, made):
            progress(Stage.FILES, done, made.bytes)
            try:
                with piece.path.open("rb") as source:
                    size = piece.path.stat().st_size
                    _add(tar, piece.name, source, size)
            except FileNotFoundError as error:
                raise Broken(archive.missing(piece.path.name), code="damaged") from error
            done += size


@dataclass(frozen=True)
class _Piece:
    """One file of an exported backup; `bytes` is None where the manifest does not know the size."""

    name: str
    path: Path
    bytes: int | None


def _pieces(store: Store, made: Manifest) -> Iterator[_Piece]:
    folder = store.set_folder(made.id)
    sizes: dict[str, int | None] = dict.fromkeys(_PLAIN)
    sizes |= {part.name: part.bytes for part in made.parts}
    for name, size in sorted(sizes.items()):
        if name != DRILL or (folder / DRILL).is_file():
            yield _Piece(f"sets/{made.id}/{name}", folder / name, size)
    for each in lists.distinct(folder, made):
        path = store.object_path(each.name)
        yield _Piece(path.relative_to(store.folder).as_posix(), path, each.bytes)


def _add(tar: tarfile.TarFile, name: str, source: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    tar.addfile(info, source)


def import_set(
    store: Store, file: Path, *, trust: Trust | None, progress: Progress = silent
) -> Manifest:
    """Take a backup from an exported file into the place, after checking signature and bytes."""
    with store.writing(), disk.naming_the_cause(store.folder):
        store.sweep()
        with _staging(store) as staging:
            _extract(file, staging.folder)
            found = staging.set_ids()
            if len(found) != 1:
                raise Broken(_("%(path)s is no exported backup.", path=file), code="not_an_export")
            made = staging.load(found[0], trust).manifest
            if (store.sets / made.id).exists():
                raise Conflict(
                    _("The backup %(id)s is here already.", id=made.id), code="set_exists"
                )
            _check(staging, made, progress)
            _adopt(staging, store, made)
    return made


@contextmanager
def _staging(store: Store) -> Iterator[Store]:
    """Give a small place inside the place, which sweeping removes if we are killed."""
    folder = store.sets / f"{PART}import-{secrets.token_hex(4)}"
    try:
        yield Store.create(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(file: Path, into: Path) -> None:
    """Unpack only names that a backup can have."""
    try:
        with tarfile.open(file, mode="r|") as tar:
            for member in tar:
                source = tar.extractfile(member) if member.isreg() else None
                if source is not None and _is_ours(member.name):
                    target = into / member.name
                    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    with disk.create(target) as out:
                        shutil.copyfileobj(source, out, disk.BLOCK)
                        disk.sync_file(out)
    except (tarfile.TarError, FileExistsError) as error:
        raise Broken(_("%(path)s is cut or damaged.", path=file), code="damaged") from error


def _is_ours(name: str) -> bool:
    steps = PurePosixPath(name).parts
    if len(steps) != 3:
        return False
    if steps[0] == "sets":
        return manifest.is_id(steps[1]) and (steps[2] in _PLAIN or manifest.is_part(steps[2]))
    return steps[0] == "objects" and manifest.is_object(steps[2]) and steps[1] == steps[2][:2]


def _check(staging: Store, made: Manifest, progress: Progress) -> None:
    folder = staging.set_folder(made.id)
    parts = ((folder / each.name, each.bytes, each.sha256) for each in made.parts)
    objects = (
        (staging.object_path(each.name), each.bytes, each.sha256)
        for each in lists.distinct(folder, made)
    )
    done = 0
    for path, size, sha256 in chain(parts, objects):
        progress(Stage.STORE, done, made.bytes)
        if not path.is_file():
            raise Broken(archive.missing(path.name), code="damaged")
        if archive.hash_file(path) != (size, sha256):
            raise Broken(archive.differs(path.name), code="damaged")
        done += size


def _adopt(staging: Store, store: Store, made: Manifest) -> None:
    """Move the attachments in, then publish the set by its rename."""
    for each in lists.distinct(staging.set_folder(made.id), made):
        final = store.object_path(each.name)
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not final.exists():
            staging.object_path(each.name).rename(final)
        elif archive.hash_file(final) != (each.bytes, each.sha256):
            raise Conflict(
                _("Another object %(name)s is here already.", name=each.name), code="object_differs"
            )
    for shelf in store.objects.iterdir():
        if shelf.is_dir():
            disk.sync_folder(shelf)
    disk.sync_folder(store.objects)
    disk.sync_folder(staging.set_folder(made.id))
    staging.set_folder(made.id).rename(store.sets / made.id)
    disk.sync_folder(store.sets)
