"""`daftar backup`: making, proving, confirming, bringing back. After a fire most of it works without a database."""

import signal
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backup.confirm import NOTE_LENGTH, Choice
from backup.keys import Trust, read_identities
from backup.plan import Kind, Level
from backup.restore import Access, Identities
from backup.result import Result
from backup.store import Store
from installer import restoring
from installer.commands.home import Opened, at_the_keyboard, home, open_home, open_settings
from installer.commands.passwords import password_option, read_password
from installer.commands.progress import bar
from installer.commands.screen import table
from installer.restoring import Restored, Wanted
from server.backups.rules import CHECK_LABELS, KIND_LABELS, STAGE_LABELS, STATE_LABELS
from server.backups.service import BackupOffice, must_be_sound, why_kept
from server.core.actor import Actor
from server.core.command_line import HomeGroup, json_option, may_ask, report
from server.core.errors import Interrupted, Missing, NotAllowed, NotFound
from server.core.format import Display, filesize, set_display
from server.core.format import datetime as shown_time
from server.core.i18n import gettext as _
from server.users.queries import user_by_email
from server.users.rules import UserStatus
from server.users.sign_in import actor_for, confirm_password

file_path = click.Path(path_type=Path, dir_okay=False)
key_option = click.option(
    "--key",
    "key_file",
    type=file_path,
    metavar="FILE",
    help="A file with the working or the escrow key; by default the drill key of this server.",
)


@click.group(name="backup", cls=HomeGroup)
def group() -> None:
    """Make backups, prove them by a real restore, confirm them, bring them back."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


@dataclass(frozen=True)
class _Room:
    """The backups for one command, with the database where there is one."""

    office: BackupOffice
    actor: Actor
    opened: Opened | None


def _enter(*, database: bool) -> _Room:
    """Open the backups. Without need of the database its loss is no hindrance."""
    settings = open_settings()
    set_display(Display(zone=settings.organization.timezone))
    try:
        opened = open_home()
    except (Missing, OperationalError):
        if database:
            raise
        return _Room(BackupOffice(settings), at_the_keyboard(), None)
    return _Room(BackupOffice(settings, opened.database), opened.actor, opened)


def _known(store: Store, name: str) -> str:
    """Return the name when there is such a backup: a missing one is a missing precondition here."""
    try:
        store.set_folder(name)
    except NotFound as error:
        raise Missing(error.message, code=error.code) from error
    return name


def _opening(key_file: Path | None) -> Identities:
    return () if key_file is None else read_identities(key_file)


@group.command()
@json_option
def run(as_json: bool) -> None:
    """Make a backup now. It is proved by `daftar backup verify`."""
    room = _enter(database=True)
    with bar(STAGE_LABELS) as progress:
        made = room.office.run(room.actor, Kind.MANUAL, progress=progress)
    item = next(each for each in room.office.items(room.actor) if each.id == made.id)
    line = _(
        "The backup %(id)s was made: %(size)s, %(tables)s tables, %(rows)s rows, %(files)s files.",
        id=made.id,
        size=filesize(made.bytes),
        tables=item.tables,
        rows=item.rows,
        files=item.files,
    )
    report(item.as_json(), line, as_json=as_json)


@group.command(name="list")
@json_option
def list_them(as_json: bool) -> None:
    """List the backups, newest first."""
    room = _enter(database=False)
    found = room.office.items(room.actor)
    rows = [
        (
            item.id,
            shown_time(item.created_at),
            _(KIND_LABELS[item.kind]) if item.kind else "–",
            filesize(item.bytes),
            _(STATE_LABELS[item.state]),
            item.confirmation.user_name if item.confirmation else "–",
        )
        for item in found
    ]
    heads = (_("Backup"), _("Made"), _("Kind"), _("Size"), _("State"), _("Checked by"))
    lines = table(heads, rows) if rows else _("There is no backup yet. Make one first.")
    report({"items": [item.as_json() for item in found]}, lines, as_json=as_json)


@group.command()
@click.argument("name", metavar="[ID]", required=False)
@click.option("--latest", is_flag=True, help="The newest backup; so it is without ID, too.")
@click.option("--level", type=click.Choice([*Level]), help="How deep; by default a real restore.")
@key_option
@json_option
def verify(
    name: str | None, latest: bool, level: str | None, key_file: Path | None, as_json: bool
) -> None:
    """Prove a backup: restore it into a scratch place and compare everything."""
    if name and latest:
        raise click.UsageError(_("Name a backup or say --latest, not both."))
    room = _enter(database=False)
    if name:
        _known(room.office.store, name)
    with bar(STAGE_LABELS) as progress:
        name, found = room.office.verify(
            room.actor,
            name,
            identities=_opening(key_file),
            level=Level(level) if level else None,
            progress=progress,
        )
    item = next(each for each in room.office.items(room.actor) if each.id == name)
    report({**item.as_json(), "ok": found.ok}, _verified(name, found), as_json=as_json)
    must_be_sound(found)


def _verified(name: str, found: Result) -> str:
    lines = [
        f"{'✓' if check.ok else '✗'} {_(CHECK_LABELS.get(check.name, check.name))}"
        + (f": {check.detail}" if check.detail else "")
        for check in found.checks
    ]
    if not found.ok:
        lines.append(_("The backup %(id)s is damaged. Make a new one.", id=name))
    elif found.level is not Level.DRILL:
        lines.append(_("The bytes of the backup %(id)s are whole. It was not restored.", id=name))
    else:
        seconds = f"{found.restore_seconds or 0:.1f}"
        lines.append(
            _("The backup %(id)s was restored in %(s)s seconds and is right.", id=name, s=seconds)
        )
    return "\n".join(lines)


@group.command()
@click.argument("name", metavar="ID")
@click.option("--by", "who", required=True, metavar="USER", help="The address of who checked it.")
@click.option("--problem", is_flag=True, help="Say that a problem was found.")
@click.option("--note", default="", help="What was seen; a problem needs one.")
@password_option
@click.option("--yes", is_flag=True, help="Do not ask for the password.")
@json_option
def confirm(  # noqa: PLR0913 - one parameter an option
    name: str,
    who: str,
    problem: bool,
    note: str,
    password_file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Write down that a person checked a backup. On a terminal it asks for that person's password."""
    room = _enter(database=True)
    _known(room.office.store, name)
    if problem and not note.strip():
        raise click.UsageError(_("Say with --note what the problem is."))
    choice = Choice.PROBLEM_FOUND if problem else Choice.IN_ORDER
    if room.opened is None:
        raise Missing(_("The database is not there."))
    with room.opened.database.read() as session:
        person = _person(session, who)
        password = _password(password_file, yes)
        if password is not None:
            confirm_password(session, person, password)
    with room.opened.database.write(person) as session:
        room.office.confirm(session, person, name, choice, note[:NOTE_LENGTH])
    item = next(each for each in room.office.items(room.actor) if each.id == name)
    line = _("%(name)s has checked the backup %(id)s.", name=person.name, id=name)
    report(item.as_json(), line, as_json=as_json)


