"""`daftar import`: bring companies, people and deals in from a file of comma separated values."""

import os
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from installer.commands.home import Opened, open_home
from installer.commands.screen import table
from server.core import clock
from server.core.clock import rfc3339
from server.core.command_line import FOUND, HomeGroup, json_option, report
from server.core.errors import Interrupted, NotLicensed
from server.core.format import zoned
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.listing import ListQuery
from server.exchange import queries, service
from server.exchange.fields import FIELDS, Shape
from server.exchange.mapping import checked
from server.exchange.models import Import
from server.exchange.profile import look_at, sheet_of
from server.exchange.rules import KIND_LABELS, OUTCOME_LABELS, STATUS_LABELS, UNDO_LABELS
from server.exchange.run import Progress
from server.exchange.service import ImportKind, ImportStatus, Mode, Outcome, Profile, Run, Workshop

MOST_PROBLEMS = 100
MOST_REMARKS = 5


@click.group(name="import", cls=HomeGroup)
def group() -> None:
    """Bring companies, people and deals in from a CSV file, and take an import back."""


@dataclass(frozen=True)
class Wish:
    """What the command line says about an import."""

    kind: ImportKind
    file: Path
    mapping: Path | None
    currency: str | None
    mode: str | None
    key: str | None

    def read(self, profile: Profile) -> service.Mapping:
        """Return what becomes of the columns. Raise Invalid when that makes no sense."""
        if self.mapping is None:
            mapping = service.recognised(self.kind, profile.headers, profile.dates)
        else:
            text = self.mapping.read_bytes().decode("utf-8-sig", "replace")
            mapping = service.from_toml(text, self.kind, profile.headers, profile.dates)
        said = {"currency": self.currency, "key": self.key, "mode": self.mode and Mode(self.mode)}
        changes: dict[str, Any] = {name: value for name, value in said.items() if value}
        return checked(replace(mapping, **changes), self.kind, profile.headers)


def _add_command(kind: ImportKind, sentence: str) -> None:
    @group.command(name=kind.value, help=sentence)
    @click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    @click.option(
        "--mapping",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="What becomes of the columns, as TOML; without it the headers are recognised.",
    )
    @click.option("--dry-run", is_flag=True, help="Only tell what would become of every row.")
    @click.option("--currency", metavar="CODE", help="Of amounts without one, such as USD.")
    @click.option(
        "--mode",
        type=click.Choice([mode.value for mode in Mode]),
        help="Write new records, change known ones.",
    )
    @click.option("--key", metavar="FIELD", help="By which rows are recognised: external_id.")
    @json_option
    @click.pass_context
    def command(  # noqa: PLR0913 - one parameter an option
        context: click.Context,
        file: Path,
        mapping: Path | None,
        dry_run: bool,
        currency: str | None,
        mode: str | None,
        key: str | None,
        as_json: bool,
    ) -> None:
        opened = open_home()
        _require_licence(opened, writes=not dry_run)
        wish = Wish(kind, file, mapping, currency, mode, key)
        begun = clock.monotonic()
        told = _try(opened, wish) if dry_run else _run(opened, wish)
        told["seconds"] = round(clock.monotonic() - begun, 3)
        report(told, _lines(told), as_json=as_json)
        context.exit(FOUND if told["refused"] or told["status"] == "failed" else 0)


_add_command(ImportKind.COMPANIES, "Import companies. Ends with 1 when a row was refused.")
_add_command(ImportKind.PEOPLE, "Import people. Ends with 1 when a row was refused.")
_add_command(ImportKind.DEALS, "Import deals. Ends with 1 when a row was refused.")


def _require_licence(opened: Opened, *, writes: bool) -> None:
    verdict = opened.office.refresh()
    if not (verdict.may_write if writes else verdict.may_read):
        raise NotLicensed(
            _("The licence does not allow an import at the moment. See “daftar license status”.")
        )


