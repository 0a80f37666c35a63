"""`daftar-authority license answer`: requests that came as files."""

from pathlib import Path

import click

from licensing.authority.activations.answer_files import Answered, answer_file
from licensing.authority.activations.desk import Desk
from licensing.authority.audit.service import note
from licensing.authority.commands.home import open_home
from licensing.authority.config import CHALLENGE_SECRET
from licensing.authority.disk import write_file
from licensing.document.errors import Code, DocumentError
from licensing.document.parser import MAX_BYTES
from server.core.command_line import REFUSED, HomeCommand, json_option, report
from server.core.config import read_secret
from server.core.errors import Broken, Invalid
from server.core.i18n import gettext as _

SUFFIX = ".dftlic"


@click.command("answer", cls=HomeCommand)
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the answer goes; by default beside the request, as .dftlic.",
)
@json_option
def answer(*, file: Path, out: Path | None, as_json: bool) -> None:
    """Answer a request file (.dftreq) of a server without a line."""
    target = out or file.with_suffix(SUFFIX)
    answered = _answered(file)
    write_file(target, answered.file)
    denial = answered.denial
    document = {
        "file": str(target),
        "request": answered.kind,
        "denial": None if denial is None else denial.code,
    }
    lines = _("The answer is in %(path)s.", path=target)
    if denial is not None:
        lines += " " + _("It is a refusal, %(code)s: %(why)s", code=denial.code, why=denial.message)
    report(document, lines, as_json=as_json)
    if denial is not None:
        raise click.exceptions.Exit(REFUSED)


def _answered(file: Path) -> Answered:
    with file.open("rb") as opened:
        raw = opened.read(MAX_BYTES + 1)
    with open_home() as home:
        secret = read_secret(home.settings.secrets_dir, CHALLENGE_SECRET)
        desk = Desk(home.settings, home.keys(), secret)
        with home.database.write() as session:
            try:
                answered = answer_file(session, desk, raw)
            except DocumentError as error:
                raise _refusal(file, error) from error
            note(session, home.operator, "request.answer", file.name, {"kind": answered.kind})
    return answered


def _refusal(file: Path, error: DocumentError) -> Broken | Invalid:
    sentence = _(
        "%(path)s is no request that can be answered: %(why)s", path=file, why=error.message
    )
    if error.code in (Code.E_SIGNATURE, Code.E_WEAK_KEY):
        return Broken(sentence, code=error.code.value)
    return Invalid(sentence, code=error.code.value)
