"""`daftar backup key`: who holds the offline keys, their test, new ones, and the sheet they stand on."""

from pathlib import Path

import click

from backup.keys import read_identities
from backup.possession import Proof
from installer.commands.backup_people import person_of, signed_by
from installer.commands.backup_room import Room, enter, file_path
from installer.commands.screen import table
from installer.sheet import hand_over, must_be_free
from server.backups.custody import (
    OFFLINE,
    FormerKey,
    KeyOffice,
    KeyStanding,
    NewRecipient,
    offline_role,
)
from server.backups.rules import KEY_LABELS, PROOF_LABELS
from server.backups.sheets import sheet_of
from server.core import clock
from server.core.actor import Actor
from server.core.command_line import HomeGroup, json_option, report
from server.core.db import Database
from server.core.errors import Missing
from server.core.format import date, zoned
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _
from server.core.password_prompt import password_option

place_path = click.Path(path_type=Path)
by_option = click.option(
    "--by", "who", required=True, metavar="USER", help="The address of who holds the key."
)
sheet_option = click.option(
    "--sheet",
    type=place_path,
    metavar="PLACE",
    help="A new .pdf or text file, or a folder for a sheet each; by default the screen.",
)
lang_option = click.option(
    "--lang", type=click.Choice(LOCALES), help="By default the organisation's."
)
role_argument = click.argument("role", type=click.Choice([role.value for role in OFFLINE]))


@click.group(name="key", cls=HomeGroup)
def key() -> None:
    """Prove who holds the keys that open the backups, and make them anew."""


@key.command(name="list")
@json_option
def list_them(as_json: bool) -> None:
    """Show who proved which key when, and which former keys are needed still."""
    room = enter(database=False)
    found = KeyOffice(room.office).standing(room.actor)
    now = clock.now()
    rows = [
        (
            _(KEY_LABELS[each.role]),
            each.public,
            each.proof.user_name if each.proof else "–",
            zoned(each.proof.at) if each.proof else _("Never proved"),
            _("now") if each.is_due(now) else date(each.due_at),
        )
        for each in found.holdings
    ]
    heads = (_("Key"), _("Public half"), _("Proved by"), _("Proved on"), _("Asked again on"))
    lines = [table(heads, rows), *(_former(each) for each in found.former)]
    if found.drill is None:
        lines.append(_("This server holds no drill key."))
    report(_shown(found), "\n".join(lines), as_json=as_json)


def _former(each: FormerKey) -> str:
    if not each.count:
        return _("The former key %(public)s opens no backup any more.", public=each.public)
    return _(
        "The former key %(public)s is needed for %(n)s backups, %(first)s to %(last)s.",
        public=each.public,
        n=each.count,
        first=date(each.first_at),
        last=date(each.last_at),
    )


def _shown(found: KeyStanding) -> dict[str, object]:
    return {
        "keys": [
            {
                "role": each.role,
                "public": each.public,
                "proved_by": each.proof.user_name if each.proof else None,
                "proved_at": clock.rfc3339(each.proof.at) if each.proof else None,
                "due_at": clock.rfc3339(each.due_at) if each.due_at else None,
                "due": each.is_due(clock.now()),
            }
            for each in found.holdings
        ],
        "former": [
            {
                "role": each.role,
                "public": each.public,
                "backups": each.count,
                "first_at": clock.rfc3339(each.first_at) if each.first_at else None,
                "last_at": clock.rfc3339(each.last_at) if each.last_at else None,
            }
            for each in found.former
        ],
        "drill": found.drill,
        "signer": found.signer,
    }


def _database(room: Room) -> Database:
    if room.opened is None:
        raise Missing(_("The database is not there."))
    return room.opened.database


@key.command()
@role_argument
@click.option("--out", type=file_path, metavar="FILE", help="By default the screen.")
def test(role: str, out: Path | None) -> None:
    """Make a test that only the holder of the key can read; an earlier one is void."""
    room = enter(database=True)
    with _database(room).write(room.actor) as session:
        canary = KeyOffice(room.office).make_test(session, room.actor, offline_role(role))
    if out is None:
        click.echo(canary.decode(), nl=False)
        return
    out.write_bytes(canary)
    click.echo(
        _(
            "The test is %(path)s. Open it where the key is (age --decrypt --identity key.txt FILE), "
            "then: daftar backup key answer %(role)s --by USER",
            path=out,
            role=role,
        )
    )


