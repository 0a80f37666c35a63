"""`daftar-authority staff`: who may sign in to the console."""

from pathlib import Path

import click
from sqlalchemy.orm import Session

from licensing.authority.commands.home import open_home
from licensing.authority.staff.models import StaffMember
from licensing.authority.staff.queries import find_member, list_staff
from licensing.authority.staff.rules import ROLE_LABELS, STATUS_LABELS, Role
from licensing.authority.staff.sealing import open_sealing
from licensing.authority.staff.second_factor import clean_secret, keep_secret
from licensing.authority.staff.service import (
    StaffDraft,
    add_member,
    deactivate_member,
    reset_second_factor,
    set_password,
)
from server.core.clock import rfc3339
from server.core.command_line import HomeGroup, json_option, report
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _
from server.core.password_prompt import (
    choose_password,
    password_option,
    read_password,
    show_password,
)


@click.group("staff", cls=HomeGroup)
def group() -> None:
    """Say who may sign in to the console, and what they may do there."""


@group.command("add")
@click.option("--email", required=True, help="The address they sign in with.")
@click.option("--name", required=True, help="The name their colleagues see.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.OWNER.value,
    show_default=True,
)
@click.option("--locale", type=click.Choice(LOCALES), default="fa", show_default=True)
@password_option
@click.option(
    "--second-factor-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take the secret of the second factor (base32) from this file; by default the first "
    "sign-in sets one up.",
)
@json_option
def add(  # noqa: PLR0913 - one argument for each option of the command line
    *,
    email: str,
    name: str,
    role: str,
    locale: str,
    password_file: Path | None,
    second_factor_file: Path | None,
    as_json: bool,
) -> None:
    """Let somebody sign in to the console."""
    secret = None if second_factor_file is None else clean_secret(read_password(second_factor_file))
    password, made = choose_password(password_file)
    draft = StaffDraft(email, name, Role(role), locale, password)
    with open_home() as home:
        sealing = open_sealing(home.settings.secrets_dir)
        with home.database.write() as session:
            member = add_member(session, home.operator, draft)
            if secret is not None:
                keep_secret(sealing, member, secret)
    lines = _("%(name)s <%(email)s> may sign in at /console.", name=member.name, email=member.email)
    if secret is None:
        lines += " " + _("The first sign-in sets up a second factor.")
    _report(member, lines, password if made else None, as_json=as_json)


def _report(member: StaffMember, lines: str, made: str | None, *, as_json: bool) -> None:
    """Print what became of a member, and a password that was made here, this once."""
    shown = _shown(member)
    if made is not None:
        shown["password"] = made
    report(shown, lines, as_json=as_json)
    if made is not None and not as_json:
        show_password(made)


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Show everybody who may or might sign in."""
    with open_home() as home, home.database.read() as session:
        members = list_staff(session)
    lines = "\n".join(
        f"{one.email}  {one.name}  {_(ROLE_LABELS[one.role])}  {_(STATUS_LABELS[one.status])}"
        for one in members
    )
    empty = _(
        "Nobody may sign in to the console yet. “daftar-authority staff add” lets somebody in."
    )
    report({"items": [_shown(one) for one in members]}, lines or empty, as_json=as_json)


@group.command("deactivate")
@click.argument("email")
@json_option
def deactivate(*, email: str, as_json: bool) -> None:
    """Let somebody in no more and end their sign-ins; what they did stays on record."""
    with open_home() as home, home.database.write() as session:
        member = deactivate_member(session, home.operator, find_member(session, email).id)
    report(_shown(member), _("%(email)s may sign in no more.", email=member.email), as_json=as_json)


@group.command("reset-password")
@click.argument("email")
@password_option
@json_option
def reset_password(*, email: str, password_file: Path | None, as_json: bool) -> None:
    """Give somebody a new password; every browser of theirs is signed out."""
    password, made = choose_password(password_file)
    with open_home() as home, home.database.write() as session:
        member = set_password(session, home.operator, find_member(session, email).id, password)
    lines = _("%(email)s has a new password.", email=member.email)
    _report(member, lines, password if made else None, as_json=as_json)


@group.command("reset-second-factor")
@click.argument("email")
@json_option
def forget_second_factor(*, email: str, as_json: bool) -> None:
    """Forget a lost second factor and its recovery codes; the next sign-in sets up a new one."""
    with open_home() as home, home.database.write() as session:
        member = _without_second_factor(session, home.operator, email)
    lines = _("%(email)s sets up a new second factor at the next sign-in.", email=member.email)
    report(_shown(member), lines, as_json=as_json)


def _without_second_factor(session: Session, operator: str, email: str) -> StaffMember:
    return reset_second_factor(session, operator, find_member(session, email).id)


def _shown(member: StaffMember) -> dict[str, object]:
    last = member.last_sign_in_at
    return {
        "email": member.email,
        "name": member.name,
        "role": member.role.value,
        "status": member.status.value,
        "locale": member.locale,
        "second_factor": member.totp_sealed is not None,
        "last_sign_in_at": None if last is None else rfc3339(last),
    }
