"""Handing a recovery sheet over: a PDF, a text, a folder with one for each holder, or the screen.

A file belongs to its owner alone (0600) and never takes the place of another: it may hold the only keys.
"""

from collections.abc import Sequence
from pathlib import Path

from backup import disk
from backup.keys import Role
from backup.possession import OFFLINE
from client_web.kit.assets import STATIC
from server.backups.sheets import Sheet
from server.core.errors import Conflict
from server.core.i18n import gettext as _
from server.core.i18n import use_locale

FONTS = STATIC / "fonts"


def is_folder(place: Path) -> bool:
    """Tell whether the place is a folder: one that is there, or a name without an ending."""
    return place.is_dir() or not place.suffix


def files_of(place: Path, roles: Sequence[Role]) -> tuple[Path, ...]:
    """Return the files that the sheet will be: one, or in a folder one for each holder."""
    if not is_folder(place):
        return (place,)
    return tuple(place / f"recovery-sheet-{role.value}.pdf" for role in roles)


def holds_sheet(place: Path, signer: str) -> bool:
    """Tell whether every file of the place is the sheet of the backup key with this short name."""
    files = files_of(place, OFFLINE)
    return all(file.is_file() and signer.encode() in file.read_bytes() for file in files)


def write_sheets(sheet: Sheet, place: Path) -> tuple[Path, ...]:
    """Write the sheet to its place in the language that is spoken; return the files."""
    paths = files_of(place, [key.role for key in sheet.keys])
    sheets = sheet.one_each if is_folder(place) else (sheet,)
    for path, one in zip(paths, sheets, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        disk.replace(path, one.pdf(FONTS) if path.suffix == ".pdf" else f"{one.text()}\n".encode())
    return paths


def must_be_free(place: Path | None, roles: Sequence[Role]) -> None:
    """Raise Conflict when the place holds such a sheet already, before any key is made."""
    for path in files_of(place, roles) if place else ():
        if path.exists():
            raise Conflict(
                _(
                    "%(path)s exists already and may hold the only keys to other backups. "
                    "Name another file.",
                    path=path,
                ),
                code="sheet_exists",
            )


def hand_over(sheet: Sheet, place: Path | None, locale: str) -> str:
    """Write the sheet to its place, in this language, and return what to say; or return the sheet itself.

    What cannot be written is returned as text: the keys exist nowhere else.
    """
    with use_locale(locale):
        text = sheet.text()
        if place is None:
            return text
        try:
            paths = write_sheets(sheet, place)
        except OSError as error:
            said = _("The sheet could not be written (%(why)s). Here it is, this once:", why=error)
            return f"{said}\n\n{text}"
    names = ", ".join(str(path) for path in paths)
    return _("The recovery sheet is %(path)s. Take it away from this server.", path=names)
