"""`daftar license export-request | import-answer | withdraw | receipt`: a server without a line."""

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from installer.commands.home import Opened, open_home
from installer.commands.license_status import describe, show
from installer.commands.screen import table
from licensing.document.qr import slices
from server.activation.offline import (
    MOST_ANSWER_BYTES,
    Receipt,
    RequestFile,
    RequestWish,
)
from server.activation.rules import REASONS, REQUESTS
from server.core import qr
from server.core.clock import rfc3339
from server.core.command_line import HomeCommand, json_option, may_ask, report
from server.core.errors import Conflict, Interrupted, Invalid, Missing
from server.core.format import zoned
from server.core.i18n import gettext as _
from server.core.i18n import ngettext

STANDARD = "-"
_TERMINAL_SYMBOLS = 400  # 69 modules and the quiet zone: a code that fits 80 columns
_PICTURES: Mapping[str, Callable[[str], bytes]] = {".png": qr.png, ".svg": qr.svg}


@click.command(name="export-request", cls=HomeCommand)
@click.argument("file", metavar="FILE")
@click.option(
    "--kind",
    type=click.Choice(list(REQUESTS)),
    required=True,
    help="activate: needs --code; check-in: renews the lease; deactivate: gives the licence back.",
)
@click.option("--code", default="", metavar="CODE", help="The activation code of your order.")
@click.option(
    "--reason",
    type=click.Choice(list(REASONS)),
    default="move",
    show_default=True,
    help="With deactivate. move: the same code activates another server; refund; end: for good.",
)
@click.option("--qr", "codes", is_flag=True, help="Show the QR codes in the terminal as well.")
@click.option(
    "--qr-image",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the QR codes as pictures too: NAME.png or NAME.svg becomes NAME-1.png and so on.",
)
@click.option("--yes", is_flag=True, help="Do not ask before this server is locked by deactivate.")
@json_option
def export_request(  # noqa: PLR0913 - one parameter an option
    file: str,
    kind: str,
    code: str,
    reason: str,
    codes: bool,
    picture: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Write a request for the vendor into FILE (.dftreq); "-" writes it to stdout.

    Carry it to the vendor, or let the vendor scan its QR codes; then run import-answer.
    """
    _check_usage(file, kind, code, picture, streams=codes or as_json)
    opened = open_home()
    waiting = opened.office.pending(opened.actor)
    held = opened.office.pending_file(opened.actor).raw if waiting and waiting.by_file else b""
    target = _target(file, held)
    if kind == "deactivate" and may_ask(yes):
        _ask_for_good(opened)
    made = opened.office.export_request(opened.actor, RequestWish(kind, code, reason))
    if target is None:
        sys.stdout.buffer.write(made.raw)
        return
    _write(target, made.raw)
    pictures = _draw(picture, made) if picture else []
    report(_told(target, made, pictures), _lines(target, made, pictures), as_json=as_json)
    if codes and not as_json:
        _show_codes(made)


@click.command(name="import-answer", cls=HomeCommand)
@click.argument("file", metavar="FILE")
@json_option
def import_answer(file: str, as_json: bool) -> None:
    """Take the vendor's answer from FILE (.dftlic); "-" reads stdin.

    The text of the QR codes of the answer is taken as well, one after another in any order.
    """
    given = _read(file)
    opened = open_home()
    opened.office.import_answer(opened.actor, given)
    show(opened, as_json=as_json)


@click.command(cls=HomeCommand)
@json_option
def withdraw(as_json: bool) -> None:
    """Forget the request that waits for its answer; the answer is then no longer taken."""
    opened = open_home()
    gone = opened.office.withdraw(opened.actor)
    line = _(
        "The request with the number %(number)s was withdrawn. Make a new one when you need it.",
        number=gone.number,
    )
    report({"withdrawn": describe(gone)}, line, as_json=as_json)


@click.command(cls=HomeCommand)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the newest signed proof into this file, to hand it on.",
)
@json_option
def receipt(out: Path | None, as_json: bool) -> None:
    """Show the signed proofs that this server gave its licence back."""
    opened = open_home()
    found = opened.office.receipts(opened.actor)
    if out is not None:
        if not found:
            raise Missing(_("This server has not given a licence back; there is no proof."))
        _write(_target(str(out), found[0].raw) or out, found[0].raw)
    document = {"items": [_proof(one) for one in found], "file": str(out) if out else None}
    report(document, _proofs(found), as_json=as_json)


def _check_usage(file: str, kind: str, code: str, picture: Path | None, *, streams: bool) -> None:
    if kind == "activate" and not code:
        raise Invalid(_("An activation needs --code CODE, as printed on your order."), field="code")
    if file == STANDARD and streams:
        raise click.UsageError(_("With “-” the request is all that stdout carries."))
    if picture is not None and picture.suffix.lower() not in _PICTURES:
        raise Invalid(_("Pictures of QR codes end in .png or .svg."), field="qr_image")


def _target(file: str, held: bytes) -> Path | None:
    """Return where to write, None for stdout. Refuse before anything has happened."""
    if file == STANDARD:
        return None
    path = Path(file)
    if path.is_dir():
        raise Invalid(_("%(path)s is a folder. Name a file.", path=path), field="file")
    if path.exists() and path.read_bytes() != held:
        raise Conflict(
            _("%(path)s is there already. Name another file.", path=path), code="file_exists"
        )
    if not os.access(path.absolute().parent, os.W_OK):
        raise Missing(
            _("The folder %(path)s is not there or not writable.", path=path.absolute().parent),
            code="no_folder",
        )
    return path


def _ask_for_good(opened: Opened) -> None:
    sold = opened.office.client.status().license
    if sold is None:
        return
    click.echo(
        _(
            "This server is locked at once, and it cannot be undone: whoever holds the file can "
            "use it. Your data stays, and can be backed up and exported."
        ),
        err=True,
    )
    typed = click.prompt(
        _("Type the licence number %(number)s to go on", number=sold.license_id),
        default="", show_default=False, err=True,
    )  # fmt: skip
    if typed.strip() != sold.license_id:
        raise Interrupted(_("Nothing was changed."))


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _draw(picture: Path, made: RequestFile) -> list[str]:
    draw = _PICTURES[picture.suffix.lower()]
    paths = []
    for place, text in enumerate(made.codes, start=1):
        path = picture.with_name(f"{picture.stem}-{place}{picture.suffix}")
        _write(path, draw(text))
        paths.append(str(path))
    return paths


def _show_codes(made: RequestFile) -> None:
    codes = slices(made.raw, _TERMINAL_SYMBOLS)
    for place, text in enumerate(codes, start=1):
        click.echo()
        click.echo(_("QR code %(place)s of %(total)s", place=place, total=len(codes)))
        click.echo(qr.terminal(text))


def _told(path: Path, made: RequestFile, pictures: list[str]) -> dict[str, object]:
    return {
        "file": str(path),
        "request": describe(made.request),
        "replaced": describe(made.replaced) if made.replaced else None,
        "qr_codes": len(made.codes),
        "qr_images": pictures,
    }


def _lines(path: Path, made: RequestFile, pictures: list[str]) -> str:
    lines = [
        _(
            "The request with the number %(number)s is in %(path)s.",
            number=made.request.number,
            path=path,
        ),
        _("Send it to the vendor, then run: daftar license import-answer FILE"),
    ]
    if made.replaced is not None:
        lines.append(
            _(
                "It takes the place of the request %(number)s, whose answer is no longer taken.",
                number=made.replaced.number,
            )
        )
    if made.request.is_final:
        lines.append(
            _("This server is locked from now on, because the file can be used at any time.")
        )
    if pictures:
        lines.append(
            ngettext(
                "Its QR code is in %(paths)s.",
                "Its QR codes are in %(paths)s.",
                len(pictures),
                paths=", ".join(pictures),
            )
        )
    return "\n".join(lines)


def _read(file: str) -> bytes:
    if file == STANDARD:
        return sys.stdin.buffer.read(MOST_ANSWER_BYTES + 1)
    path = Path(file)
    if not path.is_file():
        raise Invalid(_("There is no file %(path)s.", path=path), field="file")
    with path.open("rb") as opened:
        return opened.read(MOST_ANSWER_BYTES + 1)


def _proof(one: Receipt) -> dict[str, object]:
    return {
        "license_id": one.license_id,
        "activation_id": one.activation_id,
        "reason": one.reason,
        "deactivated_at": rfc3339(one.deactivated_at),
        "refund_eligible_at": rfc3339(one.refund_eligible_at) if one.refund_eligible_at else None,
    }


def _proofs(found: tuple[Receipt, ...]) -> str:
    if not found:
        return _("This server has not given a licence back; there is no proof.")
    headings = [_("Licence"), _("Given back"), _("Reason"), _("Refund possible from")]
    rows = [
        [
            one.license_id,
            zoned(one.deactivated_at),
            _(REASONS[one.reason]),
            zoned(one.refund_eligible_at) if one.refund_eligible_at else "–",
        ]
        for one in found
    ]
    return table(headings, rows)
