"""Progress of long work: a bar on a terminal, nothing when the output goes to a file or a program."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from backup.plan import Progress, Stage, silent
from server.core.i18n import gettext as _


@contextmanager
def bar(words: Mapping[Stage, str]) -> Iterator[Progress]:
    """Give a function to tell how far the work is; `words` names each stage."""
    if not sys.stderr.isatty():
        yield silent
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def tell(stage: Stage, done: int, total: int) -> None:
            bars.update(task, description=_(words[stage]), completed=done, total=total or None)

        yield tell
