"""The page of one account, for administrators: its role, its tokens, links for a new password."""

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from client_web.reading import put_back, say
from client_web.users.forms import AccountForm, TokenForm
from client_web.users.pages import actions_on, choices
from client_web.users.views import link_secret
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session, stale
from server.users import links, queries, service, sign_in
from server.users.rules import Role, UserStatus

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.users.models import User

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/settings/users/<int:user_id>")
@needs("users.manage", always=True)
def show(user_id: int) -> ResponseReturnValue:
    """Show one account."""
    user = queries.get_user(current_session(), current_actor(), user_id)
    return _page(user, _form_of(user), TokenForm(formdata=None))


def _form_of(user: "User") -> AccountForm:
    return AccountForm(
        display_name=user.display_name,
        role=user.role.value,
        locale=user.locale,
        version=user.version,
    )


def _page(user: "User", form: AccountForm, token: TokenForm, problem: str | None = None) -> str:
    session, actor = current_session(), current_actor()
    return render_template(
        "users/show.html",
        user=user,
        form=form,
        token=token,
        problem=problem,
        tokens=queries.tokens_of(session, actor, user.id),
        actions=actions_on(user, actor),
        has_account=user.status is not UserStatus.FORMER,
        **choices(),
    )


@blueprint.post("/settings/users/<int:user_id>")
@needs("users.manage")
def change(user_id: int) -> ResponseReturnValue:
    """Change name, role and language of an account."""
    session, actor = current_session(), current_actor()
    user = queries.get_user(session, actor, user_id)
    form = AccountForm()
    if not form.validate():
        return _page(user, form, TokenForm(formdata=None)), 422
    if form.version.data != str(user.version):
        raise stale()
    role = Role(form.role.data)
    change = service.ProfileChange(
        display_name=form.display_name.data,
        role=role if role is not user.role else None,
        locale=form.locale.data,
    )
    try:
        service.change_user(session, actor, user_id, change)
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _page(user, form, TokenForm(formdata=None), refusal.message), status
    say(_("The changes are saved."))
    return redirect(url_for("accounts.show", user_id=user_id))


@blueprint.post("/settings/users/<int:user_id>/link")
@needs("users.manage")
def link(user_id: int) -> ResponseReturnValue:
    """Show a link by which the user chooses a password; it is shown this once."""
    session, actor = current_session(), current_actor()
    made = links.make_link(session, actor, user_id, secret=link_secret())
    user = queries.get_user(session, actor, user_id)
    return render_template("users/link.html", user=user, link=made)


@blueprint.post("/settings/users/<int:user_id>/tokens")
@needs("users.manage")
def create_token(user_id: int) -> ResponseReturnValue:
    """Make a token for a program that works as this user, and show it this once."""
    session, actor = current_session(), current_actor()
    user = queries.get_user(session, actor, user_id)
    form = TokenForm()
    if not form.validate():
        return _page(user, _shown_again(user), form), 422
    made = sign_in.create_token(session, actor, user_id, form.name.data or "")
    back = url_for("accounts.show", user_id=user_id)
    return render_template("users/token_made.html", token=made, name=form.name.data, back=back)


def _shown_again(user: "User") -> AccountForm:
    """Return the form of the account while another form of the page was sent."""
    return AccountForm(
        formdata=None,
        display_name=user.display_name,
        role=user.role.value,
        locale=user.locale,
        version=user.version,
    )


@blueprint.post("/settings/users/<int:user_id>/tokens/<int:token_id>/revoke")
@needs("users.manage", always=True)
def revoke_token(user_id: int, token_id: int) -> ResponseReturnValue:
    """End a token at once."""
    sign_in.revoke_token(current_session(), current_actor(), token_id)
    say(_("The token no longer works."))
    return redirect(url_for("accounts.show", user_id=user_id))
