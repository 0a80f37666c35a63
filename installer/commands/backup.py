"""`daftar backup`: making, proving, confirming. After a fire most of it works without a database."""

from pathlib import Path

import click

from backup.confirm import NOTE_LENGTH, Choice
from backup.plan import Kind, Level
from backup.result import Check, Result
from installer.commands.backup_keys import key
from installer.commands.backup_people import person_of, signed_by
from installer.commands.backup_places import fetch, places
from installer.commands.backup_restore import restore, undo_restore
from installer.commands.backup_room import enter, key_option, known, opening
from installer.commands.progress import bar
from installer.commands.screen import table
from installer.sheet import FONTS
from server.backups.rules import CHECK_LABELS, KIND_LABELS, STAGE_LABELS, STATE_LABELS
from server.backups.service import must_be_sound, why_kept
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import Missing
from server.core.format import filesize, zoned
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _
from server.core.password_prompt import password_option

file_path = click.Path(path_type=Path, dir_okay=False)


@click.group(name="backup", cls=HomeGroup)
def group() -> None:
    """Make backups, prove them by a real restore, confirm them, bring them back."""


group.add_command(key)
group.add_command(restore)
group.add_command(undo_restore)
group.add_command(places)
group.add_command(fetch)


@group.command()
@json_option
def run(as_json: bool) -> None:
    """Make a backup now. It is proved by `daftar backup verify`."""
    room = enter(database=True)
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
    room = enter(database=False)
    found = room.office.items(room.actor)
    rows = [
        (
            item.id,
            zoned(item.created_at),
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
    room = enter(database=False)
    if name:
        known(room.office.store, name)
    with bar(STAGE_LABELS) as progress:
        name, found = room.office.verify(
            room.actor,
            name,
            identities=opening(key_file),
            level=Level(level) if level else None,
            progress=progress,
        )
    item = next(each for each in room.office.items(room.actor) if each.id == name)
    report({**item.as_json(), "ok": found.ok}, _verified(name, found), as_json=as_json)
    must_be_sound(found)


def _line(check: Check) -> str:
    words = CHECK_LABELS.get(check.name, check.name)
    detail = f": {check.detail}" if check.detail else ""
    return f"{'✓' if check.ok else '✗'} {_(words)}{detail}"


def _verified(name: str, found: Result) -> str:
    lines = [_line(check) for check in found.checks]
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
    room = enter(database=True)
    known(room.office.store, name)
    if problem and not note.strip():
        raise click.UsageError(_("Say with --note what the problem is."))
    choice = Choice.PROBLEM_FOUND if problem else Choice.IN_ORDER
    if room.opened is None:
        raise Missing(_("The database is not there."))
    with room.opened.database.read() as session:
        person = person_of(session, who)
        signed_by(session, person, password_file, yes)
    with room.opened.database.write(person) as session:
        room.office.confirm(session, person, name, choice, note[:NOTE_LENGTH])
    item = next(each for each in room.office.items(room.actor) if each.id == name)
    line = _("%(name)s has checked the backup %(id)s.", name=person.name, id=name)
    report(item.as_json(), line, as_json=as_json)


@group.command()
@json_option
def prune(as_json: bool) -> None:
    """Remove old backups that retention lets go; never the last verified one."""
    room = enter(database=False)
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
@click.argument("word", metavar="MONTH")
@click.option("--out", type=file_path, required=True, metavar="FILE", help="The PDF to write.")
@click.option("--lang", type=click.Choice(LOCALES), help="By default the organisation's.")
def month(word: str, out: Path, lang: str | None) -> None:
    """Print the record of a month such as 2026-11: days, checks, proofs of keys, as a signed PDF."""
    from server.backups.months import month_pdf  # loads the typesetter, which nothing else needs

    room = enter(database=False)
    content = month_pdf(room.office, room.actor, word, fonts=FONTS, locale=lang or "")
    out.write_bytes(content)
    click.echo(_("The record of %(month)s is in %(path)s.", month=word, path=out))


@group.command()
@click.argument("name", metavar="ID")
@click.argument("file", type=file_path)
@json_option
def export(name: str, file: Path, as_json: bool) -> None:
    """Write a sealed backup into one file, to be carried away."""
    room = enter(database=False)
    known(room.office.store, name)
    with bar(STAGE_LABELS) as progress:
        written = room.office.export(room.actor, name, file.absolute(), progress=progress)
    size = written.stat().st_size
    line = _("The backup %(id)s is in %(file)s: %(size)s.", id=name, file=file, size=filesize(size))
    report({"id": name, "file": str(written), "bytes": size}, line, as_json=as_json)
