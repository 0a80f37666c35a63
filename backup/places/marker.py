"""The marker of a place: that it is the one set up, that its disk is mounted, and whose it is."""

import io
import json
import secrets

from backup import manifest
from backup.places import Place
from backup.store import MARKER
from server.core.errors import Conflict, DaftarError, Missing
from server.core.i18n import gettext as _

_MOST = 1 << 12


def read(place: Place, instance: str | None) -> str:
    """Return the place's own name; raise Missing without a marker, Conflict for a foreign place.

    Without an instance any place of backups will do: for somebody who has lost the server.
    """
    found = _content(place)
    if found is None:
        raise Missing(
            _(
                "The place “%(name)s” has no marker. Is the disk mounted? A new place is made ready"
                " with “daftar backup places prepare %(name)s”.",
                name=place.name,
            ),
            code="place_missing",
        )
    if instance is not None and found.get("instance") != instance:
        raise _foreign(place)
    return str(found.get("place"))


def prepare(place: Place, instance: str) -> str:
    """Make a place ready for copies of this installation, once."""
    found = _content(place)
    if found is None:
        text = {
            "format": manifest.FORMAT,
            "place": secrets.token_hex(8),
            "instance": instance,
        }
        content = json.dumps(text).encode() + b"\n"
        place.write(MARKER, io.BytesIO(content), len(content))
    elif found.get("instance") != instance:
        raise _foreign(place)
    return read(place, instance)


def _content(place: Place) -> dict[str, object] | None:
    try:
        with place.read(MARKER) as file:
            found = json.loads(file.read(_MOST))
    except DaftarError as error:
        if error.code == "not_there":
            return None
        raise
    except ValueError as error:
        raise _foreign(place) from error
    if not isinstance(found, dict):
        raise _foreign(place)
    return found


def _foreign(place: Place) -> Conflict:
    return Conflict(
        _(
            "The place “%(name)s” belongs to another installation or holds this server's own"
            " backups. Nothing was written there.",
            name=place.name,
        ),
        code="place_foreign",
    )
