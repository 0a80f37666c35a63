"""The files that people uploaded, kept under their own content: each once, and whole or not at all."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from server.core.errors import Invalid, Missing
from server.core.i18n import gettext as _
from server.exchange.rules import MAX_FILE

BLOCK = 1 << 20


@dataclass(frozen=True)
class Kept:
    """A file in the store."""

    sha256: str
    size: int


@dataclass(frozen=True)
class FileStore:
    """The folder of files, `<first two letters>/<sha256>` each."""

    folder: Path

    def path_of(self, sha256: str) -> Path:
        """Return where the file of this content stands."""
        return self.folder / sha256[:2] / sha256

    def require(self, sha256: str) -> Path:
        """Return where the file stands, or raise Missing when it is gone."""
        path = self.path_of(sha256)
        if not path.is_file():
            raise Missing(
                _(
                    "The imported file %(path)s is not there any more. Restore it from a backup, "
                    "or upload the file again.",
                    path=path,
                )
            )
        return path

    def keep(self, source: IO[bytes]) -> Kept:
        """Copy the file into the store. Raise Invalid when it is too large, Missing when the disk refuses."""
        try:
            return self._keep(source)
        except OSError as error:
            raise Missing(
                _(
                    "The file cannot be kept in %(folder)s: %(why)s.",
                    folder=self.folder,
                    why=error.strerror or error,
                )
            ) from error

    def _keep(self, source: IO[bytes]) -> Kept:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.folder / f".{secrets.token_hex(12)}"
        digest, size = hashlib.sha256(), 0
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                for block in _blocks(source):
                    size += len(block)
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            path = self.path_of(digest.hexdigest())
            path.parent.mkdir(mode=0o700, exist_ok=True)
            temporary.replace(path)
            _sync(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Kept(digest.hexdigest(), size)


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    size = 0
    while block := source.read(BLOCK):
        size += len(block)
        if size > MAX_FILE:
            most = MAX_FILE // (1024 * 1024)
            raise Invalid(
                _("This file is larger than %(most)s MB. Split it.", most=most), field="file"
            )
        yield block


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
