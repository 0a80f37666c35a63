"""Founding an authority: root, first keyset, secrets, database, settings. Safe to repeat when interrupted."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from licensing.authority.config import (
    CHALLENGE_SECRET,
    FILE,
    METRICS_TOKEN,
    WEB_SECRET,
    Settings,
)
from licensing.authority.disk import write_file
from licensing.authority.keys.ceremony import make_root
from licensing.authority.keys.private import PrivateKey
from licensing.authority.keys.service import Ceremony, first_keyset
from licensing.authority.keys.store import KEYSET_FILE, ROOT_FILE
from licensing.authority.migrations.run import CHAIN
from licensing.document.keyset import load_root_file
from licensing.document.trust import Trust
from server.core import clock
from server.core.errors import Conflict
from server.core.i18n import gettext as _

# While it is there, what lies in the home was made by an interrupted run and may be used again.
UNFINISHED = ".init-unfinished"


_SETTINGS = """\
# The settings of this authority. Secrets never stand here.

[web]
host = "127.0.0.1"
port = 8100
processes = 2
threads = 8
# trusted_proxies = ["127.0.0.1"]

[database]
# Empty: the SQLite file db/authority.sqlite3 below this folder.
url = {url}

[keys]
# Empty: the passphrase comes from the variable DAFTAR_AUTHORITY_PASSPHRASE.
passphrase_file = {passphrase_file}

[limits]
enabled = true
# Whether callers on this very machine are limited as well.
loopback = true
per_ip_minute = 60
challenge_per_minute = 10
activation_per_minute = 5
activation_per_code_day = 20
checkin_burst = 10
checkin_interval_s = 300
deactivation_per_day = 3

[clients]
# Older versions of the product are refused; empty: none is.
oldest_version = ""
# The day each version was built, such as "0.2.0=2027-03-01": a perpetual licence is not activated
# for a version that is newer than its maintenance.
builds = []

[selling]
product = "daftar"
edition = "standard"
timezone = "Asia/Tehran"
features = ["crm", "club", "api"]

[console]
enabled = true
# true once a web server with TLS stands in front: cookies then travel over TLS only.
https = false
session_hours = 8
confirm_minutes = 15

[backup]
# Of this authority itself, daily at this time; “daftar-authority backup keys” comes first.
enabled = true
time = "03:15"
# Relative ones lie below this folder. Another disk is better.
folder = "backups"

[log]
level = "INFO"
"""


@dataclass(frozen=True)
class Wishes:
    """What `init` was told. `passphrase_file` is kept in the settings, the passphrase itself nowhere."""

    root_dir: Path
    passphrase: bytes
    passphrase_file: Path | None = None
    database_url: str = ""


def is_founded(home: Path) -> bool:
    """Tell whether `init` has come to its end here."""
    return (home / FILE).is_file()


def found(home: Path, wishes: Wishes) -> Settings:
    """Make everything that an authority needs; `authority.toml` comes last and says that all is there."""
    settings = _settings(home, wishes)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    is_resumed = _begin(home, wishes)
    roots = make_root(settings, wishes.root_dir, wishes.passphrase, resume=is_resumed)
    _make_keyset(settings, roots, wishes.passphrase)
    for name in (CHALLENGE_SECRET, WEB_SECRET):
        if not (settings.secrets_dir / name).exists():
            write_file(settings.secrets_dir / name, secrets.token_bytes(32), 0o600)
    if not (settings.secrets_dir / METRICS_TOKEN).exists():
        token = f"{secrets.token_urlsafe(32)}\n".encode()
        write_file(settings.secrets_dir / METRICS_TOKEN, token, 0o600)
    settings.secrets_dir.chmod(0o700)
    settings.keys_dir.chmod(0o700)
    CHAIN.upgrade(settings.database_url)
    write_file(home / FILE, _toml(wishes).encode())
    (home / UNFINISHED).unlink()
    return settings


def _settings(home: Path, wishes: Wishes) -> Settings:
    settings = Settings(home=home)
    if wishes.database_url:
        settings = Settings(home=home, database=type(settings.database)(wishes.database_url))
    return settings


def _begin(home: Path, wishes: Wishes) -> bool:
    """Note that founding goes on here; tell whether it had begun before."""
    marker = home / UNFINISHED
    note = str(wishes.root_dir).encode()
    if marker.exists():
        if marker.read_bytes() != note:
            raise Conflict(
                _(
                    "An earlier run of init was interrupted with other root keys: %(path)s. "
                    "Name that folder with --root-dir.",
                    path=marker.read_text(),
                )
            )
        return True
    if (home / "trust").exists():
        raise Conflict(
            _(
                "%(home)s holds keys of an authority but no %(file)s. "
                "Restore that file, or name another home.",
                home=home,
                file=FILE,
            )
        )
    write_file(marker, note, 0o600)
    return False


def _make_keyset(settings: Settings, roots: list[PrivateKey], passphrase: bytes) -> None:
    if (settings.trust_dir / KEYSET_FILE).exists():
        return
    root = load_root_file((settings.trust_dir / ROOT_FILE).read_bytes())
    held = Ceremony(settings, Trust(root), roots[: root.threshold], passphrase)
    first_keyset(held, clock.timestamp())


def _toml(wishes: Wishes) -> str:
    named = "" if wishes.passphrase_file is None else str(wishes.passphrase_file)
    return _SETTINGS.format(url=_quoted(wishes.database_url), passphrase_file=_quoted(named))


def _quoted(text: str) -> str:
    # A JSON string is a TOML string.
    return json.dumps(text, ensure_ascii=False)
