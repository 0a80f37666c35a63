"""What the administrator answered before an installation: one TOML file, read strictly.

docs/answers.example.toml shows every answer. Passwords never stand in it; it names files of them, which
the installation copies to its secrets.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from installer.preflight.plan import MailRelay, Mode, PreflightPlan
from server.core.config import (
    BackupSettings,
    DatabaseSettings,
    License,
    Log,
    Organization,
    Paths,
    Security,
    Settings,
    Web,
    check_settings,
    read_table,
    read_toml,
)
from server.core.errors import Invalid, Missing
from server.core.i18n import gettext as _
from server.core.letter_settings import Mail, Sms, is_address

SYSTEM_PATHS = Paths(data="/var/lib/daftar", backups="/var/lib/daftar/backups")
USER_PATHS = Paths()


@dataclass(frozen=True)
class LicenseAnswers:
    """Whom to ask about the licence. `trust_root` is the vendor's root.json, which is copied into the home."""

    authority_urls: tuple[str, ...] = ()
    trust_root: str = ""
    ca_bundle: str = ""
    vendor: str = ""
    offline: bool = False


@dataclass(frozen=True)
class PathsAnswers:
    """Where data and backups live; relative paths are below the home. Empty takes the mode's usual place."""

    data: str = ""
    backups: str = ""


@dataclass(frozen=True)
class BackupAnswers:
    """The daily backup. `recovery_sheet` is a file for the private keys; empty shows them on the screen once."""

    time: str = "02:15"
    enabled: bool = True
    drill_key: bool = True
    recovery_sheet: str = ""


@dataclass(frozen=True)
class AdminAnswers:
    """The first administrator. Without a `password_file` a password is asked for, or made and shown once."""

    email: str = ""
    name: str = ""
    password_file: str = ""


@dataclass(frozen=True)
class ServiceAnswers:
    """How the service runs in mode `system`: as which user, and under which name on the LAN."""

    user: str = "daftar"
    lan_name: str = ""


@dataclass(frozen=True)
class RepresentativeAnswers:
    """Who answers for the licence and is warned before its term ends. Can be named later as well."""

    name: str = ""
    email: str = ""
    phone: str = ""
    locale: str = "fa"


@dataclass(frozen=True)
class Answers:
    """Every answer, with its default."""

    file: Path
    mode: str = Mode.SYSTEM.value
    web: Web = field(default_factory=Web)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    license: LicenseAnswers = field(default_factory=LicenseAnswers)
    paths: PathsAnswers = field(default_factory=PathsAnswers)
    organization: Organization = field(default_factory=Organization)
    backup: BackupAnswers = field(default_factory=BackupAnswers)
    admin: AdminAnswers = field(default_factory=AdminAnswers)
    service: ServiceAnswers = field(default_factory=ServiceAnswers)
    mail: Mail = field(default_factory=Mail)
    sms: Sms = field(default_factory=Sms)
    representative: RepresentativeAnswers = field(default_factory=RepresentativeAnswers)
    log: Log = field(default_factory=Log)
    security: Security = field(default_factory=Security)

    @property
    def is_system(self) -> bool:
        """Tell whether a service for everybody is registered."""
        return self.mode == Mode.SYSTEM.value

    def beside(self, name: str) -> Path:
        """Return a file that the answers name, relative ones beside the answers."""
        return self.file.parent / name

    def settings(self, home: Path) -> Settings:
        """Return the settings that the new installation gets. Raise Invalid when one is not right."""
        usual = SYSTEM_PATHS if self.is_system else USER_PATHS
        data = self.paths.data or usual.data
        backups = self.paths.backups or (f"{data}/backups" if self.paths.data else usual.backups)
        settings = Settings(
            home=home,
            web=self.web,
            database=self.database,
            license=License(
                authority_urls=self.license.authority_urls,
                ca_bundle=self.license.ca_bundle and str(self.beside(self.license.ca_bundle)),
                vendor=self.license.vendor,
            ),
            paths=Paths(data=data, backups=backups),
            organization=self.organization,
            backup=BackupSettings(time=self.backup.time, enabled=self.backup.enabled),
            mail=replace(
                self.mail,
                password_file=Path(self.mail.password_file).name,
                ca_bundle=self.mail.ca_bundle and str(self.beside(self.mail.ca_bundle)),
            ),
            sms=replace(
                self.sms,
                secret_file=Path(self.sms.secret_file).name,
                ca_bundle=self.sms.ca_bundle and str(self.beside(self.sms.ca_bundle)),
            ),
            log=self.log,
            security=self.security,
        )
        check_settings(settings)
        return settings

    def preflight(self, home: Path) -> PreflightPlan:
        """Return what the preflight has to look at."""
        settings = self.settings(home)
        relay = MailRelay(self.mail.host, self.mail.port) if self.mail.host else None
        return PreflightPlan(
            home=home,
            data=settings.data,
            backups=settings.backups,
            mode=Mode(self.mode),
            host=self.web.host,
            port=self.web.port,
            lan_name=self.service.lan_name,
            authority_urls=self.license.authority_urls,
            ca_bundle=settings.license.ca_bundle,
            offline=self.license.offline,
            database_url=self.database.url,
            mail_relay=relay,
        )


def load_answers(path: Path) -> Answers:
    """Read the answers. Raise Missing when the file is not there, Invalid when it is not right."""
    if not path.is_file():
        raise Missing(
            _(
                "There are no answers at %(path)s. Copy docs/answers.example.toml there and change it.",
                path=path,
            )
        )
    answers = read_table(Answers, read_toml(path), "", file=path.absolute())
    check_answers(answers)
    return answers


def check_answers(answers: Answers) -> None:
    """Raise Invalid when an answer cannot be meant so."""
    if answers.mode not in {mode.value for mode in Mode}:
        raise _wrong("mode", _("it is “user” or “system”."))
    if not answers.admin.email.strip():
        raise _wrong("admin.email", _("somebody must be able to sign in first."))
    if not answers.admin.name.strip():
        raise _wrong("admin.name", _("a user needs a name."))
    if not answers.organization.name.strip():
        raise _wrong("organization.name", _("forms and backups carry it."))
    named = answers.representative
    if (named.name or named.email or named.phone) and not (
        named.name.strip() and is_address(named.email)
    ):
        raise _wrong("representative.email", _("a representative has a name and an address."))
    if not answers.license.trust_root:
        raise _wrong("license.trust_root", _("it names the root.json that came with the delivery."))


def _wrong(place: str, why: str) -> Invalid:
    return Invalid(
        _("The answer “%(place)s” is not right: %(why)s", place=place, why=why), field=place
    )
