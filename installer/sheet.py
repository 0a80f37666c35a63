"""Handing a recovery sheet over: a PDF, a text, a folder with one for each holder, or the screen.

A file belongs to its owner alone (0600) and never takes the place of another: it may hold the only keys.
"""

from collections.abc import Sequence
from pathlib import Path

from backup import disk
from backup.keys import Role
from client_web.kit.assets import STATIC
from server.backups.sheets import Sheet
from server.core.errors import Conflict
from server.core.i18n import gettext as _
from server.core.i18n import use_locale

FONTS = STATIC / "fonts"


def files_of(place: Path, roles: Sequence[Role]) -> tuple[Path, ...]:
    """Return the files that the sheet will be: one, or in a folder one for each holder."""
    if place.suffix:
        return (place,)
    return tuple(place / f"recovery-sheet-{role.value}.pdf" for role in roles)


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
        roles = [key.role for key in sheet.keys]
        sheets = (sheet,) if place.suffix else sheet.one_each
        paths = files_of(place, roles)
        try:
            for path, one in zip(paths, sheets, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                content = one.pdf(FONTS) if path.suffix == ".pdf" else f"{one.text()}\n".encode()
                disk.replace(path, content)
        except OSError as error:
            said = _("The sheet could not be written (%(why)s). Here it is, this once:", why=error)
            return f"{said}\n\n{text}"
    names = ", ".join(str(path) for path in paths)
    return _("The recovery sheet is %(path)s. Take it away from this server.", path=names)
