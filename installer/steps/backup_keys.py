"""The step that makes the keys of backups, and the sheet with the halves that leave the server."""

import shutil
from pathlib import Path

from backup import disk, keys
from backup.keys import Role
from backup.possession import OFFLINE
from backup.store import Store
from installer.sheet import files_of, holds_sheet, is_folder, write_sheets
from installer.steps.work import Work
from server.backups.sheets import sheet_of
from server.core import clock
from server.core.errors import Conflict
from server.core.i18n import gettext as _
from server.core.i18n import use_locale
from server.core.version import VERSION

STEP = "backup-keys"


def make_backup_keys(work: Work) -> str:
    """Make the keys, hand the private halves over once, and prepare the place for backups."""
    folder = work.settings.backup_keys
    if work.journal.did(STEP) or _in_use(work.settings.backups):
        keys.load(folder)
        return _("The keys of the backups are there and stay as they are.")
    Store.create(work.settings.backups)
    sheet = work.answers.backup.recovery_sheet
    path = work.answers.beside(sheet) if sheet else None
    if path is not None and _is_there(path):
        return _keep(folder, path)
    if (folder / keys.SIGNING_KEY).exists():
        # An earlier run was stopped before anybody saw the private halves. No backup needs them.
        shutil.rmtree(folder)
    made = keys.create(folder, drill=work.answers.backup.drill_key)
    text = recovery_sheet(work, made)
    if path is None:
        work.say(text)
        return _("Keep the sheet above away from this server; it is not shown again.")
    with disk.naming_the_cause(path):
        _write(work, made, path, text)
    return _handed_over(path)


def _write(work: Work, made: keys.NewKeys, path: Path, text: str) -> None:
    """Write the sheet as text, as PDF when the name says so, or a PDF for each holder into a folder."""
    if not (path.suffix == ".pdf" or is_folder(path)):
        disk.replace(path, text.encode() + b"\n")
        return
    offline = (
        keys.NewRecipient(Role.WORKING, made.working_private, made.working_public),
        keys.NewRecipient(Role.ESCROW, made.escrow_private, made.escrow_public),
    )
    sheet = sheet_of(work.settings, made.signer_fingerprint, offline)
    with use_locale(work.settings.organization.locale):
        write_sheets(sheet, path)


def _is_there(sheet: Path) -> bool:
    return any(file.exists() for file in files_of(sheet, OFFLINE))


def _keep(folder: Path, sheet: Path) -> str:
    """Accept a sheet that an earlier run wrote for these very keys; refuse any other."""
    ours = (folder / keys.SIGNING_KEY).exists() and keys.load(folder).signer_fingerprint
    if ours and holds_sheet(sheet, ours):
        return _handed_over(sheet)
    raise Conflict(
        _(
            "%(path)s exists already and may hold the only keys to other backups. "
            "Name another file in [backup] recovery_sheet.",
            path=sheet,
        ),
        code="sheet_exists",
    )


def _handed_over(sheet: Path) -> str:
    return _("The recovery sheet is %(path)s. Take it away from this server.", path=sheet)


def _in_use(backups: Path) -> bool:
    sets = backups / "sets"
    return sets.is_dir() and any(sets.iterdir())


def recovery_sheet(work: Work, made: keys.NewKeys) -> str:
    """Return the sheet for people: what opens the backups, and whose signature they carry."""
    organization = work.settings.organization.name
    head = _(
        "Recovery sheet of %(name)s — Daftar %(version)s, %(moment)s",
        name=organization,
        version=VERSION,
        moment=clock.rfc3339(clock.now()),
    )
    words = [
        head,
        _(
            "Whoever holds one of these two keys can open every backup; without both, nobody can. "
            "They are nowhere on the server. Keep the working key where you restore, "
            "and the escrow key in a safe."
        ),
        _("Working key"),
        made.working_private,
        _("Escrow key"),
        made.escrow_private,
        _("Backups carry the signature of the key %(name)s:", name=made.signer_fingerprint),
        made.signer_public_pem.strip(),
        _(
            "Backups lie in %(path)s. docs/restore-by-hand.md shows how to open them without Daftar.",
            path=work.settings.backups,
        ),
    ]
    line = "─" * 72
    return "\n\n".join([line, *words, line])
