"""`daftar user`: who may sign in."""

from collections.abc import Mapping
from pathlib import Path

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from installer.commands.home import Opened, open_home
from installer.commands.screen import table
from server.core.clock import rfc3339
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import NotFound, NotLicensed
from server.core.i18n import LOCALES, ngettext
from server.core.i18n import gettext as _
from server.core.password_prompt import choose_password, password_option, show_password
from server.users.models import User
from server.users.queries import seats, user_by_email, visible_to
from server.users.rules import (
    ROLE_LABELS,
    STATUS_LABELS,
    Role,
    Seats,
    UserDraft,
    UserKind,
    UserStatus,
)
from server.users.service import create_user, deactivate_user, set_password

# Before the activation the first colleagues may be written down already.
CLOSED = frozenset({"read_only", "locked"})


@click.group(name="user", cls=HomeGroup)
def group() -> None:
    """Add users, take them out of use, give them a new password."""


@group.command()
@click.option("--email", required=True, help="The address they sign in with.")
@click.option("--name", required=True, help="The name their colleagues see.")
@click.option(
    "--role",
    type=click.Choice([each.value for each in Role]),
    default=Role.SALES.value,
    show_default=True,
)
@click.option("--locale", type=click.Choice(LOCALES), help="By default the organisation's.")
@click.option("--service", is_flag=True, help="A service account: tokens only, no password.")
@password_option
@json_option
def add(  # noqa: PLR0913 - one parameter an option
    email: str,
    name: str,
    role: str,
    locale: str | None,
    service: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Add a user, who takes one of the licensed seats."""
    opened = open_home()
    if opened.office.refresh().mode in CLOSED:
        raise NotLicensed(
            _("The licence lets nobody new in at the moment. See “daftar license status”.")
        )
    password, made = (None, False) if service else choose_password(password_file)
    draft = UserDraft(
        email=email,
        display_name=name,
        role=Role(role),
        kind=UserKind.SERVICE if service else UserKind.HUMAN,
        locale=locale or opened.settings.organization.locale,
        password=password,
    )
    with opened.database.write(opened.actor) as session:
        user = create_user(session, opened.actor, draft)
        shown = _shown(user)
        used = seats(session, draft.kind)
    if password is not None and made:
        shown["password"] = password
    report(shown, _added(user, used), as_json=as_json)
    if password is not None and made and not as_json:
        show_password(password)


def _added(user: User, used: Seats) -> str:
    return _(
        "%(name)s <%(email)s> was added. %(used)s of %(cap)s seats are taken.",
        name=user.display_name,
        email=user.email,
        used=used.used,
        cap=used.cap,
    )


@group.command(name="list")
@click.option("--all", "everybody", is_flag=True, help="Former colleagues too.")
@json_option
def list_them(everybody: bool, as_json: bool) -> None:
    """List the users and how many seats they take."""
    opened = open_home()
    query = visible_to(opened.actor).order_by(User.display_name, User.id)
    if not everybody:
        query = query.where(User.status != UserStatus.FORMER)
    with opened.database.read() as session:
        users = list(session.scalars(query))
        counted = seats(session)
        hidden = 0 if everybody else _former(session, opened)
    document: dict[str, object] = {
        "items": [_shown(user) for user in users],
        "seats": {"used": counted.used, "cap": counted.cap},
    }
    report(document, _listed(users, counted, hidden), as_json=as_json)


def _former(session: Session, opened: Opened) -> int:
    former = visible_to(opened.actor).where(User.status == UserStatus.FORMER).subquery()
    return session.scalar(select(func.count()).select_from(former)) or 0


def _listed(users: list[User], counted: Seats, hidden: int) -> str:
    rows = [
        (
            user.email or "–",
            user.display_name,
            _(ROLE_LABELS[user.role]),
            _(STATUS_LABELS[user.status]),
        )
        for user in users
    ]
    taken = _("%(used)s of %(cap)s seats are taken.", used=counted.used, cap=counted.cap)
    lines = [table((_("Email"), _("Name"), _("Role"), _("Status")), rows), "", taken]
    if hidden:
        lines.append(
            ngettext(
                "%(n)s former colleague is not shown: “daftar user list --all”.",
                "%(n)s former colleagues are not shown: “daftar user list --all”.",
                hidden,
            )
        )
    return "\n".join(lines)


@group.command()
@click.argument("email")
@click.option("--reason", default="", help="Why; it is kept in the audit trail.")
@json_option
def deactivate(email: str, reason: str, as_json: bool) -> None:
    """Take an account out of use and free its seat; everything it owns stays."""
    opened = open_home()
    with opened.database.write(opened.actor) as session:
        user = deactivate_user(session, opened.actor, find_user(session, email).id, reason)
        shown = _shown(user)
    line = _("%(email)s can no longer sign in. The seat is free.", email=user.email)
    report(shown, line, as_json=as_json)


@group.command(name="reset-password")
@click.argument("email")
@password_option
@json_option
def reset_password(email: str, password_file: Path | None, as_json: bool) -> None:
    """Give a user a new password; every browser of theirs is signed out."""
    opened = open_home()
    password, made = choose_password(password_file)
    shown: dict[str, object] = {**_reset(opened, email, password)}
    if made:
        shown["password"] = password
    report(shown, _("%(email)s has a new password.", email=shown["email"]), as_json=as_json)
    if made and not as_json:
        show_password(password)


def _reset(opened: Opened, email: str, password: str) -> Mapping[str, object]:
    with opened.database.write(opened.actor) as session:
        return _shown(set_password(session, opened.actor, find_user(session, email).id, password))


def find_user(session: Session, email: str) -> User:
    """Return the user with that address, or raise NotFound."""
    user = user_by_email(session, email)
    if user is None:
        raise NotFound(
            _("There is no user with the address %(email)s. See “daftar user list”.", email=email)
        )
    return user


def _shown(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.display_name,
        "role": user.role.value,
        "kind": user.kind.value,
        "status": user.status.value,
        "locale": user.locale,
        "active_since": rfc3339(user.active_since) if user.active_since else None,
    }
