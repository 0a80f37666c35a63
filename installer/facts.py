"""What an installation knows about itself: how its backups stand, and the facts that delivery forms ask for."""

import platform
import socket
from contextlib import suppress

from sqlalchemy import text

from backup.keys import load as load_keys
from backup.report import Standing, items, standing
from backup.store import Store
from installer.commands.home import Opened
from installer.forms.evidence import Evidence
from installer.steps.journal import load_journal
from server.activation.queries import license_status
from server.activation.rules import LicenseStatus
from server.core import clock
from server.core.config import Settings
from server.core.db import Database
from server.core.errors import Missing
from server.core.version import VERSION


def backups_standing(settings: Settings) -> Standing:
    """Return how the backups stand. Raise Missing when there is no place or no key for them."""
    trust = load_keys(settings.backup_keys).trust
    return standing(items(Store(settings.backups), trust), clock.now())


def evidence(opened: Opened) -> Evidence:
    """Return the facts that are known now; a form keeps what it was told before of the others."""
    journal = load_journal(opened.settings.home)
    found = licensed(opened)
    backup_id, verified_at = "", None
    with suppress(Missing):
        proved = backups_standing(opened.settings).verified
        if proved is not None:
            backup_id, verified_at = proved.id, proved.verified_at
    return Evidence(
        customer=found.customer or opened.settings.organization.name,
        license_id=found.license_id or "",
        seats=found.named.cap if found.license_id else None,
        activated_at=found.activated_at,
        product_version=VERSION,
        installed_at=journal.installed_at if journal else None,
        host_name=socket.gethostname(),
        operating_system=_system(),
        database=_database(opened.database),
        host_checks=journal.host_checks if journal else (),
        backup_id=backup_id,
        backup_verified_at=verified_at,
    )


def licensed(opened: Opened) -> LicenseStatus:
    """Return how the licence stands."""
    with opened.database.read() as session:
        return license_status(session, opened.actor, opened.office)


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.platform()


def _database(database: Database) -> str:
    sqlite = database.dialect == "sqlite"
    name, question = (
        ("SQLite", "SELECT sqlite_version()") if sqlite else ("PostgreSQL", "SHOW server_version")
    )
    with database.read() as session:
        return f"{name} {session.scalar(text(question))}"