def _person(session: Session, who: str) -> Actor:
    user = user_by_email(session, who)
    if user is None or user.status is not UserStatus.ACTIVE:
        raise NotFound(
            _(
                "There is no active user with the address %(email)s. See “daftar user list”.",
                email=who,
            )
        )
    person = actor_for(user)
    if not person.may("backups.confirm"):
        raise NotAllowed(
            _("%(name)s may not confirm backups; a manager or an administrator may.", name=who)
        )
    return person


def _password(file: Path | None, yes: bool) -> str | None:
    """Return the password to compare, None where whoever may run this command is believed."""
    if file is not None:
        return read_password(file)
    if may_ask(yes):
        typed: str = click.prompt(_("Password"), hide_input=True)
        return typed
    return None


@group.command()
@click.argument("name", metavar="ID")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Make a home of its own here, and leave the live data alone.",
)
@click.option("--database", "url", metavar="URL", help="With --into: an empty PostgreSQL database.")
@key_option
@click.option(
    "--from",
    "place",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Another folder of backups, such as one that was saved from a lost server.",
)
@click.option(
    "--signer",
    type=file_path,
    metavar="FILE",
    help="With --from: the public key from the recovery sheet.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the live data is exchanged.")
@json_option
def restore(  # noqa: PLR0913 - one parameter an option
    name: str,
    into: Path | None,
    url: str | None,
    key_file: Path | None,
    place: Path | None,
    signer: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring a backup back: in the place of the live data, which is kept, or into a home elsewhere."""
    if into is None and (url or place):
        raise click.UsageError(_("--database and --from go with --into."))
    store, access = _source(place, signer, key_file)
    _known(store, name)
    if into is None and may_ask(yes):
        _ask(name)
    with bar(STAGE_LABELS) as progress:
        wanted = Wanted(store, name, access, url, progress)
        if into is None:
            done = restoring.in_place(open_settings(), wanted)
            _note_restore(name)
        else:
            settings = open_settings() if (home() / "daftar.toml").is_file() else None
            done = restoring.elsewhere(settings, wanted, into.absolute())
    report(_document(done), _told(done), as_json=as_json)


def _source(place: Path | None, signer: Path | None, key_file: Path | None) -> tuple[Store, Access]:
    """Return where the backup comes from, and the keys: this server's, or those a person brings."""
    opening = _opening(key_file)
    if place is None:
        office = BackupOffice(open_settings())
        return office.store, Access(opening or office.keys.drill, office.keys.trust)
    if signer is None:
        raise click.UsageError(
            _("With --from name the public key from the recovery sheet with --signer.")
        )
    try:
        trust = Trust.of_pem(signer.read_bytes())
    except ValueError as error:
        raise Missing(_("%(path)s holds no public key.", path=signer)) from error
    return Store(place), Access(opening, trust)


def _ask(name: str) -> None:
    question = _(
        "The live data is exchanged for the backup %(id)s. What is there now is kept beside it. Go on?",
        id=name,
    )
    if not click.confirm(question, default=False):
        raise Interrupted(_("Nothing was changed."))


def _note_restore(name: str) -> None:
    """Note the restore in the restored database, whose trail knows nothing of it."""
    room = _enter(database=True)
    room.office.note_restore(room.actor, name)


def _document(done: Restored) -> dict[str, object]:
    made = done.report.manifest
    return {
        "id": made.id,
        "home": str(done.home),
        "database": str(done.report.database),
        "files": str(done.report.files),
        "tables": len(made.tables),
        "rows": sum(table.rows for table in made.tables),
        "seconds": round(done.report.seconds, 3),
        "kept": None if done.kept is None else str(done.kept),
        "put_back": list(done.put_back),
    }


def _told(done: Restored) -> str:
    facts = _document(done)
    lines = [
        _(
            "The backup %(id)s was restored in %(s)s seconds: %(tables)s tables, %(rows)s rows.",
            id=facts["id"],
            s=facts["seconds"],
            tables=facts["tables"],
            rows=facts["rows"],
        )
    ]
    if done.kept is None:
        lines.append(
            _(
                "It is a home of its own: %(home)s. A licence is activated there anew.",
                home=done.home,
            )
        )
    else:
        lines.append(
            _(
                "What was there before is kept in %(kept)s; “daftar backup undo-restore” puts it back.",
                kept=done.kept,
            )
        )
    lines += [_("%(name)s was missing and was put back.", name=name) for name in done.put_back]
    return "\n".join(lines)


@group.command(name="undo-restore")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def undo_restore(yes: bool) -> None:
    """Put back the data that the last restore in place had kept."""
    question = _("The data of before the last restore comes back. Go on?")
    if may_ask(yes) and not click.confirm(question, default=False):
        raise Interrupted(_("Nothing was changed."))
    folder = restoring.undo(open_settings())
    click.echo(_("The data kept in %(folder)s is live again.", folder=folder))


@group.command()
@json_option
def prune(as_json: bool) -> None:
    """Remove old backups that retention lets go; never the last verified one."""
    room = _enter(database=False)
    with bar(STAGE_LABELS) as progress:
        done = room.office.prune(room.actor, progress=progress)
    document: dict[str, object] = {
        "removed": list(done.removed),
        "removed_objects": done.removed_objects,
        "freed": done.freed,
        "refusal": done.refusal,
    }
    line = _(
        "%(n)s backups were removed and %(size)s freed.",
        n=len(done.removed),
        size=filesize(done.freed),
    )
    report(document, why_kept(done.refusal) if done.refusal else line, as_json=as_json)


@group.command()
@click.argument("name", metavar="ID")
@click.argument("file", type=file_path)
@json_option
def export(name: str, file: Path, as_json: bool) -> None:
    """Write a sealed backup into one file, to be carried away."""
    room = _enter(database=False)
    _known(room.office.store, name)
    with bar(STAGE_LABELS) as progress:
        written = room.office.export(room.actor, name, file.absolute(), progress=progress)
    size = written.stat().st_size
    line = _("The backup %(id)s is in %(file)s: %(size)s.", id=name, file=file, size=filesize(size))
    report({"id": name, "file": str(written), "bytes": size}, line, as_json=as_json)
