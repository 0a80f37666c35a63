"""Checks of the installation's files: configuration, secrets, log."""

import stat
import tempfile
from pathlib import Path

from installer.checks import Finding, failed, passed
from installer.doctor.patient import Patient
from server.core.config import Settings
from server.core.i18n import gettext as _

WEB_KEY = "web.key"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def configuration(patient: Patient) -> Finding:
    """Fail when `daftar.toml` cannot be read or is not right."""
    if patient.settings is None:
        return failed(
            patient.problem,
            _("Correct %(path)s as docs/settings.md says.", path=patient.home / "daftar.toml"),
        )
    return passed(str(patient.home / "daftar.toml"))


def secret_files(settings: Settings) -> Finding:
    """Fail when a secret is missing, or can be read by others than its owner."""
    folder = settings.secrets
    if not (folder / WEB_KEY).is_file():
        return failed(
            _("The secret file %(path)s is missing.", path=folder / WEB_KEY),
            _("Restore it from the sealed secrets of a backup."),
        )
    open_ones = [path for path in _all_below(folder) if path.lstat().st_mode & OTHERS]
    if open_ones:
        return failed(
            _(
                "Others may open these secrets: %(names)s.",
                names=", ".join(path.name for path in open_ones),
            ),
            f"chmod -R go= {folder}",
        )
    return passed(_("Only their owner can read the secrets in %(path)s.", path=folder))


def log_directory(settings: Settings) -> Finding:
    """Fail when the log cannot be written."""
    folder = settings.log_dir
    try:
        tempfile.TemporaryFile(dir=folder, prefix=".daftar-doctor-").close()
    except OSError as error:
        return failed(
            _(
                "The log directory %(path)s cannot be written: %(why)s.",
                path=folder,
                why=error.strerror or error,
            ),
            f"mkdir -p {folder} && chown --reference={settings.data} {folder}",
        )
    return passed(str(folder))


def _all_below(folder: Path) -> list[Path]:
    return [folder, *sorted(path for path in folder.rglob("*") if not path.is_symlink())]
