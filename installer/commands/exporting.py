"""`daftar export`: everything in one archive, whatever the licence says; data is never held back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

import server.tables  # noqa: F401 - the archive names tables by text, so all must be there
from installer.commands.home import Opened, open_home
from server.activation.service import LicenseOffice
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import DaftarError
from server.core.format import filesize, number
from server.core.i18n import gettext as _
from server.exports.archive import Progress, silent, write_archive
from server.exports.service import note_written_by_hand, source_of


@click.group(name="export", cls=HomeGroup)
def group() -> None:
    """Write records and files into an archive that any program can read."""


@group.command(name="all")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def everything(file: Path, as_json: bool) -> None:
    """Export every record, the files, the audit trail and the licence's facts into one zip FILE."""
    opened = open_home()
    source = source_of(opened.settings, opened.database, _office(opened))
    with _bar() as progress:
        written = write_archive(source, opened.actor, file.absolute(), progress)
    with opened.database.write(opened.actor) as session:
        note_written_by_hand(session, opened.actor, written.rows)
    document = {
        "file": str(file.absolute()),
        "bytes": written.bytes,
        "sha256": written.sha256,
        "rows": written.rows,
        "counts": dict(written.counts),
    }
    line = _(
        "Everything is in %(file)s: %(rows)s rows, %(size)s. Keep it safe: it holds all your data in the open.",
        file=file,
        rows=number(written.rows),
        size=filesize(written.bytes),
    )
    report(document, line, as_json=as_json)


def _office(opened: Opened) -> LicenseOffice | None:
    """Return the licence office, None where it cannot be opened: that must not hold the data back."""
    try:
        return opened.office
    except DaftarError as refusal:
        click.echo(_("Without the licence's facts: %(why)s", why=refusal.message), err=True)
        return None


@contextmanager
def _bar() -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield silent
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(_("Exporting"), total=None)

        def tell(done: int, rows: int) -> None:
            bars.update(task, completed=done, total=rows or None)

        yield tell
