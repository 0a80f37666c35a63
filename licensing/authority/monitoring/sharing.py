"""Where the web processes of one program count together. Light: it is loaded before the meter itself."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the library's own word


def share(home: Path) -> None:
    """Let this program and its children count in a folder of their own, swept of those that are gone."""
    folder = home / "run" / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if not Path("/proc", old.name).exists():
            shutil.rmtree(old, ignore_errors=True)
    own = folder / str(os.getpid())
    with suppress(FileNotFoundError):
        shutil.rmtree(own)
    own.mkdir()
    os.environ[FOLDER_VARIABLE] = str(own)
