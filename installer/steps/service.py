"""Steps of mode `system`: the user that runs the service, its registration, and TLS in front of it."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Template

from backup import disk
from installer.steps.work import Work
from server.core.errors import Missing
from server.core.i18n import gettext as _

UNIT = "daftar.service"
SITE = "daftar.conf"
SYSTEMD = Path("/run/systemd/system")


def make_account(work: Work) -> str:
    """Make the system user that runs the service."""
    name = work.answers.service.user
    try:
        pwd.getpwnam(name)
    except KeyError:
        data = str(work.settings.data)
        _run("useradd", "--system", "--home-dir", data, "--shell", "/usr/sbin/nologin", name)
        return _("The user %(name)s was made.", name=name)
    return _("The user %(name)s is there.", name=name)


def hand_over(work: Work) -> str:
    """Give the service's user what it reads and writes; the configuration stays root's."""
    account = pwd.getpwnam(work.answers.service.user)
    settings = work.settings
    for path in _below(settings.data, settings.backups, settings.secrets):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    for path in (work.home, work.home / "daftar.toml", *_below(settings.trust_root.parent)):
        os.chown(path, os.geteuid(), account.pw_gid)
    (work.home / "daftar.toml").chmod(0o640)
    return _("Data, backups and secrets belong to %(name)s.", name=account.pw_name)


def _below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield folder
        yield from folder.rglob("*")


def register_service(work: Work) -> str:
    """Write the unit, and the site when TLS ends in nginx; start the service where systemd runs."""
    folder = work.home / "service"
    folder.mkdir(exist_ok=True)
    for name in (UNIT, SITE) if work.settings.web.https else (UNIT,):
        with disk.naming_the_cause(folder):
            disk.replace(folder / name, render(name, work).encode())
            (folder / name).chmod(0o644)
    if not SYSTEMD.is_dir():
        return _("%(path)s is written; no systemd runs here to start it.", path=folder / UNIT)
    _run("systemctl", "enable", "--now", str(folder / UNIT))
    return _("The service is registered and started.")


def render(name: str, work: Work) -> str:
    """Return one of the templates for this installation."""
    settings = work.settings
    template = files("installer.steps").joinpath("templates", name).read_text(encoding="utf8")
    return Template(template).substitute(
        user=work.answers.service.user,
        home=work.home,
        data=settings.data,
        backups=settings.backups,
        program=Path(sys.executable).parent / "daftar",
        host=settings.web.host,
        port=settings.web.port,
        name=work.answers.service.lan_name or socket.getfqdn(),
    )


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise Missing(_("The program %(name)s is not on this machine.", name=program))
    ended = subprocess.run(  # noqa: S603 - programs of the system with our own arguments
        [found, *arguments], capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise Missing(
            _("%(name)s failed: %(why)s", name=program, why=ended.stderr.strip() or ended.stdout)
        )
