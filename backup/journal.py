"""An append-only file of JSON lines, each holding the hash of the one before. Knows no backups."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backup import lock
from backup.disk import naming_the_cause, sync_folder
from backup.keys import Trust
from backup.manifest import JournalHead, canonical
from server.core import clock
from server.core.errors import Broken
from server.core.i18n import gettext as _

START = "0" * 64

Value = str | int | None
Entry = Mapping[str, Value]
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Reading:
    """The entries up to the first broken one, and what is wrong with that one."""

    entries: tuple[Entry, ...]
    broken_line: int | None
    problem: str | None

    @property
    def head(self) -> JournalHead:
        """Return the number of whole entries and the hash of the last."""
        last = str(self.entries[-1]["hash"]) if self.entries else START
        return JournalHead(len(self.entries), last)


def read(path: Path) -> Reading:
    """Read the journal and check its chain."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Reading((), None, None)
    entries: list[Entry] = []
    previous = START
    for number, line in enumerate(lines[:-1], start=1):
        entry = _entry(line, number, previous)
        if entry is None:
            problem = _("Line %(n)s of %(name)s was changed.", n=number, name=path.name)
            return Reading(tuple(entries), number, problem)
        entries.append(entry)
        previous = str(entry["hash"])
    if lines[-1]:
        problem = _("Line %(n)s of %(name)s is cut off.", n=len(lines), name=path.name)
        return Reading(tuple(entries), len(lines), problem)
    return Reading(tuple(entries), None, None)


def _entry(line: bytes, number: int, previous: str) -> Entry | None:
    """Return the entry of the line when it is whole and follows the one before."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or canonical(entry) != line:
        return None
    body = {key: value for key, value in entry.items() if key not in {"hash", "signature"}}
    follows = entry.get("seq") == number and entry.get("previous") == previous
    return entry if follows and entry.get("hash") == _hash(body) else None


def _hash(body: Entry) -> str:
    return hashlib.sha256(canonical(dict(body))).hexdigest()


def is_signed(entry: Entry, trust: Trust) -> bool:
    """Return whether one of the keys we believe signed the entry."""
    try:
        signature = bytes.fromhex(str(entry.get("signature", "")))
    except ValueError:
        return False
    return trust.believes(signature, str(entry["hash"]).encode())


def reaches(reading: Reading, head: JournalHead) -> bool:
    """Return whether the journal still holds the entry that it once ended with."""
    if head.entries == 0:
        return True
    if len(reading.entries) < head.entries:
        return False
    return reading.entries[head.entries - 1]["hash"] == head.head


def append(path: Path, body: Entry, sign: Sign | None = None) -> Entry:
    """Add an entry, synced before it returns. Refuses to go on behind a changed line."""
    guard = path.with_name(f".{path.name}.lock")
    with (
        naming_the_cause(path.parent),
        lock.held(guard, refusal=_("Somebody else is writing at this moment. Try again.")),
    ):
        reading = _mended(path)
        head = reading.head
        whole = {**body, "seq": head.entries + 1, "previous": head.head}
        entry: dict[str, Value] = {**whole, "hash": _hash(whole)}
        if sign is not None:
            entry["signature"] = sign(str(entry["hash"]).encode()).hex()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, canonical(entry) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(path.parent)
    return entry


def _mended(path: Path) -> Reading:
    """Return the reading; a last line cut off by a power cut is laid aside first."""
    reading = read(path)
    if reading.broken_line is None:
        return reading
    content = path.read_bytes()
    whole, newline, rest = content.rpartition(b"\n")
    if reading.broken_line != whole.count(b"\n") + bool(newline) + 1 or not rest:
        raise Broken(
            _("%(problem)s Nothing is added behind it.", problem=reading.problem),
            code="journal_broken",
        )
    aside = path.with_name(f"{path.name}.cut-{clock.timestamp()}")
    aside.write_bytes(rest)
    os.truncate(path, len(content) - len(rest))
    return read(path)
