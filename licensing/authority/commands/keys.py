"""`daftar-authority keys`: the working keys under the root."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from licensing.authority.audit.service import note
from licensing.authority.commands.home import Opened, open_home
from licensing.authority.commands.progress import bar
from licensing.authority.commands.root_keys import root_key_option, take_root_keys
from licensing.authority.commands.showing import moment
from licensing.authority.keys import service
from licensing.authority.keys.ceremony import alone, check_root_key, find_entry
from licensing.authority.keys.rules import Ending, ending
from licensing.authority.keys.store import key_path, needed_passphrase, read_trust
from licensing.authority.replacing import (
    BATCH,
    Replaced,
    Replacing,
    Resting,
    clear_suspects,
    count_resting,
    count_suspects,
    replace_key,
    resting_on,
    revoke_key,
)
from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry, Keyset
from server.core import clock
from server.core.command_line import HomeGroup, json_option, report
from server.core.i18n import gettext as _
from server.core.i18n import ngettext


@click.group("keys", cls=HomeGroup)
def group() -> None:
    """Keep the keys that sign licences and leases."""


# What there is


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Show the root, the keyset, what rests on each key and what ends soon."""
    with open_home() as home:
        trust = read_trust(home.settings)
        keyset = service.Ceremony(home.settings, trust, (), b"").keyset
        with home.database.read() as session:
            resting = resting_on(session, [entry.keyid for entry in keyset.keys])
        items = [_shown(home, entry, resting[entry.keyid]) for entry in keyset.keys]
        held = [entry for entry in keyset.keys if _is_held(home, entry)]
    endings = ending(keyset, held, clock.timestamp())
    document = {
        "root": {"version": trust.root.version, "threshold": trust.root.threshold},
        "version": keyset.version,
        "issued_at": moment(keyset.issued_at),
        "expires_at": moment(keyset.expires_at),
        "items": items,
        "warnings": [
            {"role": one.role.value if one.role else "keyset", "ends_at": moment(one.ends_at)}
            for one in endings
        ],
    }
    lines = [
        _("Keyset %(n)s, until %(end)s", n=keyset.version, end=moment(keyset.expires_at)),
        *(_line(entry, resting[entry.keyid]) for entry in keyset.keys),
        *(_warning(one) for one in endings),
    ]
    report(document, "\n".join(lines), as_json=as_json)


def _is_held(home: Opened, entry: KeyEntry) -> bool:
    return key_path(home.settings, entry.public_key).is_file()


def _shown(home: Opened, entry: KeyEntry, resting: Resting) -> dict[str, object]:
    return {
        "keyid": entry.keyid,
        "roles": list(entry.roles),
        "state": _state(entry),
        "not_before": moment(entry.not_before),
        "not_after": moment(entry.not_after),
        "revoked_at": moment(entry.revoked_at),
        "held": _is_held(home, entry),
        "licenses": resting.licenses,
        "servers": resting.servers,
    }


def _line(entry: KeyEntry, resting: Resting) -> str:
    line = (
        f"{entry.keyid}  {_state(entry):<8}  {','.join(entry.roles):<8}  {moment(entry.not_after)}"
    )
    if Role.LICENSE.value not in entry.roles:
        return line
    told = _(
        "signs %(licenses)s living licences; %(servers)s servers hold one of them",
        licenses=resting.licenses,
        servers=resting.servers,
    )
    return f"{line}  {told}"


def _warning(one: Ending) -> str:
    if one.role is None:
        return _(
            "The keyset ends on %(end)s. Run “keys rotate”: it makes a new one.",
            end=moment(one.ends_at),
        )
    if one.ends_at is None:
        return _(
            "No key of the role “%(role)s” is valid here. Run “keys rotate --role %(role)s”.",
            role=one.role.value,
        )
    return _(
        "The last key of the role “%(role)s” ends on %(end)s. Run “keys rotate --role %(role)s”.",
        role=one.role.value,
        end=moment(one.ends_at),
    )


def _state(entry: KeyEntry) -> str:
    if entry.revoked_at is not None:
        return "revoked"
    return "valid" if entry.covers(clock.timestamp()) else "over"


@group.command("check-root")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"
)
@json_option
def check_root(*, file: Path, as_json: bool) -> None:
    """Prove that the root key on a medium still opens and belongs to this authority."""
    with open_home() as home:
        trust = read_trust(home.settings)
        number, keyid = check_root_key(trust, file, needed_passphrase(home.settings))
        with home.database.write() as session:
            note(session, home.operator, "keys.check_root", keyid)
    lines = _(
        "%(path)s opens. It is root key %(n)s of %(count)s, %(keyid)s.",
        path=file,
        n=number,
        count=len(trust.root.keys),
        keyid=keyid,
    )
    report({"keyid": keyid, "number": number, "root": trust.root.version}, lines, as_json=as_json)


# Changing them


