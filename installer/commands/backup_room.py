"""What the commands of `daftar backup` share: the backups, opened with or without a database."""

from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from backup.keys import read_identities
from backup.restore import Identities
from backup.store import Store
from installer.commands.home import Opened, at_the_keyboard, open_home, open_settings
from server.backups.service import BackupOffice
from server.core.actor import Actor
from server.core.errors import Missing, NotFound
from server.core.format import Display, set_display

file_path = click.Path(path_type=Path, dir_okay=False)
folder_path = click.Path(path_type=Path, file_okay=False)
key_option = click.option(
    "--key",
    "key_file",
    type=file_path,
    metavar="FILE",
    help="A file with the working or the escrow key; by default the drill key of this server.",
)


@dataclass(frozen=True)
class Room:
    """The backups for one command, with the database where there is one."""

    office: BackupOffice
    actor: Actor
    opened: Opened | None


def enter(*, database: bool) -> Room:
    """Open the backups. Where the database is not needed its loss is no hindrance."""
    settings = open_settings()
    set_display(Display(zone=settings.organization.timezone))
    try:
        opened = open_home()
    except (Missing, OperationalError):
        if database:
            raise
        return Room(BackupOffice(settings), at_the_keyboard(), None)
    return Room(BackupOffice(settings, opened.database), opened.actor, opened)


def known(store: Store, name: str) -> str:
    """Return the name when there is such a backup: a missing one is a missing precondition here."""
    try:
        store.set_folder(name)
    except NotFound as error:
        raise Missing(error.message, code=error.code) from error
    return name


def opening(key_file: Path | None) -> Identities:
    """Return the keys that a person brought along, none when there is no such file."""
    return () if key_file is None else read_identities(key_file)
