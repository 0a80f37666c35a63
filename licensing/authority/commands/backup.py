"""`daftar-authority backup`: the authority's own database and keys, saved, proved and brought back."""

from pathlib import Path

import click

from backup.keys import NewKeys, Trust, read_identities
from backup.plan import Kind, Level
from backup.report import Item
from backup.restore import Access, Identities
from backup.result import Result
from backup.store import Store
from licensing.authority.audit.service import note
from licensing.authority.backups import estate, restoring, service
from licensing.authority.backups.restoring import Restored, Wanted
from licensing.authority.commands.home import home_settings, open_home, operator
from licensing.authority.config import Settings
from licensing.authority.disk import write_file
from server.core.clock import rfc3339
from server.core.command_line import HomeGroup, json_option, may_ask, report
from server.core.errors import Broken, Conflict, Interrupted, Missing, NotFound
from server.core.format import filesize
from server.core.i18n import gettext as _
from server.core.i18n import ngettext

file_path = click.Path(path_type=Path, dir_okay=False)
folder_path = click.Path(path_type=Path, file_okay=False)
key_option = click.option(
    "--key",
    "key_file",
    type=file_path,
    metavar="FILE",
    help="A file with the working or the escrow key; by default the drill key of this machine.",
)


@click.group("backup", cls=HomeGroup)
def group() -> None:
    """Save the authority's own database and keys, prove it by a real restore, bring it back."""


@group.command("keys")
@click.option(
    "--to",
    "target",
    required=True,
    type=file_path,
    metavar="FILE",
    help="Where the two private keys are written. Take that file away from this machine.",
)
@json_option
def make_keys(*, target: Path, as_json: bool) -> None:
    """Make the keys that sign and open backups, once."""
    if target.exists():
        raise Conflict(_("%(path)s exists already. Name another file.", path=target))
    with open_home() as home:
        made = service.make_keys(home.settings)
        write_file(target, _sheet(made).encode(), 0o600)
        with home.database.write() as session:
            note(session, home.operator, "backup.keys", made.signer_fingerprint)
    lines = _(
        "The working and the escrow key are in %(path)s. Take it away from this machine, in two places: "
        "without one of them nobody can open a backup after a fire.",
        path=target,
    )
    document = {"file": str(target), "signer": made.signer_fingerprint}
    report(document, lines, as_json=as_json)


def _sheet(made: NewKeys) -> str:
    return (
        f"# working key, public: {made.working_public}\n{made.working_private}\n"
        f"# escrow key, public: {made.escrow_public}\n{made.escrow_private}\n"
        "# what signs the backups, for --signer:\n"
        + "".join(f"# {line}\n" for line in made.signer_public_pem.splitlines())
    )


@group.command("run")
@json_option
def run(*, as_json: bool) -> None:
    """Make a backup now. It is proved by `daftar-authority backup verify`."""
    with open_home() as home:
        made = service.make_backup(home.settings, home.database, home.operator, Kind.MANUAL)
        item = next(each for each in service.items(home.settings) if each.id == made.id)
    lines = _(
        "The backup %(id)s was made: %(size)s, %(tables)s tables, %(rows)s rows.",
        id=made.id,
        size=filesize(made.bytes),
        tables=item.tables,
        rows=item.rows,
    )
    report(item.as_json(), lines, as_json=as_json)


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """List the backups, newest first."""
    found = service.items(home_settings())
    lines = "\n".join(_line(item) for item in found)
    empty = _("There is no backup yet. “daftar-authority backup run” makes one.")
    report({"items": [item.as_json() for item in found]}, lines or empty, as_json=as_json)


def _line(item: Item) -> str:
    kind = item.kind.value if item.kind else "–"
    size = filesize(item.bytes)
    return f"{item.id}  {rfc3339(item.created_at)}  {kind:<11}  {size:>9}  {item.state.value}"


@group.command("verify")
@click.argument("name", metavar="[ID]", required=False)
@click.option("--level", type=click.Choice([*Level]), help="How deep; by default a real restore.")
@key_option
@json_option
def verify(*, name: str | None, level: str | None, key_file: Path | None, as_json: bool) -> None:
    """Prove a backup, by default the newest: restore it into a scratch place and compare everything."""
    settings = home_settings()
    if name:
        _known(estate.store_of(settings), name)
    chosen, found = service.prove(
        settings,
        name,
        identities=_brought(key_file),
        level=Level(level) if level else None,
    )
    document = {
        "id": chosen,
        "ok": found.ok,
        "level": found.level.value,
        "checks": [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in found.checks],
    }
    report(document, _verified(chosen, found), as_json=as_json)
    if not found.ok:
        raise Broken(_("The backup %(id)s is damaged. Make a new one.", id=chosen))


def _verified(name: str, found: Result) -> str:
    lines = [
        f"{'✓' if one.ok else '✗'} {one.name}{f': {one.detail}' if one.detail else ''}"
        for one in found.checks
    ]
    if found.ok and found.level is Level.DRILL:
        seconds = f"{found.restore_seconds or 0:.1f}"
        lines.append(
            _("The backup %(id)s was restored in %(s)s seconds and is right.", id=name, s=seconds)
        )
    elif found.ok:
        lines.append(_("The bytes of the backup %(id)s are whole. It was not restored.", id=name))
    return "\n".join(lines)