def _ceremony(home: Opened, root_keys: tuple[Path, ...]) -> service.Ceremony:
    passphrase = needed_passphrase(home.settings)
    trust = read_trust(home.settings)
    roots = take_root_keys(trust, root_keys, passphrase)
    return service.Ceremony(home.settings, trust, roots, passphrase)


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
@root_key_option
@json_option
def rotate(*, roles: tuple[str, ...], root_keys: tuple[Path, ...], as_json: bool) -> None:
    """Add a new key for each role; the old one goes on until its end."""
    with open_home() as home, alone(home.settings):
        held = _ceremony(home, root_keys)
        wanted = [Role(role) for role in dict.fromkeys(roles)]
        keyset = service.rotate(held, held.keyset, wanted, clock.timestamp())
        _note(home, "keys.rotate", ",".join(role.value for role in wanted), keyset)
    lines = _(
        "Keyset %(n)s is published. Servers fetch it at their next check-in.", n=keyset.version
    )
    report({"version": keyset.version}, lines, as_json=as_json)


_batch_option = click.option(
    "--batch",
    type=click.IntRange(1, 10_000),
    default=BATCH,
    show_default=True,
    metavar="N",
    help="Licences signed in one transaction; check-ins are answered in between.",
)


@group.command("replace")
@click.argument("keyid")
@root_key_option
@_batch_option
@json_option
def replace(*, keyid: str, root_keys: tuple[Path, ...], batch: int, as_json: bool) -> None:
    """Sign anew what rests on a key, which lives on until it is revoked or ends."""
    with open_home() as home, alone(home.settings):
        job = Replacing(home.database, home.operator, _ceremony(home, root_keys), batch)
        entry = find_entry(job.held.keyset, keyid)
        with _bar(home, entry) as tell:
            done = replace_key(job, entry, tell)
    lines = ngettext(
        "%(n)s licence was signed anew and is fetched at the next check-in. The key %(keyid)s lives on.",
        "%(n)s licences were signed anew and are fetched at the next check-ins. The key %(keyid)s lives on.",
        done.resigned,
        keyid=keyid,
    )
    document = {"version": done.keyset.version, "resigned": done.resigned}
    report(document, lines, as_json=as_json)


@group.command("revoke")
@click.argument("keyid")
@root_key_option
@_batch_option
@click.option(
    "--clear-holds",
    is_flag=True,
    help="The key was stolen: forget the forks and holds that a thief's leases left behind.",
)
@json_option
def revoke(
    *, keyid: str, root_keys: tuple[Path, ...], batch: int, clear_holds: bool, as_json: bool
) -> None:
    """Kill a key: replace it where it is alone, sign anew what rests on it, then revoke it.

    Safe to repeat: interrupted, it goes on with what is left.
    """
    with open_home() as home, alone(home.settings):
        job = Replacing(home.database, home.operator, _ceremony(home, root_keys), batch)
        entry = find_entry(job.held.keyset, keyid)
        with _bar(home, entry) as tell:
            done = revoke_key(job, entry, tell)
        cleared = clear_suspects(job, entry) if clear_holds else 0
        with home.database.read() as session:
            waiting = resting_on(session, [keyid])[keyid].servers
            suspects = count_suspects(session)
    document = {"version": done.keyset.version, "resigned": done.resigned}
    document |= {"servers_waiting": waiting, "cleared": cleared, "suspects": suspects}
    report(document, "\n".join(_told(entry, done, document)), as_json=as_json)


def _told(entry: KeyEntry, done: Replaced, document: dict[str, int]) -> list[str]:
    lines = []
    if entry.revoked_at is not None:
        lines.append(_("The key %(keyid)s was revoked before.", keyid=entry.keyid))
    lines.append(
        ngettext(
            "Keyset %(version)s is published; %(n)s licence was signed anew.",
            "Keyset %(version)s is published; %(n)s licences were signed anew.",
            done.resigned,
            version=done.keyset.version,
        )
    )
    if document["servers_waiting"]:
        lines.append(
            ngettext(
                "%(n)s server fetches both together at its next check-in; “keys list” counts it down.",
                "%(n)s servers fetch both together at their next check-ins; “keys list” counts them down.",
                document["servers_waiting"],
            )
        )
    if document["cleared"]:
        lines.append(
            ngettext(
                "%(n)s server is no longer suspected of being a copy.",
                "%(n)s servers are no longer suspected of being copies.",
                document["cleared"],
            )
        )
    elif Role.LEASE.value in entry.roles and document["suspects"]:
        lines.append(
            ngettext(
                "%(n)s server is suspected of being a copy. If the key was stolen, repeat with --clear-holds.",
                "%(n)s servers are suspected of being copies. If the key was stolen, repeat with --clear-holds.",
                document["suspects"],
            )
        )
    return lines


def _bar(home: Opened, entry: KeyEntry) -> AbstractContextManager[Callable[[int], None]]:
    with home.database.read() as session:
        total = count_resting(session, entry.keyid)
    return bar(total, _("Signing licences anew"))


@group.command("renew-root")
@root_key_option
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
    with open_home() as home, alone(home.settings):
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
