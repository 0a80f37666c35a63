"""Opening the installation that a command works on. Every command begins here."""

import os
import pwd
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.engine import make_url

from server.core.actor import Actor
from server.core.command_line import home_of
from server.core.config import Settings, load_settings
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from server.core.errors import Missing
from server.core.format import Display, current_display, set_display
from server.core.i18n import current_locale
from server.core.i18n import gettext as _

if TYPE_CHECKING:  # the licence is opened only by the commands that ask for it
    from server.activation.service import LicenseOffice

VARIABLE = "DAFTAR_HOME"
DEFAULT = Path("/etc/daftar")


@dataclass
class Opened:
    """An installation, open for one command: its settings, its database and whoever is at the keyboard.

    `office` speaks for the licence and puts its verdict on the `board`; it is opened when first asked.
    """

    settings: Settings
    database: Database
    actor: Actor
    board: EntitlementsBoard = field(default_factory=EntitlementsBoard)

    @cached_property
    def office(self) -> "LicenseOffice":
        """Return the licence office, or raise Missing when the vendor's root keys are not there."""
        from server.activation.service import LicenseOffice

        return LicenseOffice(self.settings, self.database, self.board)


def home() -> Path:
    """Return the home that this command works on: `--home`, DAFTAR_HOME, or /etc/daftar."""
    return home_of(VARIABLE, DEFAULT)


def open_settings() -> Settings:
    """Return the settings of the home. Raise Missing or Invalid with the way out."""
    return load_settings(home())


def open_home() -> Opened:
    """Open the home's database, migrated and audited, until the command ends.

    Raise Missing when there is no installation, or its database has not the shape of this release.
    """
    from server.audit.service import watch
    from server.core.passwords import set_cost

    settings = open_settings()
    context, before = click.get_current_context(), current_display()
    set_display(Display(zone=settings.organization.timezone))
    context.call_on_close(lambda: set_display(before))
    database = open_database(settings)
    context.call_on_close(database.dispose)
    watch(database)
    set_cost(memory_kib=settings.security.argon2_memory_kib, rounds=settings.security.argon2_rounds)
    return Opened(settings, database, at_the_keyboard())


def open_database(settings: Settings) -> Database:
    """Return the database, or raise Missing when it is not there or has another shape."""
    from server.migrations.run import current, head

    require_database_file(settings)
    found, needed = current(settings.database_url), head()
    if found != needed:
        raise Missing(
            _(
                "The database is at revision %(found)s, this release needs %(needed)s. "
                "Run “daftar db upgrade”.",
                found=found or "–",
                needed=needed,
            ),
            code="other_revision",
        )
    return Database(settings.database_url)


def require_database_file(settings: Settings) -> None:
    """Raise Missing when the SQLite file is not there; opening it would make an empty one."""
    address = make_url(settings.database_url)
    if address.get_backend_name() != "sqlite" or Path(address.database or "").is_file():
        return
    raise Missing(
        _(
            "The database file %(path)s is not there. Run “daftar install”, or restore a backup.",
            path=address.database,
        ),
        code="no_database",
    )


def at_the_keyboard() -> Actor:
    """Return whoever runs the command: the system's user, who may do everything here."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    return Actor(
        user_id=None,
        name=_("%(name)s at the command line", name=name),
        locale=current_locale(),
        all_powerful=True,
    )
