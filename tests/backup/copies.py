"""A house and one place for copies of its backups, as the tests of places use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from backup import copying
from backup.copying import Found
from backup.places import Place, marker
from backup.places.opening import FOLDER, SFTP, Where, opened
from backup.plan import Progress, silent
from tests.backup.house import House
from tests.support.storage import Server


@dataclass(frozen=True)
class Copies:
    """A house and one place for its copies."""

    house: House
    where: Where

    @contextmanager
    def place(self) -> Iterator[Place]:
        with opened(self.where) as place:
            yield place

    def prepare(self) -> "Copies":
        with self.place() as place:
            marker.prepare(place, self.house.plan.instance)
        return self

    def append_only(self) -> "Copies":
        return replace(self, where=replace(self.where, append_only=True))

    def copy(self, *, progress: Progress = silent, damaged: frozenset[str] = frozenset()) -> int:
        store = self.house.store
        with self.place() as place:
            done = copying.copy(
                store,
                place,
                self.house.keys.trust,
                store.set_ids(),
                damaged=damaged,
                progress=progress,
            )
        return done.files

    def verify(self, set_id: str) -> Found:
        with self.place() as place:
            return copying.verify(place, set_id, self.house.keys.trust, self.house.root / "scratch")

    def there(self) -> list[str]:
        with self.place() as place:
            return copying.set_ids(place)

    def flip(self, name: str) -> None:
        """Change one byte of a file at the place, behind our back."""
        with self.place() as place:
            with place.read(name) as file:
                content = bytearray(file.read(1 << 24))
            content[len(content) // 2] ^= 1
            place.remove(name)
            place.write(name, Bytes(bytes(content)), len(content))


class Bytes:
    """A reader over a few bytes."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, size: int = -1, /) -> bytes:
        end = len(self._left) if size < 0 else size
        data, self._left = self._left[:end], self._left[end:]
        return data


def in_a_folder(house: House) -> Copies:
    folder = house.root / "disk"
    folder.mkdir()
    return Copies(house, Where("disk", FOLDER, str(folder))).prepare()


def over_sftp(house: House, machine: Server, name: str) -> Copies:
    where = Where(
        "office",
        SFTP,
        f"{machine.url}/{name}",
        host_key=machine.host_key,
        secret=lambda: machine.secret,
    )
    return Copies(house, where).prepare()
