"""Counting a large SQLite file in a process of its own, beside the sealing: both take a processor each."""

import json
import os
import subprocess
import sys
from pathlib import Path

from backup import digest
from backup.digest import TableDigest, Tell

LARGE = 1 << 26
HERE = Path(__file__).parent.parent


class Counting:
    """The tables of a file at rest: counted when asked where it is small, else at once beside."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._process = _start(copy) if copy.stat().st_size >= LARGE else None

    @property
    def goes_on(self) -> bool:
        """Return whether the tables are counted beside, and asking for them would wait."""
        return self._process is not None

    def tables(self, tell: Tell) -> tuple[TableDigest, ...]:
        """Return what was counted; what went wrong beside is met again here."""
        if self._process is not None:
            said, _nothing = self._process.communicate()
            if self._process.returncode == 0:
                return tuple(TableDigest(**each) for each in json.loads(said))
        return digest.sqlite_tables(self._copy, tell)

    def stop(self) -> None:
        """End the process if it still counts."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def _start(copy: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - ourselves, no shell
        [sys.executable, "-m", "backup.counting", str(copy)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )


def main() -> None:
    """Print the tables of the file that the command line names."""
    found = digest.sqlite_tables(Path(sys.argv[1]))
    rows = [{"name": each.name, "rows": each.rows, "sha256": each.sha256} for each in found]
    print(json.dumps(rows))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
