"""What a verification found, signed and kept beside the backup as drill.json."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from backup import disk, manifest
from backup.keys import Keyring, Trust
from backup.plan import Level
from backup.store import DRILL, Loaded, Store
from server.core.errors import Broken
from server.core.i18n import gettext as _

FORMAT = "daftar-verification-1"
DEPTH = {Level.STORE: 0, Level.CONTENT: 1, Level.DRILL: 2}


@dataclass(frozen=True)
class Check:
    """One question that was asked of the backup, and its answer."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Result:
    """One verification. `restore_seconds` is how long the real restore took, when there was one."""

    level: Level
    ok: bool
    started_at: datetime
    finished_at: datetime
    checks: tuple[Check, ...]
    damaged: tuple[str, ...]
    bytes: int
    restore_seconds: float | None

    @property
    def problems(self) -> tuple[str, ...]:
        """Return in plain words what is wrong."""
        return tuple(check.detail for check in self.checks if not check.ok)


@dataclass(frozen=True)
class Record:
    """The newest result of each level, for one manifest."""

    format: str
    set: str
    manifest_sha256: str
    results: tuple[Result, ...]

    @property
    def failed(self) -> bool:
        """Return whether anything newest is wrong."""
        return any(not result.ok for result in self.results)

    @property
    def newest(self) -> Result:
        """Return the last verification."""
        return max(self.results, key=lambda result: result.finished_at)

    @property
    def drill(self) -> Result | None:
        """Return the last drill that ended well."""
        return next((each for each in self.results if each.level is Level.DRILL and each.ok), None)


_RECORD = TypeAdapter(Record)


def read(store: Store, loaded: Loaded, trust: Trust) -> Record | None:
    """Return the record of a backup, None when it was never verified; raise Broken when changed."""
    set_id = loaded.manifest.id
    try:
        content = (store.set_folder(set_id) / DRILL).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk.translated(error, store.folder) from error
    try:
        envelope = json.loads(content)
        signed = manifest.canonical(envelope["record"])
        signature = base64.b64decode(envelope["signature"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise manifest.damaged(DRILL, set_id) from error
    if not trust.believes(signature, signed):
        raise Broken(
            _("The signature of drill.json of the backup %(id)s is wrong.", id=set_id),
            code="bad_signature",
        )
    record = manifest.parsed(_RECORD, signed, DRILL, set_id)
    if (record.format, record.set, record.manifest_sha256) != (FORMAT, set_id, loaded.sha256):
        raise Broken(
            _("drill.json of the backup %(id)s belongs to another backup.", id=set_id),
            code="swapped",
        )
    return record


def keep(store: Store, loaded: Loaded, keys: Keyring, result: Result) -> Record:
    """Sign the result and keep it; a deeper level replaces what the shallower ones had found."""
    try:
        earlier = read(store, loaded, keys.trust)
    except Broken:
        earlier = None  # it is replaced by what was just seen
    kept = tuple(
        each
        for each in (earlier.results if earlier is not None else ())
        if DEPTH[each.level] > DEPTH[result.level]
    )
    record = Record(FORMAT, loaded.manifest.id, loaded.sha256, (*kept, result))
    body = json.loads(_RECORD.dump_json(record))
    signature = keys.sign(manifest.canonical(body))
    envelope = {"record": body, "signature": base64.b64encode(signature).decode()}
    path = store.set_folder(loaded.manifest.id) / DRILL
    with disk.naming_the_cause(store.folder):
        disk.replace(path, json.dumps(envelope, indent=1).encode() + b"\n")
    return record


def file_sha256(store: Store, set_id: str) -> str | None:
    """Return the hash of the kept result, for a person's confirmation to refer to."""
    path = store.set_folder(set_id) / DRILL
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