@group.command("prune")
@json_option
def prune(*, as_json: bool) -> None:
    """Remove old backups that retention lets go; never the last verified one."""
    done = service.clear_out(home_settings())
    refusal = None if done.refusal is None else done.refusal.value
    lines = ngettext("%(n)s backup was removed.", "%(n)s backups were removed.", len(done.removed))
    if refusal is not None:
        lines = _("Nothing was removed: the newest backups are not proved (%(why)s).", why=refusal)
    report({"removed": list(done.removed), "refusal": refusal}, lines, as_json=as_json)


@group.command("restore")
@click.argument("name", metavar="ID")
@click.option(
    "--into",
    type=folder_path,
    metavar="DIR",
    help="Make a home of its own here, and leave the live database alone.",
)
@click.option("--database", "url", metavar="URL", help="With --into: an empty PostgreSQL database.")
@key_option
@click.option(
    "--from",
    "place",
    type=folder_path,
    metavar="DIR",
    help="With --into: a folder of backups that was saved from a lost machine.",
)
@click.option(
    "--signer", type=file_path, metavar="FILE", help="With --from: the file of “backup keys”."
)
@click.option("--yes", is_flag=True, help="Do not ask before the live database is exchanged.")
@json_option
def restore(  # noqa: PLR0913 - one parameter an option
    *,
    name: str,
    into: Path | None,
    url: str | None,
    key_file: Path | None,
    place: Path | None,
    signer: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring a backup back: in the place of the live database, which is kept, or into a home elsewhere."""
    if into is None and (url or place):
        raise click.UsageError(_("--database and --from go with --into."))
    store, access = _source(place, signer, key_file)
    _known(store, name)
    wanted = Wanted(store, name, access, operator(), url)
    if into is None:
        if may_ask(yes) and not click.confirm(_question(name), default=False):
            raise Interrupted(_("Nothing was changed."))
        done = restoring.in_place(home_settings(), wanted)
    else:
        done = restoring.elsewhere(wanted, into.absolute())
    report(_document(done), _told(done), as_json=as_json)


def _question(name: str) -> str:
    return _(
        "The live database is exchanged for the backup %(id)s. What is there now is kept beside it. Go on?",
        id=name,
    )


def _source(place: Path | None, signer: Path | None, key_file: Path | None) -> tuple[Store, Access]:
    """Return where the backup comes from, and the keys: this machine's, or those a person brings."""
    brought = _brought(key_file)
    if place is None:
        settings: Settings = home_settings()
        ring = estate.keyring(settings)
        return estate.store_of(settings), Access(brought or ring.drill, ring.trust)
    if signer is None:
        raise click.UsageError(_("With --from name the file of “backup keys” with --signer."))
    try:
        trust = Trust.of_pem(_uncommented(signer.read_bytes()))
    except (OSError, ValueError) as error:
        raise Missing(_("%(path)s holds no public key.", path=signer)) from error
    return Store(place), Access(brought, trust)


def _uncommented(text: bytes) -> bytes:
    """Return the public key that stands in comments of the file of keys, or a plain PEM as it is."""
    head = b"-----BEGIN PUBLIC KEY-----"
    lines = [line.removeprefix(b"# ") for line in text.splitlines()]
    start = next((place for place, line in enumerate(lines) if line == head), None)
    return text if start is None else b"\n".join(lines[start:]) + b"\n"


def _brought(key_file: Path | None) -> Identities:
    return () if key_file is None else read_identities(key_file)


def _known(store: Store, name: str) -> None:
    try:
        store.set_folder(name)
    except NotFound as error:
        raise Missing(error.message, code=error.code) from error


def _document(done: Restored) -> dict[str, object]:
    made = done.report.manifest
    return {
        "id": made.id,
        "home": str(done.home),
        "rows": sum(table.rows for table in made.tables),
        "seconds": round(done.report.seconds, 3),
        "kept": None if done.kept is None else str(done.kept),
        "put_back": list(done.put_back),
    }


def _told(done: Restored) -> str:
    facts = _document(done)
    lines = [
        _(
            "The backup %(id)s was restored in %(s)s seconds: %(rows)s rows. Customers' servers go on by "
            "themselves. Do again what was sold or changed since: see “Restoring” in the vendor's guide.",
            id=facts["id"],
            s=facts["seconds"],
            rows=facts["rows"],
        )
    ]
    if done.kept is not None:
        lines.append(
            _(
                "What was there before is kept in %(kept)s; “daftar-authority backup undo-restore” puts it back.",
                kept=done.kept,
            )
        )
    lines += [_("%(name)s was missing and was put back.", name=name) for name in done.put_back]
    return "\n".join(lines)


@group.command("undo-restore")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@json_option
def undo_restore(*, yes: bool, as_json: bool) -> None:
    """Put back the database that the last restore in place had kept."""
    question = _("The database of before the last restore comes back. Go on?")
    if may_ask(yes) and not click.confirm(question, default=False):
        raise Interrupted(_("Nothing was changed."))
    folder = restoring.undo(home_settings())
    lines = _("The database kept in %(folder)s is live again.", folder=folder)
    report({"folder": str(folder)}, lines, as_json=as_json)
