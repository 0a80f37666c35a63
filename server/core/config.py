"""The settings of one installation: `daftar.toml`, read once, checked at start, refused loudly.

Secrets never stand in it; they are files of mode 0600 below `secrets/`. Every key has its line in
docs/settings.md.
"""

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.core.errors import Invalid, Missing
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _
from server.core.letter_settings import Mail, Sms, is_origin, letter_faults
from server.core.networks import read_address, read_proxies
from server.core.place_settings import PlaceSettings, place_faults

T = TypeVar("T")

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Web:
    """Where pages are served. `https` says that TLS ends in front of us, so cookies may ask for it.

    `public_url` is what colleagues type; links in mail begin with it.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 2
    threads: int = 8
    https: bool = False
    trusted_proxies: tuple[str, ...] = ()
    public_url: str = ""

    @property
    def proxies(self) -> tuple[str, ...]:
        """Return whose word about the caller's address counts: without one, TLS ends on this machine."""
        here = ("127.0.0.1", "::1", *([self.host] if read_address(self.host) else []))
        return self.trusted_proxies or (here if self.https else ())


@dataclass(frozen=True)
class DatabaseSettings:
    """`url` is empty for the SQLite file in the data directory."""

    url: str = ""


@dataclass(frozen=True)
class License:
    """Whom to ask about the licence, and whom to believe. `vendor` tells people how to reach the vendor."""

    authority_urls: tuple[str, ...] = ()
    trust_root: str = "trust/root.json"
    ca_bundle: str = ""
    vendor: str = ""


@dataclass(frozen=True)
class Paths:
    """Relative paths are below the home."""

    data: str = "data"
    backups: str = "data/backups"


@dataclass(frozen=True)
class Organization:
    """The buyer's own customs: what new users get until they choose."""

    name: str = ""
    locale: str = "fa"
    currency: str = "IRR"
    timezone: str = "Asia/Tehran"
    toman: bool = True


@dataclass(frozen=True)
class BackupSettings:
    """`time` is the local time of the daily backup; the newest set is verified right after it."""

    time: str = "02:15"
    enabled: bool = True
    letter: bool = True
    places: tuple[PlaceSettings, ...] = ()


@dataclass(frozen=True)
class Log:
    """How much is written to log/daftar.log."""

    level: str = "INFO"


@dataclass(frozen=True)
class Security:
    """Argon2's cost in KiB and rounds, and how long a sign-in lasts in hours."""

    argon2_memory_kib: int = 65_536
    argon2_rounds: int = 3
    session_hours: int = 12


@dataclass(frozen=True)
class Settings:
    """Everything that `daftar.toml` says, with its defaults."""

    home: Path
    web: Web = field(default_factory=Web)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    license: License = field(default_factory=License)
    paths: Paths = field(default_factory=Paths)
    organization: Organization = field(default_factory=Organization)
    backup: BackupSettings = field(default_factory=BackupSettings)
    mail: Mail = field(default_factory=Mail)
    sms: Sms = field(default_factory=Sms)
    log: Log = field(default_factory=Log)
    security: Security = field(default_factory=Security)

    @property
    def data(self) -> Path:
        """Return the data directory."""
        return self.home / self.paths.data

    @property
    def backups(self) -> Path:
        """Return the directory of backup sets and their objects."""
        return self.home / self.paths.backups

    @property
    def secrets(self) -> Path:
        """Return the directory of secret files."""
        return self.home / "secrets"

    @property
    def backup_keys(self) -> Path:
        """Return the directory of the keys that sign and open backups."""
        return self.secrets / "backup"

    @property
    def license_dir(self) -> Path:
        """Return the directory of the licence's local state."""
        return self.data / "license"

    @property
    def files(self) -> Path:
        """Return the directory of attachments."""
        return self.data / "files"

    @property
    def log_dir(self) -> Path:
        """Return the directory of log files."""
        return self.data / "log"

    @property
    def run_dir(self) -> Path:
        """Return the directory of pid files and locks."""
        return self.data / "run"

    @property
    def trust_root(self) -> Path:
        """Return the file of the vendor's root keys."""
        return self.home / self.license.trust_root

    @property
    def database_url(self) -> str:
        """Return the database's address."""
        return self.database.url or f"sqlite:///{self.data / 'db' / 'daftar.sqlite3'}"


def _wrong(place: str, sentence: str) -> Invalid:
    return Invalid(
        _("The setting “%(place)s” is not right: %(why)s", place=place, why=sentence), field=place
    )


