"""Who signs a command of `daftar backup`: a user with the right, by their password where somebody can type it."""

from pathlib import Path

import click
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.command_line import may_ask
from server.core.errors import NotAllowed, NotFound
from server.core.i18n import gettext as _
from server.core.password_prompt import read_password
from server.users.queries import confirm_password, user_by_email
from server.users.rules import UserStatus
from server.users.sign_in import actor_for


def person_of(session: Session, who: str) -> Actor:
    """Return the active user with this address who may confirm backups."""
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


def signed_by(session: Session, person: Actor, file: Path | None, yes: bool) -> None:
    """Compare the person's password; without a terminal whoever may run the command is believed."""
    password = _password(file, yes)
    if password is not None:
        confirm_password(session, person, password)


def _password(file: Path | None, yes: bool) -> str | None:
    if file is not None:
        return read_password(file)
    if may_ask(yes):
        typed: str = click.prompt(_("Password"), hide_input=True)
        return typed
    return None
