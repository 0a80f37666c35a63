"""Writing so that it stays written, and naming the cause when the disk refuses."""

import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from server.core.errors import Broken, Conflict, DaftarError, Missing
from server.core.i18n import gettext as _

BLOCK = 1 << 20
_WORTH_A_DISK = 16
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})  # such as FAT
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Reader(Protocol):
    """Whatever bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes, none at the end."""


class Writer(Protocol):
    """Whatever bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes and return how many were taken."""


def translated(error: OSError, place: Path) -> DaftarError:
    """Return our error for one of the operating system, with the place and the way out."""
    if isinstance(error, FileNotFoundError):
        return Missing(_("%(place)s is not there.", place=error.filename), code="not_there")
    if error.errno in _FULL:
        return disk_full(place)
    if error.errno in _FORBIDDEN:
        return Missing(
            _(
                "%(place)s may not be read or written. Give it to the service's user.",
                place=place,
            ),
            code="not_writable",
        )
    if error.errno == errno.EIO:
        return Broken(
            _("The disk under %(place)s fails to read or write. Replace it.", place=place),
            code="disk_fails",
        )
    return Missing(
        _(
            "The disk under %(place)s refused: %(reason)s.",
            place=place,
            reason=error.strerror or str(error),
        ),
        code="disk_refused",
    )


def disk_full(place: Path) -> Missing:
    """Return the error for a disk without room."""
    return Missing(
        _(
            "The disk under %(place)s is full. Earlier backups are intact;"
            " make room or choose a larger place, then run the backup again.",
            place=place,
        ),
        code="disk_full",
    )


@contextmanager
def naming_the_cause(place: Path) -> Iterator[None]:
    """Turn errors of the operating system inside the block into ours, which name the place."""
    try:
        yield
    except OSError as error:
        raise translated(error, place) from error


def sync_folder(folder: Path) -> None:
    """Make the folder's names survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(file: IO[bytes]) -> None:
    """Make the file's bytes survive a power cut."""
    file.flush()
    os.fsync(file.fileno())


def sync_files(files: Sequence[IO[bytes]]) -> None:
    """Make the bytes of many files on one disk survive a power cut, by one question where it can be."""
    for file in files:
        file.flush()
    if not files or len(files) < _WORTH_A_DISK or not _sync_disk(files[0].fileno()):
        for file in files:
            os.fsync(file.fileno())


def _sync_disk(handle: int) -> bool:
    """Write out the whole file system of an open file; return whether the system can do that."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    if syncfs(handle) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return True


def create(path: Path) -> IO[bytes]:
    """Open a new file that only its owner may read; refuse when it exists."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def write_new(path: Path, content: bytes) -> None:
    """Write a new private file and sync it; its folder is synced by the caller."""
    with create(path) as file:
        file.write(content)
        sync_file(file)


def replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all, in place of an earlier one."""
    part = path.with_name(f".part-{path.name}-{secrets.token_hex(4)}")
    try:
        write_new(part, content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def publish_new(part: Path, final: Path) -> None:
    """Give a finished file its name; raise Conflict when another has it by now."""
    try:
        os.link(part, final)  # unlike a rename it never takes the place of another file
        part.unlink()
    except FileExistsError as error:
        raise Conflict(_("%(path)s is there already.", path=final), code="file_exists") from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        part.rename(final)
    sync_folder(final.parent)


def require_room(folder: Path, needed: int) -> None:
    """Refuse when the disk under the folder has fewer free bytes than needed."""
    with naming_the_cause(folder):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise Missing(
            _(
                "The disk under %(place)s has %(free)s MB free and %(needed)s MB are needed."
                " Earlier backups are intact; make room or choose a larger place.",
                place=folder,
                free=free // 1_000_000,
                needed=-(-needed // 1_000_000),
            ),
            code="disk_full",
        )