@key.command()
@role_argument
@by_option
@click.option("--letters", prompt=True, help="What the holder read in the test.")
@password_option
@click.option("--yes", is_flag=True, help="Do not ask for the password.")
@json_option
def answer(
    role: str, who: str, letters: str, password_file: Path | None, yes: bool, as_json: bool
) -> None:
    """Take the letters of the test as the proof that USER holds the key."""
    room = enter(database=True)
    person = _holder(room, who, password_file, yes)
    with _database(room).write(person) as session:
        proof = KeyOffice(room.office).answer(session, person, offline_role(role), letters)
    _told((proof,), as_json=as_json)


@key.command()
@click.argument("file", type=file_path)
@by_option
@password_option
@click.option("--yes", is_flag=True, help="Do not ask for the password.")
@json_option
def show(file: Path, who: str, password_file: Path | None, yes: bool, as_json: bool) -> None:
    """Prove a key by a file on a medium that USER brought. Nothing of it is kept."""
    room = enter(database=True)
    brought = read_identities(file)
    person = _holder(room, who, password_file, yes)
    with _database(room).write(person) as session:
        proofs = KeyOffice(room.office).show(session, person, brought)
    _told(proofs, as_json=as_json)


def _holder(room: Room, who: str, password_file: Path | None, yes: bool) -> Actor:
    with _database(room).read() as session:
        person = person_of(session, who)
        signed_by(session, person, password_file, yes)
    return person


def _told(proofs: tuple[Proof, ...], *, as_json: bool) -> None:
    rows = [
        {
            "role": each.role,
            "public": each.public,
            "proved_by": each.user_name,
            "proved_at": clock.rfc3339(each.at),
            "how": each.how,
        }
        for each in proofs
    ]
    lines = [
        _(
            "%(key)s: proved by %(name)s, %(how)s.",
            key=_(KEY_LABELS[each.role]),
            name=each.user_name,
            how=_(PROOF_LABELS[each.how]),
        )
        for each in proofs
    ]
    report({"items": rows}, "\n".join(lines), as_json=as_json)


@key.command()
@click.argument("role", type=click.Choice([*(role.value for role in OFFLINE), "both"]))
@sheet_option
@lang_option
def rotate(role: str, sheet: Path | None, lang: str | None) -> None:
    """Make an offline key anew, or both. The private halves are handed over once and never stored."""
    room = enter(database=True)
    roles = OFFLINE if role == "both" else (offline_role(role),)
    must_be_free(sheet, roles)
    with _database(room).write(room.actor) as session:
        made = KeyOffice(room.office).rotate(session, room.actor, roles)
    click.echo(_handed_over(room, made, sheet, lang))
    click.echo(
        _(
            "Backups from now on are sealed to the new keys. Keep the former ones as long as "
            "“daftar backup key list” says, and prove the new ones: daftar backup key test."
        )
    )


def _handed_over(
    room: Room, made: tuple[NewRecipient, ...], place: Path | None, lang: str | None
) -> str:
    settings = room.office.settings
    sheet = sheet_of(settings, room.office.keys.signer_fingerprint, made)
    return hand_over(sheet, place, lang or settings.organization.locale)


@key.command()
@click.option(
    "--key",
    "files",
    type=file_path,
    multiple=True,
    required=True,
    metavar="FILE",
    help="A key file.",
)
@sheet_option
@lang_option
def sheet(files: tuple[Path, ...], sheet: Path | None, lang: str | None) -> None:
    """Print the recovery sheet again, from key files that somebody brought."""
    room = enter(database=False)
    private = [str(each) for file in files for each in read_identities(file)]
    found = KeyOffice(room.office).current(room.actor, private)
    must_be_free(sheet, [each.role for each in found])
    click.echo(_handed_over(room, found, sheet, lang))


@key.command()
@click.argument("deed", type=click.Choice(["renew", "remove"]))
def drill(deed: str) -> None:
    """Renew or remove the key by which this server restores its own backups at night."""
    room = enter(database=True)
    office = KeyOffice(room.office)
    with _database(room).write(room.actor) as session:
        if deed == "renew":
            office.renew_drill_key(session, room.actor)
        else:
            office.remove_drill_key(session, room.actor)
    click.echo(
        _("This server has a new drill key. Earlier backups keep the key they were sealed to.")
        if deed == "renew"
        else _(
            "The drill key is gone. Nobody who takes this server over can open later backups; "
            "prove them where a key is: daftar backup verify --key FILE."
        )
    )
