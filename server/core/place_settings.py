"""The settings `[[backup.places]]`: where copies of backups go, and what is wrong with them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from server.core.i18n import gettext as _

KINDS = ("folder", "sftp", "s3")
HOURLY = "hourly"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_FILE = re.compile(r"[\w.-]+")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

Fault = tuple[str, str]


@dataclass(frozen=True)
class PlaceSettings:
    """One more place for backups.

    `schedule` is `hourly` or a time of day. `verify_days` is how often the newest copy is read back,
    0 for never. A place that misses a backup for `late_hours` turns amber, for twice that red.
    """

    name: str = ""
    kind: str = "folder"
    url: str = ""
    schedule: str = HOURLY
    verify_days: int = 7
    late_hours: int = 48
    append_only: bool = False
    secret_file: str = ""
    host_key: str = ""
    region: str = ""


def is_time(text: str) -> bool:
    """Return whether this is a time of day such as 02:15."""
    return _TIME.fullmatch(text) is not None


def place_faults(places: Sequence[PlaceSettings]) -> Iterator[Fault]:
    """Yield the settings that cannot be meant so, with the reason."""
    names = [each.name for each in places]
    for each in places:
        where = f"backup.places.{each.name or '?'}"
        if _NAME.fullmatch(each.name) is None:
            yield f"{where}.name", _("a name has small letters, digits and hyphens.")
        if names.count(each.name) > 1:
            yield f"{where}.name", _("two places have this name.")
        if each.kind not in KINDS:
            yield f"{where}.kind", _("it is one of folder, sftp and s3.")
        if each.schedule != HOURLY and not is_time(each.schedule):
            yield f"{where}.schedule", _("it is “hourly” or a time of day such as 03:30.")
        if each.verify_days < 0 or each.late_hours < 1:
            yield f"{where}.late_hours", _("the days are 0 or more, the hours 1 or more.")
        if each.secret_file and _FILE.fullmatch(each.secret_file) is None:
            yield f"{where}.secret_file", _("it is the name of a file below secrets/.")
        yield from _address_faults(where, each)


def _address_faults(where: str, place: PlaceSettings) -> Iterator[Fault]:
    try:
        parts = urlsplit(place.url)
        parts.port  # noqa: B018 - asked for its refusal
    except ValueError:
        yield f"{where}.url", _("it is no address.")
        return
    if place.kind == "folder":
        if not place.url.startswith("/"):
            yield f"{where}.url", _("a folder is a whole path such as /mnt/backups.")
        return
    if not place.secret_file:
        yield f"{where}.secret_file", _("a file with the key or password is needed.")
    yield from (_sftp_faults if place.kind == "sftp" else _s3_faults)(where, place, parts)


def _sftp_faults(where: str, place: PlaceSettings, parts: SplitResult) -> Iterator[Fault]:
    if parts.scheme != "sftp" or not parts.hostname or not parts.username:
        yield f"{where}.url", _("it is an address such as sftp://user@host/folder.")
    if not place.host_key:
        yield f"{where}.host_key", _("the other side's host key is needed: see ssh-keyscan.")


def _s3_faults(where: str, _place: PlaceSettings, parts: SplitResult) -> Iterator[Fault]:
    if parts.scheme not in {"https", "http"} or not parts.path.strip("/"):
        yield f"{where}.url", _("it is an address such as https://host/bucket/prefix.")
