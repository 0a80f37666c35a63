"""What is going to be installed where, as far as the preflight must know."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Mode(StrEnum):
    """`system` installs a service for everybody and needs root; `user` keeps all below the home."""

    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True)
class MailRelay:
    """The SMTP server that is going to send our mail."""

    host: str
    port: int = 25


@dataclass(frozen=True)
class PreflightPlan:
    """The answers of an installation. Empty `database_url` means SQLite below `data`.

    `lan_name` is the name colleagues type into their browser. `offline` says that the licence is
    going to be activated by file. `ca_bundle` names a file of certificates for the authority.
    """

    home: Path
    data: Path
    backups: Path
    mode: Mode = Mode.SYSTEM
    host: str = "127.0.0.1"
    port: int = 8000
    lan_name: str = ""
    authority_urls: tuple[str, ...] = ()
    ca_bundle: str = ""
    offline: bool = False
    database_url: str = ""
    mail_relay: MailRelay | None = None

    @property
    def sqlite(self) -> bool:
        """Return whether the records are going to live in a SQLite file."""
        return self.database_url == "" or self.database_url.startswith("sqlite")
