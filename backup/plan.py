"""What is to be saved, and the words of this room. The caller fills a plan; nothing here acts on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from backup.keys import Keyring


class Kind(StrEnum):
    """Why a backup was made."""

    DAILY = "daily"
    MANUAL = "manual"
    PRE_UPGRADE = "pre-upgrade"
    PRE_RESTORE = "pre-restore"


class State(StrEnum):
    """How far a backup is proved."""

    COMPLETE = "complete"
    VERIFIED = "verified"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class Level(StrEnum):
    """How deep a verification looks; each level includes the ones before it."""

    STORE = "store"
    CONTENT = "content"
    DRILL = "drill"


class Stage(StrEnum):
    """What a long run is doing at the moment."""

    SNAPSHOT = "snapshot"
    COUNT = "count"
    DATABASE = "database"
    FILES = "files"
    SECRETS = "secrets"
    PUBLISH = "publish"
    STORE = "store"
    CONTENT = "content"
    RESTORE = "restore"
    CHECK = "check"


Progress = Callable[[Stage, int, int], None]
"""Called with the stage, the units done and the units in all (0 while unknown)."""


def silent(stage: Stage, done: int, total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class SecretFile:
    """One file that must be sealed into the backup under this name, such as a key or a setting."""

    name: str
    path: Path


@dataclass(frozen=True)
class Plan:
    """All that one run saves, and with whose keys.

    `files` is the folder of attachments, every one immutable under its name. `scratch` is a folder
    on the server's own disk where the plain copy of the database stands while it is being sealed.
    A database of `chunks_from` bytes and more is sealed in chunks.
    """

    database_url: str
    files: Path | None
    secrets: tuple[SecretFile, ...]
    scratch: Path
    instance: str
    product_version: str
    schema_version: str
    keys: Keyring
    chunks_from: int = 1 << 23


@dataclass(frozen=True)
class Restored:
    """A restored backup as an invariant sees it: a database that answers, files and secrets."""

    database_url: str
    files: Path
    secrets: Path


@dataclass(frozen=True)
class Invariant:
    """A truth of the application that must hold after a restore; `check` returns what is wrong."""

    name: str
    check: Callable[[Restored], Sequence[str]]