def _value(kind: Any, raw: object, place: str) -> object:
    if kind == tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            raise _wrong(place, _("a list of texts is needed."))
        return tuple(raw)
    if get_origin(kind) is tuple:
        if not isinstance(raw, list):
            raise _wrong(place, _("a list of tables is needed."))
        return tuple(read_table(get_args(kind)[0], item, place) for item in raw)
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if type(raw) is not kind:
        raise _wrong(
            place,
            _("%(expected)s is needed, not %(value)s.", expected=kind.__name__, value=repr(raw)),
        )
    return raw


def read_table(kind: type[T], raw: object, place: str, **given: object) -> T:
    """Return the dataclass filled from a TOML table, nested tables included; refuse unknown keys."""
    if not isinstance(raw, dict):
        raise _wrong(place, _("a table is needed."))
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind) if item.name not in given}  # type: ignore[arg-type] # a dataclass
    for name in raw:
        if name not in known:
            raise _wrong(f"{place}.{name}".strip("."), _("no such setting exists."))
    values: dict[str, object] = dict(given)
    for name, item in raw.items():
        here = f"{place}.{name}".strip(".")
        hint = hints[name]
        nested = isinstance(hint, type) and is_dataclass(hint)
        values[name] = read_table(hint, item, here) if nested else _value(hint, item, here)
    return kind(**values)


def read_toml(path: Path) -> dict[str, object]:
    """Return the parsed file, or raise Missing or Invalid with the way out."""
    try:
        return tomllib.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError as error:
        raise Missing(
            _(
                "There is no configuration at %(path)s. Run “daftar install” first, "
                "or name another home with --home.",
                path=path,
            )
        ) from error
    except PermissionError as error:
        raise Missing(
            _("The configuration %(path)s may not be read by this user.", path=path)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(_("%(path)s is no valid TOML: %(why)s", path=path, why=error)) from error


def check_settings(settings: Settings) -> None:
    """Raise Invalid when a value, right in its type, cannot be meant so."""
    _check_web(settings.web)
    try:
        read_proxies(settings.web.trusted_proxies)
    except Invalid as refusal:
        raise _wrong("web.trusted_proxies", refusal.message) from refusal
    if settings.organization.locale not in LOCALES:
        raise _wrong("organization.locale", _("it is one of fa, en and fr."))
    try:
        ZoneInfo(settings.organization.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _wrong("organization.timezone", _("it is a name such as Asia/Tehran.")) from error
    if settings.log.level not in LEVELS:
        raise _wrong("log.level", _("it is one of DEBUG, INFO, WARNING and ERROR."))
    security = settings.security
    if security.argon2_memory_kib < 8 or security.argon2_rounds < 1 or security.session_hours < 1:
        raise _wrong("security", _("at least 8 KiB, one round and one hour are needed."))
    hour, _colon, minute = settings.backup.time.partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise _wrong("backup.time", _("it is a time of day such as 02:15."))
    for place, why in place_faults(settings.backup.places):
        raise _wrong(place, why)
    check_letters(settings.mail, settings.sms)


def _check_web(web: Web) -> None:
    if not 0 < web.port < 65_536:
        raise _wrong("web.port", _("a port lies between 1 and 65535."))
    if web.processes < 1 or web.threads < 1:
        raise _wrong("web.processes", _("at least one process and one thread are needed."))
    if web.public_url and not is_origin(web.public_url):
        raise _wrong(
            "web.public_url", _("it is an address without a path, such as https://crm.example.com.")
        )


def check_letters(mail: Mail, sms: Sms) -> None:
    """Raise Invalid for the first setting of `[mail]` or `[sms]` that cannot be meant so."""
    for place, why in letter_faults(mail, sms):
        raise _wrong(place, why)


def load_settings(home: Path) -> Settings:
    """Read `daftar.toml` of this home. Raise Missing when there is none, Invalid when it is not right."""
    settings = read_table(Settings, read_toml(home / "daftar.toml"), "", home=home)
    check_settings(settings)
    return settings


def read_secret(settings_secrets: Path, name: str) -> bytes:
    """Return the secret of that name, or raise Missing."""
    path = settings_secrets / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise Missing(
            _(
                "The secret file %(path)s cannot be read: %(why)s. Restore it from the backup's sealed secrets.",
                path=path,
                why=error.strerror,
            )
        ) from error
