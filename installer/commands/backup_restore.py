"""`daftar backup restore` and the way back from it."""

from pathlib import Path

import click

from backup.keys import Trust
from backup.restore import Access
from backup.store import Store
from installer import restoring
from installer.commands.backup_room import enter, file_path, folder_path, key_option, known, opening
from installer.commands.home import home, open_settings
from installer.commands.progress import bar
from installer.restoring import Restored, Wanted
from server.backups.rules import STAGE_LABELS
from server.backups.service import BackupOffice
from server.core.command_line import HomeCommand, json_option, may_ask, report
from server.core.errors import Interrupted, Missing
from server.core.i18n import gettext as _


@click.command(cls=HomeCommand)
@click.argument("name", metavar="ID")
@click.option(
    "--into",
    type=folder_path,
    metavar="DIR",
    help="Make a home of its own here, and leave the live data alone.",
)
@click.option("--database", "url", metavar="URL", help="With --into: an empty PostgreSQL database.")
@key_option
@click.option(
    "--from",
    "place",
    type=folder_path,
    metavar="DIR",
    help="Another folder of backups, such as one that was saved from a lost server.",
)
@click.option(
    "--signer",
    type=file_path,
    metavar="FILE",
    help="With --from: the public key from the recovery sheet.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the live data is exchanged.")
@json_option
def restore(  # noqa: PLR0913 - one parameter an option
    name: str,
    into: Path | None,
    url: str | None,
    key_file: Path | None,
    place: Path | None,
    signer: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring a backup back: in the place of the live data, which is kept, or into a home elsewhere."""
    if into is None and (url or place):
        raise click.UsageError(_("--database and --from go with --into."))
    store, access = _source(place, signer, key_file)
    known(store, name)
    if into is None and may_ask(yes):
        _ask(name)
    with bar(STAGE_LABELS) as progress:
        wanted = Wanted(store, name, access, url, progress)
        if into is None:
            done = restoring.in_place(open_settings(), wanted)
            _note_restore(name)
        else:
            settings = open_settings() if (home() / "daftar.toml").is_file() else None
            done = restoring.elsewhere(settings, wanted, into.absolute())
    report(_document(done), _told(done), as_json=as_json)


def _source(place: Path | None, signer: Path | None, key_file: Path | None) -> tuple[Store, Access]:
    """Return where the backup comes from, and the keys: this server's, or those a person brings."""
    brought = opening(key_file)
    if place is None:
        office = BackupOffice(open_settings())
        return office.store, Access(brought or office.keys.drill, office.keys.trust)
    if signer is None:
        raise click.UsageError(
            _("With --from name the public key from the recovery sheet with --signer.")
        )
    try:
        trust = Trust.of_pem(signer.read_bytes())
    except ValueError as error:
        raise Missing(_("%(path)s holds no public key.", path=signer)) from error
    return Store(place), Access(brought, trust)


def _ask(name: str) -> None:
    question = _(
        "The live data is exchanged for the backup %(id)s. What is there now is kept beside it. Go on?",
        id=name,
    )
    if not click.confirm(question, default=False):
        raise Interrupted(_("Nothing was changed."))


def _note_restore(name: str) -> None:
    """Note the restore in the restored database, whose trail knows nothing of it."""
    room = enter(database=True)
    room.office.note_restore(room.actor, name)


def _document(done: Restored) -> dict[str, object]:
    made = done.report.manifest
    return {
        "id": made.id,
        "home": str(done.home),
        "database": str(done.report.database),
        "files": str(done.report.files),
        "tables": len(made.tables),
        "rows": sum(table.rows for table in made.tables),
        "seconds": round(done.report.seconds, 3),
        "kept": None if done.kept is None else str(done.kept),
        "put_back": list(done.put_back),
    }


def _told(done: Restored) -> str:
    facts = _document(done)
    lines = [
        _(
            "The backup %(id)s was restored in %(s)s seconds: %(tables)s tables, %(rows)s rows.",
            id=facts["id"],
            s=facts["seconds"],
            tables=facts["tables"],
            rows=facts["rows"],
        )
    ]
    if done.kept is None:
        lines.append(
            _(
                "It is a home of its own: %(home)s. A licence is activated there anew.",
                home=done.home,
            )
        )
    else:
        lines.append(
            _(
                "What was there before is kept in %(kept)s; “daftar backup undo-restore” puts it back.",
                kept=done.kept,
            )
        )
    lines += [_("%(name)s was missing and was put back.", name=name) for name in done.put_back]
    return "\n".join(lines)


@click.command(name="undo-restore", cls=HomeCommand)
@click.option("--yes", is_flag=True, help="Do not ask first.")
def undo_restore(yes: bool) -> None:
    """Put back the data that the last restore in place had kept."""
    question = _("The data of before the last restore comes back. Go on?")
    if may_ask(yes) and not click.confirm(question, default=False):
        raise Interrupted(_("Nothing was changed."))
    folder = restoring.undo(open_settings())
    click.echo(_("The data kept in %(folder)s is live again.", folder=folder))