def _try(opened: Opened, wish: Wish) -> dict[str, Any]:
    profile = look_at(wish.file)
    mapping = wish.read(profile)
    workshop = service.workshop(opened.settings, opened.database)
    sheet = sheet_of(wish.file, profile)
    with _bar(_("Trying")) as progress:
        tell = (lambda done: progress(done, profile.rows)) if progress else None
        trial = service.try_out(workshop, opened.actor, wish.kind, sheet, mapping, tell)
    refused = [{"line": line, "message": message} for line, message in trial.problems]
    head = {"import_id": None, "status": ImportStatus.CHECKED.value, "dry_run": True, "error": ""}
    remarks = [{"line": line, "message": message} for line, message in trial.remarks[:MOST_REMARKS]]
    found = {"problems": refused, "remarks": remarks}
    currency = _assumed(wish.kind, mapping, opened.settings.organization.currency)
    return head | _told(wish, profile, mapping, trial.counts) | found | {"currency": currency}


def _run(opened: Opened, wish: Wish) -> dict[str, Any]:
    workshop = service.workshop(opened.settings, opened.database)
    with wish.file.open("rb") as source:
        seen = service.look_at_file(workshop.files, source)
    mapping = wish.read(seen[1])
    holder = _holder()
    actor = opened.actor
    with opened.database.write(actor) as session:
        found = service.unfinished(session, actor, wish.kind, seen[0].sha256, mapping)
        if found is not None:
            service.take_over(session, found, holder, actor)
        else:
            found = service.add_import(session, actor, wish.kind, wish.file.name, seen, mapping)
            service.start_run(session, actor, found.id, holder)
    _work(opened, workshop, found.id, holder, _("Importing"))
    with opened.database.read() as session:
        done = queries.get_import(session, actor, found.id)
        rows = queries.refused_rows(session, actor, found.id, 0, MOST_PROBLEMS)
        noted = queries.noted_rows(session, actor, found.id, MOST_REMARKS)
    refused = [{"line": row.line, "message": row.message} for row in rows]
    head = {
        "import_id": done.id,
        "status": done.status.value,
        "dry_run": False,
        "error": done.error,
    }
    remarks = [{"line": row.line, "message": row.message} for row in noted]
    told = {"problems": refused, "remarks": remarks}
    currency = _assumed(wish.kind, mapping, opened.settings.organization.currency)
    return head | _told(wish, seen[1], mapping, done.counts) | told | {"currency": currency}


def _holder() -> str:
    return f"command:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def _work(opened: Opened, workshop: Workshop, import_id: int, holder: str, words: str) -> None:
    """Work on the import in this process; Ctrl-C stops it after the last whole batch."""
    run = Run(workshop, opened.actor, import_id, holder)
    try:
        with _bar(words) as progress:
            run.work(progress=progress)
    except KeyboardInterrupt as stopped:
        with opened.database.write(opened.actor) as session:
            service.let_go(session, import_id, holder, stopped=True)
        raise Interrupted(
            _(
                "Import %(id)s was stopped. Repeat the command to go on where it is, "
                "or take it back with “daftar import undo %(id)s”.",
                id=import_id,
            )
        ) from stopped


