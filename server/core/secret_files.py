"""Secrets that an administrator puts into a file: read anew each time, and only when nobody else may."""

from pathlib import Path

from server.core.errors import Missing
from server.core.i18n import gettext as _

_OTHERS = 0o077


def private_text(path: Path) -> str:
    """Return the secret of one line in that file. Raise Missing when it is not there or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(
            _(
                "The secret file %(path)s cannot be read: %(why)s.",
                path=path,
                why=getattr(error, "strerror", None) or error,
            )
        ) from error
    if mode & _OTHERS:
        raise Missing(
            _(
                "The secret file %(path)s can be read by others. Run: chmod 600 %(path)s",
                path=path,
            )
        )
    if not text or not text.isprintable():
        raise Missing(_("The secret file %(path)s needs one line of text.", path=path))
    return text
