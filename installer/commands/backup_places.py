"""`daftar backup places` and `fetch`: copies elsewhere, read back and brought home."""

from pathlib import Path

import click

from backup.keys import Trust
from backup.store import Store
from installer.commands.backup_room import enter, file_path, folder_path
from installer.commands.progress import bar
from installer.commands.screen import table
from server.backups.places import PlacesOffice, must_be_whole
from server.backups.rules import STAGE_LABELS
from server.backups.service import BackupOffice
from server.core.command_line import HomeCommand, HomeGroup, json_option, report
from server.core.errors import Missing, NotFound
from server.core.format import filesize, zoned
from server.core.i18n import gettext as _
from server.core.i18n import ngettext


@click.group(name="places", cls=HomeGroup)
def places() -> None:
    """Keep copies of backups at other places: a disk, another machine, object storage."""


@places.command(name="list")
@json_option
def list_places(as_json: bool) -> None:
    """List the places and how each one stands."""
    room = enter(database=False)
    found = PlacesOffice(room.office).shown(room.actor)
    rows = [
        (
            each.settings.name,
            each.settings.kind,
            each.shown.light,
            zoned(each.shown.newest_at) if each.shown.newest_at else "–",
            zoned(each.shown.verified_at) if each.shown.verified_at else "–",
            each.standing.problem or _(each.text),
        )
        for each in found
    ]
    heads = (_("Place"), _("Kind"), _("Light"), _("Newest copy"), _("Newest read back"), _("State"))
    none = _("No other place is set up. Name one by [[backup.places]] in daftar.toml.")
    lines = table(heads, rows) if rows else none
    report({"items": [each.as_json() for each in found]}, lines, as_json=as_json)


@places.command()
@click.argument("name", metavar="NAME")
@json_option
def prepare(name: str, as_json: bool) -> None:
    """Make a new place ready for copies of this installation, once."""
    room = enter(database=False)
    office = _office_with(room.office, name)
    place_id = office.prepare(room.actor, name)
    line = _(
        "The place “%(name)s” is ready. Copy with “daftar backup places copy %(name)s”.", name=name
    )
    report({"name": name, "place": place_id}, line, as_json=as_json)


@places.command()
@click.argument("name", metavar="NAME")
@json_option
def copy(name: str, as_json: bool) -> None:
    """Copy the backups that are missing at a place."""
    room = enter(database=False)
    office = _office_with(room.office, name)
    with bar(STAGE_LABELS) as progress:
        done = office.copy(room.actor, name, progress=progress)
    line = ngettext(
        "%(n)s backup is at the place “%(name)s” now; %(size)s were sent.",
        "%(n)s backups are at the place “%(name)s” now; %(size)s were sent.",
        len(done.sets),
        name=name,
        size=filesize(done.bytes),
    )
    document = {"name": name, "sets": list(done.sets), "files": done.files, "bytes": done.bytes}
    report(document, line, as_json=as_json)


@places.command()
@click.argument("name", metavar="NAME")
@click.option("--id", "set_id", metavar="ID", help="Another backup than the newest there.")
@json_option
def verify(name: str, set_id: str | None, as_json: bool) -> None:
    """Read every byte of a copy back and compare it with its signed manifest."""
    room = enter(database=False)
    office = _office_with(room.office, name)
    with bar(STAGE_LABELS) as progress:
        found = office.verify(room.actor, name, set_id, progress=progress)
    document = {
        "name": name,
        "id": found.set,
        "ok": found.ok,
        "bytes": found.bytes,
        "problems": list(found.problems),
        "damaged": list(found.damaged),
    }
    line = _(
        "The copy of %(id)s at the place “%(name)s” is whole: %(size)s were read back.",
        id=found.set,
        name=name,
        size=filesize(found.bytes),
    )
    report(document, line if found.ok else "\n".join(found.problems), as_json=as_json)
    must_be_whole(found)


@click.command(cls=HomeCommand)
@click.argument("set_id", metavar="ID")
@click.option("--from", "name", required=True, metavar="NAME", help="The place that has it.")
@click.option(
    "--into",
    type=folder_path,
    metavar="DIR",
    help="A folder for it, instead of the backups of this server.",
)
@click.option(
    "--signer",
    type=file_path,
    metavar="FILE",
    help="With --into: the public key from the recovery sheet, for a lost server's backup.",
)
@json_option
def fetch(set_id: str, name: str, into: Path | None, signer: Path | None, as_json: bool) -> None:
    """Bring a backup back from another place, to restore it here."""
    if signer is not None and into is None:
        raise click.UsageError(_("--signer goes with --into."))
    room = enter(database=False)
    office = _office_with(room.office, name)
    trust = None
    if signer is not None:
        try:
            trust = Trust.of_pem(signer.read_bytes())
        except ValueError as error:
            raise Missing(_("%(path)s holds no public key.", path=signer)) from error
    store = None if into is None else Store.create(into.absolute())
    with bar(STAGE_LABELS) as progress:
        made = office.fetch(room.actor, name, set_id, into=store, trust=trust, progress=progress)
    folder = store or room.office.store
    line = _(
        "The backup %(id)s is in %(folder)s. Verify it, then “daftar backup restore” brings it back.",
        id=made.id,
        folder=folder.folder,
    )
    report(
        {"id": made.id, "bytes": made.bytes, "folder": str(folder.folder)}, line, as_json=as_json
    )


def _office_with(office: BackupOffice, name: str) -> PlacesOffice:
    """Return the places when this one is set up: a missing one is a missing precondition here."""
    places_here = PlacesOffice(office)
    try:
        places_here.get(name)
    except NotFound as error:
        raise Missing(error.message, code=error.code) from error
    return places_here
