"""Steps that lay the ground: folders, secret files, the configuration, the vendor's root keys."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,  # noqa: TID251 - the key that seals signatures on delivery forms
)

from backup import disk
from installer.steps.answers import Answers
from installer.steps.toml import differences, render_settings
from installer.steps.work import Work
from licensing.document.errors import DocumentError
from licensing.document.keyset import load_root_file
from server.core.config import Settings, load_settings, read_secret
from server.core.errors import Conflict, Invalid, Missing
from server.core.i18n import gettext as _

CONFIGURATION = "daftar.toml"
WEB_KEY = "web.key"
FORMS_KEY = "forms.key"
PRIVATE = 0o700
FAMILY = 0o750


def make_directories(work: Work) -> str:
    """Make every folder of the installation, closed to others."""
    settings = work.settings
    wanted = {
        work.home: FAMILY,
        settings.data: FAMILY,
        settings.data / "db": PRIVATE,
        settings.files: FAMILY,
        settings.license_dir: PRIVATE,
        settings.log_dir: FAMILY,
        settings.run_dir: FAMILY,
        settings.backups: PRIVATE,
        settings.secrets: PRIVATE,
        settings.trust_root.parent: FAMILY,
    }
    made = [path for path, mode in wanted.items() if _make(path, mode)]
    return _("%(n)s folders were made.", n=len(made)) if made else _("All folders are there.")


def _make(path: Path, mode: int) -> bool:
    if path.is_dir():
        return False
    with disk.naming_the_cause(path):
        path.mkdir(mode=mode, parents=True)
    return True


def make_secrets(work: Work) -> str:
    """Make the secrets that every process shares, each in a file of its own."""
    makers = {WEB_KEY: lambda: secrets.token_bytes(32), FORMS_KEY: _new_signing_key}
    folder = work.settings.secrets
    made = []
    for name, make in makers.items():
        if not (folder / name).exists():
            with disk.naming_the_cause(folder):
                disk.replace(folder / name, make())
            made.append(name)
    made += [_copy_secret(work, name) for name in _given(work.answers) if not _is_there(work, name)]
    if not made:
        return _("The secrets are there and stay as they are.")
    return _("Made for their owner alone: %(names)s.", names=", ".join(made))


def _given(answers: Answers) -> tuple[str, ...]:
    """Return the files of secrets that the answers name."""
    return tuple(name for name in (answers.mail.password_file, answers.sms.secret_file) if name)


def _is_there(work: Work, name: str) -> bool:
    return (work.settings.secrets / Path(name).name).exists()


def _copy_secret(work: Work, name: str) -> str:
    source = work.answers.beside(name)
    target = work.settings.secrets / source.name
    try:
        content = source.read_bytes()
    except OSError as error:
        raise Missing(
            _(
                "The secret file %(path)s cannot be read: %(why)s.",
                path=source,
                why=error.strerror or error,
            )
        ) from error
    with disk.naming_the_cause(target):
        disk.replace(target, content)
    return target.name


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_configuration(work: Work) -> str:
    """Write `daftar.toml`. An existing one is kept, and must say the same as the answers."""
    path = work.home / CONFIGURATION
    if path.exists():
        other = differences(load_settings(work.home), work.settings)
        if other:
            raise Conflict(
                _(
                    "%(path)s says something else than the answers: %(keys)s. "
                    "Change the one that is wrong, then repeat “daftar install”.",
                    path=path,
                    keys=", ".join(other),
                ),
                code="other_configuration",
            )
        return _("%(path)s is there and says the same.", path=path)
    with disk.naming_the_cause(path):
        disk.replace(path, render_settings(work.settings).encode())
    return str(path)


def take_trust_root(work: Work) -> str:
    """Copy the vendor's root keys into the home; another vendor's never replace them unasked."""
    source, target = work.answers.beside(work.answers.license.trust_root), work.settings.trust_root
    content = _root_of(source)
    if target.exists() and target.read_bytes() != content:
        raise Conflict(
            _(
                "%(target)s holds other root keys than %(source)s. "
                "Ask the vendor which are right before you replace them.",
                target=target,
                source=source,
            ),
            code="other_root",
        )
    if not target.exists():
        with disk.naming_the_cause(target):
            disk.replace(target, content)
            os.chmod(target, 0o644)  # noqa: PTH101 - nothing in it is secret
    return str(target)


def _root_of(source: Path) -> bytes:
    try:
        content = source.read_bytes()
        load_root_file(content)
    except OSError as error:
        raise Missing(
            _(
                "The vendor's root keys are not at %(path)s: %(why)s. "
                "Correct [license] trust_root in the answers.",
                path=source,
                why=error.strerror or error,
            )
        ) from error
    except DocumentError as error:
        raise Invalid(
            _("%(path)s holds no root keys: %(why)s", path=source, why=error.message),
            field="license.trust_root",
        ) from error
    return content


def read_forms_key(settings: Settings) -> Ed25519PrivateKey:
    """Return the key that seals signatures on delivery forms, or raise Missing."""
    raw = read_secret(settings.secrets, FORMS_KEY)
    try:
        key = serialization.load_pem_private_key(raw, None)
    except ValueError as error:
        raise Missing(
            _("The key of the forms in %(folder)s is damaged.", folder=settings.secrets)
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Missing(_("The key of the forms in %(folder)s is damaged.", folder=settings.secrets))
    return key
