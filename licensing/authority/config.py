"""The settings of one authority: `authority.toml` in its home, read once, refused loudly.

Secrets never stand in it; it may name the file that holds the passphrase of the keys.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from server.core.config import check_letters, read_table, read_toml
from server.core.errors import Invalid, Missing
from server.core.i18n import gettext as _
from server.core.letter_settings import Mail, Sms

FILE = "authority.toml"
# Files below `secrets_dir`.
WEB_SECRET = "web.key"  # noqa: S105 - the name of a file
CHALLENGE_SECRET = "challenge.key"  # noqa: S105 - the name of a file
METRICS_TOKEN = "metrics.token"  # noqa: S105 - the name of a file


@dataclass(frozen=True)
class Web:
    """Where customers' servers call."""

    host: str = "127.0.0.1"
    port: int = 8100
    processes: int = 2
    threads: int = 8
    trusted_proxies: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatabaseSettings:
    """`url` is empty for the SQLite file in the home."""

    url: str = ""


@dataclass(frozen=True)
class KeySettings:
    """`passphrase_file` is empty when the passphrase comes from the environment."""

    passphrase_file: str = ""


@dataclass(frozen=True)
class Limits:
    """How often one address, code or activation may ask (licensing.md §11).

    `loopback` tells whether callers on this very machine are limited as well.
    """

    enabled: bool = True
    loopback: bool = True
    per_ip_minute: int = 60
    challenge_per_minute: int = 10
    activation_per_minute: int = 5
    activation_per_code_day: int = 20
    checkin_burst: int = 10
    checkin_interval_s: int = 300
    deactivation_per_day: int = 3


@dataclass(frozen=True)
class Selling:
    """What a licence says unless the command says otherwise."""

    product: str = "daftar"
    edition: str = "standard"
    timezone: str = "Asia/Tehran"
    features: tuple[str, ...] = ("crm", "club", "api")


@dataclass(frozen=True)
class Clients:
    """`oldest_version` of the product that is still served; empty for all of them.

    `builds` tells on which day versions were built, each as `0.2.0=2027-03-01`. A perpetual licence
    is not activated for a version that was built after its maintenance.
    """

    oldest_version: str = ""
    builds: tuple[str, ...] = ()

    def built_at(self, version: str) -> int | None:
        """Return when a version was built, in Unix seconds; None when nobody said."""
        days = dict(_build(entry) for entry in self.builds)
        return days.get(version.partition("+")[0])


def _build(entry: str) -> tuple[str, int]:
    version, _equals, day = entry.partition("=")
    try:
        built = datetime.fromisoformat(f"{day.strip()}T00:00:00+00:00")
    except ValueError as error:
        raise Invalid(
            _("%(entry)s is no build. One is written 0.2.0=2027-03-01.", entry=entry),
            field="clients.builds",
        ) from error
    return version.strip(), int(built.timestamp())


@dataclass(frozen=True)
class ConsoleSettings:
    """The vendor's console in the browser, at /console.

    With `https` its cookies travel over TLS only. A sign-in lasts `session_hours`; what is grave asks
    again who is there when the last proof is older than `confirm_minutes`.
    """

    enabled: bool = True
    https: bool = False
    session_hours: int = 8
    confirm_minutes: int = 15


@dataclass(frozen=True)
class BackupSettings:
    """When the authority's own database is saved, in the selling time zone, and where (below the home)."""

    enabled: bool = True
    time: str = "03:15"
    folder: str = "backups"


@dataclass(frozen=True)
class Log:
    """How much is written to stderr."""

    level: str = "INFO"


@dataclass(frozen=True)
class Settings:
    """Everything that `authority.toml` says, with its defaults."""

    home: Path
    web: Web = field(default_factory=Web)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    limits: Limits = field(default_factory=Limits)
    selling: Selling = field(default_factory=Selling)
    clients: Clients = field(default_factory=Clients)
    mail: Mail = field(default_factory=Mail)
    sms: Sms = field(default_factory=Sms)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    log: Log = field(default_factory=Log)

    @property
    def database_url(self) -> str:
        """Return the database's address."""
        return self.database.url or f"sqlite:///{self.home / 'db' / 'authority.sqlite3'}"

    @property
    def keys_dir(self) -> Path:
        """Return the folder of the encrypted working keys."""
        return self.home / "keys"

    @property
    def trust_dir(self) -> Path:
        """Return the folder of what customers are told to trust; nothing in it is secret."""
        return self.home / "trust"

    @property
    def backups_dir(self) -> Path:
        """Return the folder of the authority's own backups; another disk is better."""
        return self.home / self.backup.folder

    @property
    def secrets_dir(self) -> Path:
        """Return the folder of the secrets that all processes share."""
        return self.home / "secrets"


def _check(settings: Settings) -> None:
    web, limits = settings.web, settings.limits
    if not 0 < web.port < 65_536:
        raise Invalid(_("The setting web.port lies between 1 and 65535."), field="web.port")
    if web.processes < 1 or web.threads < 1:
        raise Invalid(_("At least one process and one thread are needed."), field="web.processes")
    if not (
        1 <= settings.console.session_hours <= 72 and 1 <= settings.console.confirm_minutes <= 240
    ):
        raise Invalid(
            _(
                "A sign-in to the console lasts 1 to 72 hours, a proof of who is there 1 to 240 minutes."
            ),
            field="console.session_hours",
        )
    if not _is_time(settings.backup.time):
        raise Invalid(
            _("The setting backup.time is a time of day such as 03:15."), field="backup.time"
        )
    settings.clients.built_at("")
    check_letters(settings.mail, settings.sms)
    numbers = (
        limits.per_ip_minute,
        limits.challenge_per_minute,
        limits.activation_per_minute,
        limits.activation_per_code_day,
        limits.checkin_burst,
        limits.checkin_interval_s,
        limits.deactivation_per_day,
    )
    if min(numbers) < 1:
        raise Invalid(
            _("Every number under [limits] is at least 1; “enabled = false” turns them off."),
            field="limits",
        )


def _is_time(text: str) -> bool:
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal()):
        return False
    return int(hour) < 24 and int(minute) < 60


def load_settings(home: Path) -> Settings:
    """Read `authority.toml` of this home. Raise Missing when there is none, Invalid when it is wrong."""
    path = home / FILE
    if not path.is_file():
        raise Missing(
            _(
                "There is no authority at %(home)s. Run “daftar-authority init” first, "
                "or name another home with --home.",
                home=home,
            )
        )
    settings = read_table(Settings, read_toml(path), "", home=home)
    _check(settings)
    return settings
