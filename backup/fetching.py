"""Bringing a copy home: from another place into a folder of backups, where it shows only when whole."""

import secrets

from backup import archive, disk, lists, manifest
from backup.copying import SETS, load, object_name, take
from backup.keys import Trust
from backup.manifest import Manifest, Object
from backup.places import Place
from backup.plan import Progress, Stage, silent
from backup.store import PART, Store
from server.core.errors import Conflict, Missing
from server.core.i18n import gettext as _


def fetch(
    place: Place, store: Store, set_id: str, trust: Trust, *, progress: Progress = silent
) -> Manifest:
    """Bring a backup from the place into the folder of backups; it shows there only when it is whole."""
    with store.writing(), disk.naming_the_cause(store.folder):
        store.sweep()
        if (store.sets / manifest.must_be_id(set_id)).exists():
            raise Conflict(_("The backup %(id)s is here already.", id=set_id), code="set_exists")
        with store.publishing(set_id) as folder:
            try:
                made = load(place, set_id, trust, folder)
            except Missing as error:
                if error.code != "not_there":
                    raise
                raise Missing(
                    _(
                        "There is no backup %(id)s at the place “%(name)s”.",
                        id=set_id,
                        name=place.name,
                    ),
                    code="no_backup",
                ) from error
            disk.require_room(store.folder, made.bytes)
            done = 0
            for part in made.parts:
                entry = Object(part.name, part.bytes, part.sha256)
                take(place, f"{SETS}/{set_id}/{part.name}", entry, folder / part.name)
                done += part.bytes
            for entry in lists.distinct(folder, made):
                progress(Stage.FILES, done, made.bytes)
                _fetch_object(place, store, entry)
                done += entry.bytes
            _sync_shelves(store)
            progress(Stage.FILES, done, made.bytes)
    return made


def _fetch_object(place: Place, store: Store, entry: Object) -> None:
    """Bring an object unless the one here is whole; a damaged one is exchanged."""
    final = store.object_path(entry.name)
    if store.has_object(entry) and archive.hash_file(final) == (entry.bytes, entry.sha256):
        return
    part = store.objects / f"{PART}{secrets.token_hex(8)}"
    try:
        take(place, object_name(entry.name), entry, part)
        final.parent.mkdir(exist_ok=True, mode=0o700)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)


def _sync_shelves(store: Store) -> None:
    for shelf in store.objects.iterdir():
        if shelf.is_dir():
            disk.sync_folder(shelf)
    disk.sync_folder(store.objects)
