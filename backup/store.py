"""The folder of backups: what lies where, whose turn it is to write, and publishing by rename."""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backup import disk, journal, lock, manifest
from backup.keys import Trust
from backup.manifest import Manifest, Object
from server.core.errors import Broken, Missing, NotFound
from server.core.i18n import gettext as _

MARKER = ".daftar-backups"
PART = ".part-"
CONFIRMATIONS = "verification.jsonl"
PRUNED = "pruned.jsonl"
POSSESSION = "possession.jsonl"
DRILL = "drill.json"


@dataclass(frozen=True)
class Loaded:
    """A manifest as it was read, with the hash of its bytes."""

    manifest: Manifest
    sha256: str


class Store:
    """One place with backups. Opening it refuses when the place is not what it should be."""

    def __init__(self, folder: Path, place: str | None = None) -> None:
        self.folder = folder
        self.sets = folder / "sets"
        self.objects = folder / "objects"
        self.confirmations = folder / CONFIRMATIONS
        self.pruned = folder / PRUNED
        self.possession = folder / POSSESSION
        self.place = self._require_marker(place)

    @classmethod
    def create(cls, folder: Path) -> "Store":
        """Make the folder a place for backups, once; an existing place is only opened."""
        if (folder / MARKER).is_file():
            return cls(folder)
        with disk.naming_the_cause(folder):
            for each in (folder, folder / "sets", folder / "objects"):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
            text = json.dumps({"format": manifest.FORMAT, "place": secrets.token_hex(8)})
            disk.replace(folder / MARKER, text.encode() + b"\n")
        return cls(folder)

    def _require_marker(self, expected: str | None) -> str:
        """Return the place's own name. An unmounted disk leaves a folder without a marker."""
        try:
            found = str(json.loads((self.folder / MARKER).read_bytes())["place"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Missing(
                _(
                    "%(folder)s is no place for backups: its marker is missing."
                    " Is the disk mounted?",
                    folder=self.folder,
                ),
                code="place_missing",
            ) from error
        if expected is not None and found != expected:
            raise Missing(
                _("%(folder)s is another place than the one set up.", folder=self.folder),
                code="place_differs",
            )
        return found

    def writing(self) -> AbstractContextManager[None]:
        """Hold the place alone among those who add or remove backups."""
        refusal = _("Another backup is running here. Wait until it is done.")
        return lock.held(self.folder / ".writing", refusal=refusal)

    def reading(self) -> AbstractContextManager[None]:
        """Hold off pruning while backups are read; any number may read."""
        refusal = _("Old backups are being removed at this moment. Try again in a minute.")
        return lock.held(self.folder / ".reading", refusal=refusal, shared=True)

    def removing(self) -> AbstractContextManager[None]:
        """Hold the place alone, without readers."""
        refusal = _("A backup is being read at this moment. Nothing was removed.")
        return lock.held(self.folder / ".reading", refusal=refusal)

    def set_ids(self) -> list[str]:
        """Return the names of the published backups, oldest first."""
        with disk.naming_the_cause(self.folder):
            return sorted(each.name for each in self.sets.iterdir() if manifest.is_id(each.name))

    def set_folder(self, set_id: str) -> Path:
        """Return the folder of a published backup; raise NotFound when there is none."""
        folder = self.sets / manifest.must_be_id(set_id)
        if not folder.is_dir():
            raise NotFound(
                _("There is no backup %(id)s. See `daftar backup list`.", id=set_id),
                code="no_backup",
            )
        return folder

    def load(self, set_id: str, trust: Trust | None) -> Loaded:
        """Read a manifest and check its signature; raise Broken when either is wrong.

        Without trust nothing proves who wrote it: only for somebody who has lost the public key.
        """
        folder = self.set_folder(set_id)
        try:
            content = (folder / manifest.NAME).read_bytes()
            signature = (folder / manifest.SIGNATURE).read_bytes()
        except FileNotFoundError as error:
            name = Path(str(error.filename)).name
            raise Broken(
                _("%(name)s of the backup %(id)s is missing.", name=name, id=set_id),
                code="damaged",
            ) from error
        except OSError as error:
            raise disk.translated(error, folder) from error
        if trust is not None and not trust.believes(signature, content):
            raise Broken(
                _(
                    "The signature of the backup %(id)s is wrong: manifest.json or manifest.sig"
                    " was changed, or it was signed by another installation's key.",
                    id=set_id,
                ),
                code="bad_signature",
            )
        return Loaded(manifest.read(content, set_id), manifest.digest_of(content))

    def loaded(self, trust: Trust) -> list[Loaded]:
        """Return the readable manifests, first to last in their own order."""
        found = []
        for set_id in self.set_ids():
            try:
                found.append(self.load(set_id, trust))
            except Broken:
                continue  # listing and verifying name it
        return sorted(found, key=lambda each: (each.manifest.sequence, each.manifest.id))

    def object_path(self, name: str) -> Path:
        """Return where an object lies."""
        return self.objects / name[:2] / name

    def has_object(self, entry: Object) -> bool:
        """Return whether the object is there with its size."""
        path = self.object_path(entry.name)
        return path.is_file() and path.stat().st_size == entry.bytes

    def journal_head(self) -> manifest.JournalHead:
        """Return where the journal of confirmations stands."""
        return journal.read(self.confirmations).head

    def sweep(self) -> None:
        """Remove what killed runs left. Only for the holder of the writing lock."""
        with disk.naming_the_cause(self.folder):
            for left in self.sets.glob(f"{PART}*"):
                shutil.rmtree(left)
            for left in self.objects.glob(f"{PART}*"):
                left.unlink()

    @contextmanager
    def publishing(self, set_id: str) -> Iterator[Path]:
        """Give the folder to fill; when the block ends well it becomes a backup, else it is gone."""
        part = self.sets / f"{PART}{set_id}"
        with disk.naming_the_cause(self.folder):
            part.mkdir(mode=0o700)
        try:
            yield part
            with disk.naming_the_cause(self.folder):
                disk.sync_folder(part)
                part.rename(self.sets / set_id)
                disk.sync_folder(self.sets)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def remove(self, set_id: str) -> None:
        """Take a backup out of the list at once, then remove its files."""
        leaving = self.sets / f"{PART}gone-{set_id}"
        with disk.naming_the_cause(self.folder):
            self.set_folder(set_id).rename(leaving)
            disk.sync_folder(self.sets)
            shutil.rmtree(leaving)
