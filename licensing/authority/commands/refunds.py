"""`daftar-authority license`: proofs of deactivation, and the refunds that are paid against them."""

from pathlib import Path

import click

from licensing.authority.activations.refunds import Proof, newest_proof, pay_refund, read_proof
from licensing.authority.commands.home import open_home
from licensing.authority.commands.showing import moment
from licensing.authority.disk import write_file
from licensing.document.parser import MAX_BYTES
from server.core.command_line import HomeCommand, json_option, report
from server.core.i18n import gettext as _

_file = click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"
)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(2 * MAX_BYTES + 1)


@click.command("proof", cls=HomeCommand)
@click.argument("license_id", metavar="ID")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the proof goes.",
)
@json_option
def proof(*, license_id: str, out: Path, as_json: bool) -> None:
    """Write the signed proof that a licence was given back into a file."""
    with open_home() as home, home.database.read() as session:
        write_file(out, newest_proof(session, license_id))
    report({"file": str(out)}, _("The proof is in %(path)s.", path=out), as_json=as_json)


@click.command("check-proof", cls=HomeCommand)
@_file
@json_option
def check_proof(*, file: Path, as_json: bool) -> None:
    """Tell whether a proof that a customer hands in is ours, and from when on a refund may be paid."""
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            found = read_proof(session, keys, _read(file))
    report(_shown(found), _told(found), as_json=as_json)


@click.command("refund", cls=HomeCommand)
@_file
@json_option
def refund(*, file: Path, as_json: bool) -> None:
    """Write down that a refund is paid against this proof; it is refused too early and twice."""
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            found = pay_refund(session, home.operator, keys, _read(file))
    lines = _("The refund for the licence %(id)s is on record.", id=found.document.license_id)
    report(_shown(found), lines, as_json=as_json)


def _shown(found: Proof) -> dict[str, object]:
    document = found.document
    return {
        "license_id": document.license_id,
        "activation_id": document.activation_id,
        "reason": document.reason.value,
        "deactivated_at": moment(document.deactivated_at),
        "refund_eligible_at": moment(document.refund_eligible_at),
        "refunded_at": moment(found.refunded_at),
        "on_file": found.is_on_file,
    }


def _told(found: Proof) -> str:
    document = found.document
    lines = [
        _(
            "The proof is ours: licence %(id)s was given back on %(day)s (%(reason)s).",
            id=document.license_id,
            day=moment(document.deactivated_at),
            reason=document.reason.value,
        )
    ]
    if found.refunded_at is not None:
        lines.append(_("Its refund was paid on %(day)s.", day=moment(found.refunded_at)))
    elif document.reason.value == "refund":
        lines.append(
            _("A refund may be paid from %(day)s on.", day=moment(document.refund_eligible_at))
        )
    if not found.is_on_file:
        lines.append(_("This database does not know it; its signature alone speaks for it."))
    return "\n".join(lines)