@contextmanager
def _bar(words: str) -> Iterator[Progress | None]:
    """Give a function to tell how many rows are done: a bar on a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(words, total=None)
        yield lambda done, rows: bars.update(task, completed=done, total=rows)


def _assumed(kind: ImportKind, mapping: service.Mapping, ours: str) -> str:
    """Return the currency that new records take because nobody named one; nothing without amounts."""
    has_amounts = any(
        each.shape is Shape.MONEY and mapping.brings(each.name) for each in FIELDS[kind]
    )
    return ours if has_amounts and not mapping.currency else ""


def _told(
    wish: Wish, profile: Profile, mapping: service.Mapping, counts: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "kind": wish.kind.value,
        "file": str(wish.file),
        "rows": profile.rows,
        **{outcome.value: counts.get(outcome.value, 0) for outcome in Outcome},
        "noted": counts.get("noted", 0),
        "made": {word: counts.get(word, 0) for word in ("company", "user", "stage")},
        "columns": dict(mapping.columns),
        "unmapped_columns": [name for name in profile.headers if name not in mapping.columns],
    }


def _lines(told: Mapping[str, Any]) -> str:
    head = _("%(file)s: %(rows)s rows.", file=told["file"], rows=told["rows"])
    if told["dry_run"]:
        head = f"{head} {_('This was a trial run: nothing was written.')}"
    counts = table(
        [_("Outcome"), _("Rows")],
        [(_(OUTCOME_LABELS[outcome]), str(told[outcome.value])) for outcome in Outcome],
    )
    lines = [head, told["error"], counts, *_made(told["made"])]
    if told["unmapped_columns"]:
        names = ", ".join(told["unmapped_columns"])
        lines.append(_("Not mapped, and kept readable with the import: %(names)s.", names=names))
    lines += _remarked(told)
    lines += [
        _("Line %(line)s: %(message)s", line=one["line"], message=one["message"])
        for one in told["problems"]
    ]
    if told["import_id"] is not None:
        lines.append(_("To take it back: daftar import undo %(id)s", id=told["import_id"]))
    return "\n".join(line for line in lines if line)


def _remarked(told: Mapping[str, Any]) -> list[str]:
    """Return which currency was assumed, how many rows have remarks, and the first few of them."""
    lines = []
    if told["currency"]:
        lines.append(
            _(
                "Amounts without a currency were read as %(code)s, and in records that are there "
                "already in the currency of the record. “--currency CODE” names another.",
                code=told["currency"],
            )
        )
    if told["noted"]:
        lines.append(ngettext("%(n)s row has a remark:", "%(n)s rows have remarks:", told["noted"]))
    lines += [
        "  " + _("Line %(line)s: %(message)s", line=one["line"], message=one["message"])
        for one in told["remarks"]
    ]
    return lines


def _made(made: Mapping[str, int]) -> list[str]:
    words = {
        "company": _("Companies that rows named and that are new: %(n)s", n=made["company"]),
        "user": _("Former colleagues, who take no seat: %(n)s", n=made["user"]),
        "stage": _("New stages of the pipeline: %(n)s", n=made["stage"]),
    }
    return [sentence for kind, sentence in words.items() if made[kind]]


@group.command(name="list")
@json_option
def list_them(as_json: bool) -> None:
    """List the imports, the newest first."""
    opened = open_home()
    with opened.database.read() as session:
        found = queries.list_imports(session, opened.actor, ListQuery(limit=100)).items
    lines = table(
        [_("Id"), _("Kind"), _("File"), _("Status"), _("Rows"), _("When")],
        [
            (
                str(one.id),
                _(KIND_LABELS[one.kind]),
                one.file_name,
                _(STATUS_LABELS[one.status]),
                str(one.rows),
                zoned(one.created_at),
            )
            for one in found
        ],
    )
    report({"items": [_shown(one) for one in found]}, lines, as_json=as_json)


def _shown(found: Import) -> dict[str, Any]:
    return {
        "import_id": found.id,
        "kind": found.kind.value,
        "status": found.status.value,
        "file": found.file_name,
        "rows": found.rows,
        "counts": dict(found.counts),
        "undo": dict(found.undo_counts),
        "created_at": rfc3339(found.created_at),
    }


@group.command()
@click.argument("import_id", type=click.IntRange(1, 2**31 - 1))
@json_option
def undo(import_id: int, as_json: bool) -> None:
    """Take an import back: new records go to the bin, changed ones are as before."""
    opened = open_home()
    _require_licence(opened, writes=True)
    workshop = service.workshop(opened.settings, opened.database)
    holder = _holder()
    with opened.database.write(opened.actor) as session:
        found = service.start_undo(session, opened.actor, import_id)
        service.take_claim(session, found, holder)
    _work(opened, workshop, import_id, holder, _("Taking back"))
    with opened.database.read() as session:
        found = queries.get_import(session, opened.actor, import_id)
    lines = table(
        [_("Outcome"), _("Rows")],
        [(_(words), str(found.undo_counts.get(word, 0))) for word, words in UNDO_LABELS.items()],
    )
    report(_shown(found), f"{found.error}\n{lines}".strip(), as_json=as_json)
