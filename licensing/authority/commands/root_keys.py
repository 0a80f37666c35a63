"""Taking in root keys for a ceremony: named at once, or from media that are put in one after another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from licensing.authority.keys.ceremony import RootKeys
from licensing.authority.keys.private import PrivateKey
from licensing.document.trust import Trust
from server.core.command_line import may_ask
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _


def root_key_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--root-key`, handed over as `root_keys`."""
    return click.option(
        "--root-key",
        "root_keys",
        multiple=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="A private root key; as many as the root's threshold. On a terminal missing ones are asked for.",
    )(command)


def take_root_keys(trust: Trust, files: tuple[Path, ...], passphrase: bytes) -> list[PrivateKey]:
    """Return enough root keys. On a terminal they may come one after another, from the same drive."""
    root = RootKeys(trust)
    for file in files:
        _take(root, file, passphrase)
    while root.missing and may_ask(yes=False):
        asked: str = click.prompt(
            _(
                "Root key %(n)s of %(needed)s. Put in its medium and name its file",
                n=root.needed - root.missing + 1,
                needed=root.needed,
            ),
            err=True,
        )
        _try(root, Path(asked).expanduser(), passphrase)
    return root.complete()


def _try(root: RootKeys, file: Path, passphrase: bytes) -> None:
    """Take the key, or say what is wrong and let another file be named."""
    before = root.missing
    try:
        _take(root, file, passphrase)
    except DaftarError as refusal:
        click.echo(refusal.message, err=True)
        return
    if root.missing == before:
        click.echo(_("This root key was taken in already."), err=True)
    else:
        click.echo(_("Taken in. The medium may go back to its safe."), err=True)


def _take(root: RootKeys, file: Path, passphrase: bytes) -> None:
    try:
        root.take(file, passphrase)
    except Invalid as refusal:
        if refusal.field != "passphrase" or not may_ask(yes=False):
            raise
        own: str = click.prompt(
            _("Passphrase of the root key %(path)s", path=file), hide_input=True, err=True
        )
        root.take(file, own.encode())
