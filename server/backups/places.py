"""Copies at other places: what the settings name, copied, read back, cleared out, brought back.

How each place stands is kept in a small file on this server, so that a page need not ask the place.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from backup import copying, disk, fetching, lock
from backup.keys import Trust
from backup.manifest import Manifest
from backup.places import AWAY, Place, marker
from backup.places.opening import Where, opened
from backup.places.standing import Book, Cause, Light, Shown, Standing, judge, to_remove
from backup.plan import Progress, silent
from backup.retention import Policy
from backup.store import Store
from server.audit.service import note
from server.backups.estate import scratch_folder
from server.backups.service import KIND, BackupOffice
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.config import read_secret
from server.core.errors import Broken, DaftarError, Missing, NotFound
from server.core.format import Display, set_display
from server.core.i18n import gettext as _
from server.core.i18n import mark, set_locale
from server.core.place_settings import HOURLY, PlaceSettings
from server.core.schedule import Job, daily, every

log = logging.getLogger(__name__)

CAUSE_TEXTS = {
    Cause.DAMAGED: mark(
        "A copy was read back and is damaged. It is sent again where that is allowed."
    ),
    Cause.VANISHED: mark("Copies are gone that nobody here removed. Who could delete them?"),
    Cause.REFUSED: mark("The last copy did not succeed."),
    Cause.LATE: mark("The newest backups are not there yet, for longer than was set."),
    Cause.NEVER: mark("No backup was copied yet."),
    Cause.UNVERIFIED: mark("The copies were not read back for longer than was set."),
    Cause.GOOD: mark("The newest backups are there."),
}


@dataclass(frozen=True)
class PlaceShown:
    """A place for pages and commands."""

    settings: PlaceSettings
    standing: Standing
    shown: Shown

    @property
    def text(self) -> str:
        """Return why the light has its colour, for the catalogue."""
        return CAUSE_TEXTS[self.shown.cause]

    def as_json(self) -> dict[str, object]:
        """Return the place as `daftar backup places list --json` shows it."""
        stamp = clock.rfc3339
        standing = self.standing
        return {
            "name": self.settings.name,
            "kind": self.settings.kind,
            "append_only": self.settings.append_only,
            "light": self.shown.light,
            "cause": self.shown.cause,
            "newest": standing.newest,
            "verified": standing.verified,
            "backups": len(standing.sets),
            "vanished": list(standing.vanished),
            "lag_seconds": int(self.shown.lag.total_seconds()),
            "copied_at": None if standing.copied_at is None else stamp(standing.copied_at),
            "tried_at": None if standing.tried_at is None else stamp(standing.tried_at),
            "away": standing.away,
            "problem": standing.problem,
        }


class PlacesOffice:
    """The places of one installation."""

    def __init__(self, office: BackupOffice) -> None:
        self._office = office
        self._settings = office.settings
        self._folder = office.settings.data / "places"

    def shown(self, actor: Actor) -> list[PlaceShown]:
        """Return how every place stands, in the order of the settings."""
        actor.must("backups.see")
        try:
            here = self._office.store.set_ids()
        except DaftarError:
            here = []  # the light of the backups themselves says it
        return [self._one(each, here) for each in self._settings.backup.places]

    def get(self, name: str) -> PlaceSettings:
        """Return the place of this name; raise NotFound."""
        for each in self._settings.backup.places:
            if each.name == name:
                return each
        raise NotFound(
            _(
                "There is no place “%(name)s”. Places are named by [[backup.places]] in daftar.toml.",
                name=name,
            ),
            code="no_place",
        )

    def prepare(self, actor: Actor, name: str) -> str:
        """Make a new place ready: the marker that tells its disk from others."""
        actor.must("backups.run")
        with self._opened(self.get(name)) as place:
            place_id = marker.prepare(place, self._office.keys.signer_fingerprint)
        book = Book(self._folder, name)
        book.write(replace(book.read(), vanished=(), problem=""))
        self._note(actor, "prepare_place", name, {})
        return place_id

    def copy(self, actor: Actor, name: str, *, progress: Progress = silent) -> copying.Copied:
        """Copy the backups that are missing at the place."""
        actor.must("backups.run")
        ring, store = self._office.keys, self._office.store
        with self._at(name) as (place, book):
            standing = self._seen(place, book)
            done = copying.copy(
                store,
                place,
                ring.trust,
                self._wanted(actor, store, standing),
                damaged=standing.damaged,
                progress=progress,
            )
            self._seen(place, book)
            now = clock.now()
            book.write(replace(book.read(), copied_at=now, problem=""))
        if done.files:
            self._note(actor, "copy", name, {"backups": list(done.sets), "bytes": done.bytes})
        return done

    def verify(
        self, actor: Actor, name: str, set_id: str | None = None, *, progress: Progress = silent
    ) -> copying.Found:
        """Read a copy back, by default the newest, and compare every byte; then old copies may go."""
        actor.must("backups.run")
        trust, scratch = self._office.keys.trust, scratch_folder(self._settings)
        with self._at(name) as (place, book):
            standing = self._seen(place, book)
            wanted = set_id or standing.newest
            if wanted is None or wanted not in standing.sets:
                raise Missing(_("There is no such backup at the place “%(name)s”.", name=name))
            found = copying.verify(place, wanted, trust, scratch, progress=progress)
            book.write(replace(standing.with_look(found, clock.now()), problem=""))
            if found.ok:
                self._clear(place, book, trust, scratch)
        self._note(actor, "verify_copy", name, {"set": found.set, "ok": found.ok})
        return found

    def fetch(
        self,
        actor: Actor,
        name: str,
        set_id: str,
        *,
        into: Store | None = None,
        trust: Trust | None = None,
        progress: Progress = silent,
    ) -> Manifest:
        """Bring a backup from the place into the folder of backups here, or into another one."""
        actor.must("backups.run")
        store = into or self._office.store
        with self._opened(self.get(name)) as place:
            marker.read(place, None if trust else self._office.keys.signer_fingerprint)
            made = fetching.fetch(
                place, store, set_id, trust or self._office.keys.trust, progress=progress
            )
        self._note(actor, "fetch", name, {"set": set_id})
        if into is None:
            self._office.look()
        return made

    # Behind the door

    def _one(self, settings: PlaceSettings, here: list[str]) -> PlaceShown:
        standing = Book(self._folder, settings.name).read()
        days = timedelta(days=settings.verify_days)
        shown = judge(
            standing,
            here,
            clock.now(),
            late=timedelta(hours=settings.late_hours),
            verify_every=days or None,
        )
        return PlaceShown(settings, standing, shown)

    def due_for_look(self, name: str) -> str | None:
        """Return the copy that must be read back now: one that was sent again, or the newest by its time."""
        settings = self.get(name)
        standing = Book(self._folder, name).read()
        looks = standing.checked or {}
        damaged = [set_id for set_id, each in looks.items() if not each.ok]
        if damaged and not settings.append_only:
            return max(damaged)
        if not settings.verify_days or standing.newest is None:
            return None
        last = max((each.at for each in looks.values()), default=None)
        waited = last is None or clock.now() - last >= timedelta(days=settings.verify_days)
        return standing.newest if waited else None

    @contextmanager
    def _opened(self, settings: PlaceSettings) -> Iterator[Place]:
        secrets = self._settings.secrets
        where = Where(
            name=settings.name,
            kind=settings.kind,
            url=settings.url,
            append_only=settings.append_only,
            host_key=settings.host_key,
            region=settings.region,
            secret=lambda: read_secret(secrets, settings.secret_file).decode("utf8", "replace"),
        )
        with opened(where) as place:
            yield place

    @contextmanager
    def _at(self, name: str) -> Iterator[tuple[Place, Book]]:
        """Hold the place alone, look at its marker, and keep what went wrong."""
        settings = self.get(name)
        with disk.naming_the_cause(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        refusal = _("The place “%(name)s” is being worked on at this moment.", name=name)
        with lock.held(self._folder / f"{name}.lock", refusal=refusal):
            book = Book(self._folder, name)
            book.write(replace(book.read(), tried_at=clock.now()))
            try:
                with self._opened(settings) as place:
                    yield place, book
            except DaftarError as error:
                away = error.code == AWAY or (
                    error.code == "place_missing" and bool(book.read().id)
                )
                book.write(replace(book.read(), problem=error.message, away=away))
                raise

    def _seen(self, place: Place, book: Book) -> Standing:
        place_id = marker.read(place, self._office.keys.signer_fingerprint)
        standing = book.read().seen(place_id, copying.set_ids(place))
        book.write(standing)
        return standing

    def _wanted(self, actor: Actor, store: Store, standing: Standing) -> list[str]:
        """Return the backups to copy: sound ones, and none that retention let go there already."""
        sound = [item.id for item in self._office.items(actor) if item.problem is None]
        oldest = standing.sets[0] if standing.sets else ""
        return [name for name in sound if name >= oldest and name in store.set_ids()]

    def _clear(self, place: Place, book: Book, trust: Trust, scratch: Path) -> None:
        if place.append_only:
            return
        standing = book.read()
        remove, _refusal = to_remove(standing, clock.now(), Policy())
        if remove:
            # Written first: what is missing after a kill here was meant to go.
            book.write(standing.without(remove))
            copying.clear(place, remove, trust, scratch)

    def _note(self, actor: Actor, action: str, name: str, changes: dict[str, object]) -> None:
        database = self._office.database
        if database is not None:
            with database.write(actor) as session:
                note(session, actor, action, kind=KIND, changes={"place": name, **changes})


class Carrier:
    """Copies in the scheduler's process: a thread for each place, so that a slow one delays nobody."""

    def __init__(self, office: BackupOffice) -> None:
        self._places = PlacesOffice(office)
        self._settings = office.settings
        self._threads: dict[str, threading.Thread] = {}

    def jobs(self) -> list[Job]:
        """Return the jobs of every place, each with its own schedule."""
        zone = self._settings.organization.timezone
        found = []
        for each in self._settings.backup.places:
            rhythm = every(timedelta(hours=1))
            if each.schedule != HOURLY:
                rhythm = daily(each.schedule, zone)
            hourly = each.schedule == HOURLY
            carry = self._starter(each.name)
            found.append(Job(f"backups.copy.{each.name}", rhythm, carry, at_start=hourly))
        return found

    def _starter(self, name: str) -> Callable[[], None]:
        return lambda: self._start(name)

    def _start(self, name: str) -> None:
        """See to it that somebody works on the place; return at once."""
        known = self._threads.get(name)
        if known is not None and known.is_alive():
            return
        work = threading.Thread(target=self.carry, args=(name,), name=f"place-{name}", daemon=True)
        self._threads[name] = work
        work.start()

    def carry(self, name: str) -> None:
        """Copy what is missing, and read the newest copy back when it is time."""
        organization = self._settings.organization
        set_locale(organization.locale)
        set_display(Display(zone=organization.timezone))
        try:
            self._places.copy(SYSTEM, name)
            due = self._places.due_for_look(name)
            if due is not None:
                found = self._places.verify(SYSTEM, name, due)
                if not found.ok:
                    log.warning("The copy %s at %s is damaged.", found.set, name)
        except DaftarError as refusal:
            level = logging.INFO if refusal.code == AWAY else logging.WARNING
            log.log(level, "Copying to the place %s did not succeed: %s", name, refusal.message)
        except Exception:
            log.exception("Copying to the place %s ended in a fault.", name)


def must_be_whole(found: copying.Found) -> None:
    """Raise Broken when a copy that was read back is damaged."""
    if not found.ok:
        raise Broken(" ".join(found.problems), code="damaged")


__all__ = ["Carrier", "Light", "PlaceShown", "PlacesOffice", "must_be_whole"]
