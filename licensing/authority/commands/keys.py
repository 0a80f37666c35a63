"""`daftar-authority keys`: the working keys under the root."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from licensing.authority.audit.service import note
from licensing.authority.commands.home import Opened, open_home
from licensing.authority.commands.showing import moment
from licensing.authority.keys import service
from licensing.authority.keys.ceremony import find_entry, load_roots
from licensing.authority.keys.store import Keys, key_path, needed_passphrase, read_trust
from licensing.authority.licenses.service import resign_licenses
from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry, Keyset
from server.core import clock
from server.core.command_line import HomeGroup, json_option, report
from server.core.i18n import gettext as _
from server.core.i18n import ngettext


@click.group("keys", cls=HomeGroup)
def group() -> None:
    """Keep the keys that sign licences and leases."""


def _root_keys(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--root-key",
        "root_keys",
        multiple=True,
        required=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="A private root key; as many as the root's threshold.",
    )(command)


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Show the keyset."""
    with open_home() as home:
        trust = read_trust(home.settings)
        keyset = service.Ceremony(home.settings, trust, (), b"").keyset
        items = [_shown(home, entry) for entry in keyset.keys]
    document = {
        "version": keyset.version,
        "issued_at": moment(keyset.issued_at),
        "expires_at": moment(keyset.expires_at),
        "items": items,
    }
    lines = [_("Keyset %(n)s, until %(end)s", n=keyset.version, end=moment(keyset.expires_at))]
    lines += [
        f"{item['keyid']}  {item['state']:<8}  {','.join(entry.roles):<8}  {item['not_after']}"
        for item, entry in zip(items, keyset.keys, strict=True)
    ]
    report(document, "\n".join(lines), as_json=as_json)


def _shown(home: Opened, entry: KeyEntry) -> dict[str, object]:
    return {
        "keyid": entry.keyid,
        "roles": list(entry.roles),
        "state": _state(entry),
        "not_before": moment(entry.not_before),
        "not_after": moment(entry.not_after),
        "revoked_at": moment(entry.revoked_at),
        "held": key_path(home.settings, entry.public_key).is_file(),
    }


def _state(entry: KeyEntry) -> str:
    if entry.revoked_at is not None:
        return "revoked"
    return "valid" if entry.covers(clock.timestamp()) else "over"


def _ceremony(home: Opened, root_keys: tuple[Path, ...]) -> service.Ceremony:
    passphrase = needed_passphrase(home.settings)
    trust = read_trust(home.settings)
    return service.Ceremony(
        home.settings, trust, load_roots(trust, root_keys, passphrase), passphrase
    )


@group.command("rotate")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    default=(Role.LEASE.value,),
    show_default=True,
    help="May be repeated.",
)
@_root_keys
@json_option
def rotate(*, roles: tuple[str, ...], root_keys: tuple[Path, ...], as_json: bool) -> None:
    """Add a new key for each role; the old one goes on until its end."""
    with open_home() as home:
        held = _ceremony(home, root_keys)
        wanted = [Role(role) for role in dict.fromkeys(roles)]
        keyset = service.rotate(held, held.keyset, wanted, clock.timestamp())
        _note(home, "keys.rotate", ",".join(role.value for role in wanted), keyset)
    lines = _(
        "Keyset %(n)s is published. Servers fetch it at their next check-in.", n=keyset.version
    )
    report({"version": keyset.version}, lines, as_json=as_json)


@group.command("revoke")
@click.argument("keyid")
@_root_keys
@json_option
def revoke(*, keyid: str, root_keys: tuple[Path, ...], as_json: bool) -> None:
    """Kill a key: replace it where it is alone, sign anew what rests on it, then revoke it."""
    with open_home() as home:
        held = _ceremony(home, root_keys)
        entry = find_entry(held.keyset, keyid)
        if entry.revoked_at is not None:
            lines = _("The key %(keyid)s is revoked already. Nothing was changed.", keyid=keyid)
            report({"version": held.keyset.version, "resigned": 0}, lines, as_json=as_json)
            return
        keyset, count = _kill(home, held, entry)
    lines = ngettext(
        "Keyset %(version)s is published; %(n)s licence was signed anew.",
        "Keyset %(version)s is published; %(n)s licences were signed anew.",
        count,
        version=keyset.version,
    )
    report({"version": keyset.version, "resigned": count}, lines, as_json=as_json)


def _kill(home: Opened, held: service.Ceremony, entry: KeyEntry) -> tuple[Keyset, int]:
    keyset = service.replaced(held, entry, clock.timestamp())
    # Before the key dies, so that no check-in ever brings the new keyset without its new licence.
    successors = Keys(home.settings, held.passphrase).without(entry.public_key)
    with home.database.write() as session:
        count = resign_licenses(session, home.operator, successors, entry.public_key)
    keyset = service.revoke(held, keyset, entry, clock.timestamp())
    _note(home, "keys.revoke", entry.keyid, keyset)
    return keyset, count


@group.command("renew-root")
@_root_keys
@click.option(
    "--root-dir",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the new private root keys go.",
)
@json_option
def renew_root(*, root_keys: tuple[Path, ...], root_dir: Path, as_json: bool) -> None:
    """Replace the root keys; servers follow from the old root to the new one."""
    with open_home() as home:
        held = _ceremony(home, root_keys)
        root = service.renew_root(held, root_dir.absolute(), clock.timestamp())
        with home.database.write() as session:
            note(session, home.operator, "keys.renew_root", f"root {root.version}")
    lines = _(
        "Root %(n)s is published; its private keys are in %(folder)s. Move them to media that stay offline.",
        n=root.version,
        folder=root_dir.absolute(),
    )
    report({"root": root.version, "root_dir": str(root_dir.absolute())}, lines, as_json=as_json)


def _note(home: Opened, action: str, subject: str, keyset: Keyset) -> None:
    with home.database.write() as session:
        note(session, home.operator, action, subject, {"keyset": keyset.version})
