"""The manifest of a backup: what is inside, and the proof that it was us who wrote it."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from backup.digest import TableDigest
from backup.keys import SealedTo
from backup.plan import Kind
from server.core import clock
from server.core.errors import Broken, Invalid
from server.core.i18n import gettext as _

FORMAT = "daftar-backup-2"
NAME = "manifest.json"
SIGNATURE = "manifest.sig"
INDEX = "files.tsv.zst.age"
SECRETS = "secrets.tar.zst.age"
OBJECTS = "objects.tsv"
CHUNKS = "database.tsv"
LISTS = (OBJECTS, CHUNKS)

_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_PART = re.compile(r"[a-z]+(\.[a-z]+)+")
_OBJECT = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One file of the set: a sealed one, or a list of sealed objects.

    Of a list of chunks `plain_bytes` and `plain_sha256` are those of the joined content.
    """

    name: str
    bytes: int
    sha256: str
    plain_bytes: int
    plain_sha256: str


@dataclass(frozen=True)
class Object:
    """One sealed attachment, chunk or dictionary that the set refers to."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dictionary:
    """What the chunks are compressed by, an object too. `made_for` is the size of the database then."""

    object: Object
    made_for: int


@dataclass(frozen=True)
class DatabaseFacts:
    """Which database was saved, in which part, and how its tables were digested.

    A large one lies in chunks of about `chunk_bytes`, which the part lists in their order.
    """

    engine: str
    engine_version: str
    part: str
    file: str
    digest: str
    chunk_bytes: int = 0
    dictionary: Dictionary | None = None


@dataclass(frozen=True)
class ObjectFacts:
    """How many objects the set refers to, what they weigh, and how much of that was sealed for it."""

    count: int
    bytes: int
    added_bytes: int


@dataclass(frozen=True)
class FileFacts:
    """How many attachments the set has and what they weigh unsealed."""

    count: int
    plain_bytes: int


@dataclass(frozen=True)
class Link:
    """The manifest before this one."""

    id: str
    sha256: str


@dataclass(frozen=True)
class JournalHead:
    """Where the journal of confirmations stood, so that a cut end shows."""

    entries: int
    head: str


@dataclass(frozen=True)
class Manifest:
    """Everything that is known about one backup."""

    format: str
    id: str
    sequence: int
    kind: Kind
    created_at: datetime
    finished_at: datetime
    instance: str
    product_version: str
    schema_version: str
    database: DatabaseFacts
    tables: tuple[TableDigest, ...]
    parts: tuple[Part, ...]
    files: FileFacts
    objects: ObjectFacts
    recipients: tuple[SealedTo, ...]
    signer: str
    previous: Link | None
    confirmations: JournalHead
    warnings: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Return what the set and its attachments weigh sealed."""
        return sum(part.bytes for part in self.parts) + self.objects.bytes

    def has_part(self, name: str) -> bool:
        """Return whether there is a part of this name."""
        return any(part.name == name for part in self.parts)

    def part(self, name: str) -> Part:
        """Return the part of this name; raise Broken when there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise Broken(_("The backup %(id)s has no %(name)s.", id=self.id, name=name), code="damaged")


_MANIFEST = TypeAdapter(Manifest)


def new_id(moment: datetime) -> str:
    """Return a name for a backup that sorts by time."""
    stamp = clock.rfc3339(moment).replace("-", "").replace(":", "")
    return f"{stamp}-{secrets.token_hex(3)}"


def is_id(name: str) -> bool:
    """Return whether this can be the name of a backup."""
    return _ID.fullmatch(name) is not None


def is_object(name: str) -> bool:
    """Return whether this can be the name of an object."""
    return _OBJECT.fullmatch(name) is not None


def is_part(name: str) -> bool:
    """Return whether this can be the name of a part."""
    return name in LISTS or (_PART.fullmatch(name) is not None and name.endswith(".age"))


def must_be_id(name: str) -> str:
    """Return the name when it can be one of a backup; raise Invalid otherwise."""
    if not is_id(name):
        raise Invalid(
            _("%(name)s is no backup. See `daftar backup list`.", name=name),
            field="id",
            code="bad_id",
        )
    return name


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a manifest's bytes."""
    return hashlib.sha256(content).hexdigest()


def written(manifest: Manifest) -> bytes:
    """Return the manifest as the bytes that are signed and stored."""
    return _MANIFEST.dump_json(manifest, indent=1) + b"\n"


def read(content: bytes, set_id: str) -> Manifest:
    """Read a manifest that stands in the set of this name; raise Broken when it cannot be one."""
    found = parsed(_MANIFEST, content, NAME, set_id)
    names = [part.name for part in found.parts]
    fits = (
        found.format == FORMAT
        and found.id == set_id
        and all(is_part(name) for name in names)
        and len(set(names)) == len(names)
        and _is_object(found.database.dictionary)
        and "/" not in found.database.file
    )
    if not fits:
        raise damaged(NAME, set_id)
    return found


def _is_object(dictionary: Dictionary | None) -> bool:
    return dictionary is None or is_object(dictionary.object.name)


def parsed(adapter: TypeAdapter[T], content: bytes, name: str, set_id: str) -> T:
    """Read JSON into its dataclass; raise Broken, naming file and set, when it does not fit."""
    try:
        return adapter.validate_json(content)
    except (ValidationError, ValueError) as error:
        raise damaged(name, set_id) from error


def damaged(name: str, set_id: str) -> Broken:
    """Return the error for a file of a set that is not what was written."""
    return Broken(
        _("%(name)s of the backup %(id)s is damaged.", name=name, id=set_id), code="damaged"
    )


def canonical(value: object) -> bytes:
    """Return JSON in its one canonical form: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
