"""A folder: on a local disk, on a share that is mounted, on a USB disk that comes and goes."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup import disk
from backup.disk import Reader
from backup.places import Entry, away, must_be_free, must_be_removable, not_there
from backup.store import PART

_GONE = frozenset({errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN})


class FolderPlace:
    """A place in a folder that is there already: whether its disk is mounted, the marker tells."""

    def __init__(self, name: str, folder: Path, *, append_only: bool = False) -> None:
        self.name = name
        self.append_only = append_only
        self._folder = folder
        if not folder.is_dir():
            raise away(name, folder)

    def entries(self, under: str) -> Iterator[Entry]:
        """Return the finished files below a folder."""
        with self._naming():
            for found in os.walk(self._folder / under):
                for file in sorted(found[2]):
                    path = Path(found[0]) / file
                    if not file.startswith(PART):
                        name = path.relative_to(self._folder).as_posix()
                        yield Entry(name, path.stat().st_size)

    def folders(self, under: str) -> list[str]:
        """Return the names of the folders right below a folder."""
        with self._naming():
            folder = self._folder / under
            found = folder.iterdir() if folder.is_dir() else ()
            return sorted(each.name for each in found if each.is_dir())

    def size(self, name: str) -> int | None:
        """Return what the file weighs."""
        with self._naming():
            path = self._folder / name
            return path.stat().st_size if path.is_file() else None

    @contextmanager
    def read(self, name: str) -> Iterator[Reader]:
        """Give the file's bytes."""
        try:
            file = (self._folder / name).open("rb")
        except FileNotFoundError as error:
            raise not_there(self.name, name) from error
        except OSError as error:
            raise self._translated(error) from error
        with file:
            yield file

    def write(self, name: str, source: Reader, size: int) -> None:
        """Write beside the name, sync, rename."""
        must_be_free(self, name)
        path = self._folder / name
        part = path.with_name(PART + path.name)
        with self._naming():
            if not self._folder.is_dir():
                raise away(self.name, self._folder)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.unlink(missing_ok=True)
            try:
                with disk.create(part) as file:
                    while block := source.read(disk.BLOCK):
                        file.write(block)
                    disk.sync_file(file)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            disk.sync_folder(path.parent)

    def remove(self, name: str) -> None:
        """Remove the file, and its folder when it was the last one in it."""
        must_be_removable(self)
        path = self._folder / name
        with self._naming():
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translated(error) from error

    def _translated(self, error: OSError) -> Exception:
        if error.errno in _GONE:
            return away(self.name, error.strerror or error)
        return disk.translated(error, self._folder)
