"""Writing everything into one zip file: a CSV file a table, the kept files, the licence's facts, a manifest.

It reads one consistent moment, holds one page of rows in memory, and is there whole or not at all.
"""

import csv
import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session

from server.core import clock
from server.core.actor import Actor
from server.core.clock import rfc3339
from server.core.db import Database
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.core.version import VERSION
from server.exports.rules import LEFT_OUT, SHEETS, Sheet
from server.exports.sheets import count_rows, header_of, pages_of

BLOCK = 1 << 20
FORMAT = 1
NOTES = {
    "text": "UTF-8 with a byte order mark, comma separated, quoted as in RFC 4180",
    "moments": "RFC 3339 in UTC; dates as YYYY-MM-DD",
    "amounts": "decimal in the column of the amount, whole minor units beside it in the column …_minor",
    "lists": "several addresses or numbers in one cell are separated by a semicolon",
    "bin": "records that were deleted and wait in the bin have in_bin = true",
    "apostrophe": "a text that a spreadsheet would take for a formula has an apostrophe before it",
    "files": "files/ holds uploaded files under their SHA-256; imports.csv tells their names",
}

Progress = Callable[[int, int], None]
LicenceFacts = Callable[[Session, Actor], Mapping[str, object] | None]


def silent(_done: int, _rows: int) -> None:
    """Tell nobody how far the work is."""


@dataclass(frozen=True)
class Source:
    """Where an export reads from. `licence` tells the licence's facts inside the same transaction."""

    database: Database
    files: Path
    organization: str
    licence: LicenceFacts


@dataclass(frozen=True)
class Written:
    """A finished export: how many rows each sheet has, and the file's size and hash."""

    rows: int
    counts: Mapping[str, int]
    bytes: int
    sha256: str


@dataclass
class _Book:
    """The archive under way and what its manifest will say."""

    archive: zipfile.ZipFile
    progress: Progress
    total: int = 0
    done: int = 0
    sheets: list[dict[str, object]] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=lambda: {"count": 0, "bytes": 0})


class _Hashed(io.RawIOBase):
    """Passes bytes on and remembers their hash."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, block: object) -> int:
        data = bytes(block)  # type: ignore[call-overload] # a buffer
        self.digest.update(data)
        self._target.write(data)
        return len(data)


def sheets_for(actor: Actor) -> tuple[Sheet, ...]:
    """Return the sheets this actor may have."""
    return tuple(
        sheet for sheet in SHEETS if sheet.permission is None or actor.may(sheet.permission)
    )


def write_archive(
    source: Source, actor: Actor, target: Path, progress: Progress = silent
) -> Written:
    """Write the export to `target`, replacing what is there only when it is whole.

    Raise Missing when the disk refuses; nothing is left behind then.
    """
    actor.must("exports.run")
    try:
        with _published(target) as file:
            book = _fill(source, actor, file, progress)
    except OSError as error:
        raise Missing(
            _(
                "The export cannot be written to %(path)s: %(why)s. Make room there, then try again.",
                path=target,
                why=error.strerror or error,
            )
        ) from error
    size, digest = _size_and_hash(target)
    counts = {str(sheet["file"]): int(str(sheet["rows"])) for sheet in book.sheets}
    return Written(book.done, counts, size, digest)


@contextmanager
def _published(target: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of the target once it is whole and on the disk."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _fill(source: Source, actor: Actor, file: IO[bytes], progress: Progress) -> _Book:
    sheets = sheets_for(actor)
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive,
        source.database.read() as session,
    ):
        book = _Book(archive, progress, sum(count_rows(session, sheet) for sheet in sheets))
        progress(0, book.total)
        for sheet in sheets:
            _write_sheet(book, session, sheet)
        facts = source.licence(session, actor)
        _write_json(book, "license.json", facts)
        _write_files(book, source.files)
        _write_json(book, "manifest.json", _manifest(source, actor, book))
    return book


def _entry(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, clock.now().timetuple()[:6])
    entry.compress_type = method
    entry.external_attr = 0o600 << 16
    return entry


def _write_sheet(book: _Book, session: Session, sheet: Sheet) -> None:
    rows = 0
    with book.archive.open(_entry(sheet.file), "w", force_zip64=True) as member:
        hashed = _Hashed(member)
        buffered = io.BufferedWriter(hashed, BLOCK)
        with io.TextIOWrapper(buffered, "utf-8-sig", newline="") as text:
            lines = csv.writer(text)
            lines.writerow(header_of(sheet))
            for page in pages_of(session, sheet):
                lines.writerows(page)
                rows += len(page)
                book.done += len(page)
                book.progress(book.done, max(book.total, book.done))
    described = {"file": sheet.file, "rows": rows, "columns": header_of(sheet)}
    book.sheets.append({**described, "sha256": hashed.digest.hexdigest()})


def _write_json(book: _Book, name: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    book.archive.writestr(_entry(name), f"{text}\n")


def _write_files(book: _Book, folder: Path) -> None:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file() or path.is_symlink() or path.name.startswith("."):
            continue
        name = f"files/{path.relative_to(folder).as_posix()}"
        entry = _entry(name, zipfile.ZIP_STORED)
        with path.open("rb") as kept, book.archive.open(entry, "w", force_zip64=True) as member:
            while block := kept.read(BLOCK):
                member.write(block)
                book.files["bytes"] += len(block)
                book.progress(book.done, book.total)  # a large file must not let the claim lapse
        book.files["count"] += 1


def _manifest(source: Source, actor: Actor, book: _Book) -> dict[str, object]:
    missing = [sheet.file for sheet in SHEETS if sheet not in sheets_for(actor)]
    return {
        "format": FORMAT,
        "product": "daftar",
        "version": VERSION,
        "made_at": rfc3339(clock.now()),
        "made_by": actor.name,
        "organization": source.organization,
        "sheets": book.sheets,
        "files": book.files,
        "notes": NOTES,
        "not_for_this_user": missing,
        "left_out": dict(LEFT_OUT),
    }


def _size_and_hash(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return path.stat().st_size, digest.hexdigest()
