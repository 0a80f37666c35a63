"""Things that are made while they are read: a tar of small files, the lines of an index."""

import io
import tarfile
from collections.abc import Iterator

from backup.plan import SecretFile
from server.core.errors import Missing
from server.core.i18n import gettext as _


class Pulled:
    """A reader over pieces that are made one by one."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes of what comes next."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = piece
        end = len(self._held) if size < 0 else size
        data, self._held = self._held[:end], self._held[end:]
        return data


def tar_of(files: tuple[SecretFile, ...]) -> Iterator[bytes]:
    """Return a standard tar of the files, one piece after the other."""
    for each in files:
        try:
            content = each.path.read_bytes()
            modified = int(each.path.stat().st_mtime)
        except FileNotFoundError as error:
            raise Missing(
                _("%(path)s is missing and must be in the backup.", path=each.path),
                code="secret_missing",
            ) from error
        info = tarfile.TarInfo(each.name)
        info.size = len(content)
        info.mode = 0o600
        info.mtime = modified
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield content + b"\0" * (-len(content) % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def tar_members(content: io.BufferedIOBase) -> Iterator[tuple[str, bytes]]:
    """Return names and contents of the ordinary files of a tar."""
    with tarfile.open(fileobj=content, mode="r:") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name, file.read()
