"""The users page: who works here, which role, how many seats are taken; and one's own profile."""

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.users.forms import PasswordForm, ProfileForm, UserForm
from server.core.actor import Actor
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs, signed_in
from server.http.errors import status_of
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.users import queries, service, sign_in
from server.users.rules import (
    ROLE_LABELS,
    STATUS_LABELS,
    Role,
    UserDraft,
    UserKind,
    UserStatus,
)

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.users.models import User

blueprint = Blueprint("colleagues", __name__)


def _choices() -> dict[str, list[tuple[str, str]]]:
    return {
        "roles": [(role.value, _(ROLE_LABELS[role])) for role in Role],
        "statuses": [(status.value, _(STATUS_LABELS[status])) for status in UserStatus],
    }


def _actions(user: "User", actor: Actor) -> list[dict[str, object]]:
    """Return what the actor can do to this account, as items of a menu."""
    if not actor.may("users.manage") or user.id == actor.user_id or not user.email:
        return []
    if user.status is UserStatus.DEACTIVATED:
        again = url_for("colleagues.reactivate", user_id=user.id)
        return [{"label": _("Reactivate"), "post": again, "icon": "user-check"}]
    roles: list[dict[str, object]] = [
        {
            "label": _("Make it: %(role)s", role=_(ROLE_LABELS[role])),
            "post": url_for("colleagues.change_role", user_id=user.id, role=role.value),
            "icon": "user",
        }
        for role in Role
        if role is not user.role
    ]
    out: dict[str, object] = {
        "label": _("Deactivate"),
        "post": url_for("colleagues.deactivate", user_id=user.id),
        "icon": "user-off",
        "danger": True,
        "confirm": _(
            "%(name)s can no longer sign in. Everything this user owns stays. You can reactivate the account.",
            name=user.display_name,
        ),
    }
    return [*roles, {"separator": True}, out]


@blueprint.get("/settings/users")
@needs("users.see", always=True)
def page() -> ResponseReturnValue:
    """List the users, and show how many seats are taken."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.list_users(session, actor, wish)
    return render_template(
        "users/list.html",
        found=found,
        actions={user.id: _actions(user, actor) for user in found.items},
        wish=wish,
        query=[
            (key, value) for key, value in request.args.items() if key not in {"sort", "cursor"}
        ],
        seats=queries.seats(session),
        service_seats=queries.seats(session, UserKind.SERVICE),
        **_choices(),
    )


@blueprint.get("/settings/users/new")
@needs("users.manage")
def new() -> ResponseReturnValue:
    """Show the form for a new user."""
    form = UserForm(locale="fa", role=Role.SALES.value)
    return render_template("users/new.html", form=form, problem=None, **_choices())


@blueprint.post("/settings/users/new")
@needs("users.manage")
def create() -> ResponseReturnValue:
    """Create the user, or say why not: an address in use, a weak password, no seat left."""
    form = UserForm()
    problem = None
    status = 422
    if form.validate():
        draft = UserDraft(
            email=form.email.data or "",
            display_name=form.display_name.data or "",
            role=Role(form.role.data),
            locale=form.locale.data,
            password=form.password.data or "",
        )
        try:
            user = service.create_user(current_session(), current_actor(), draft)
        except DaftarError as refusal:
            problem, status = refusal.message, status_of(refusal)
            for item in getattr(refusal, "errors", ()):
                if item.field in form:
                    form[item.field].errors = [item.message]
        else:
            flash(_("%(name)s can sign in now.", name=user.display_name), "success")
            return redirect(url_for("colleagues.page"))
    return render_template("users/new.html", form=form, problem=problem, **_choices()), status


@blueprint.post("/settings/users/<int:user_id>/role")
@needs("users.manage")
def change_role(user_id: int) -> ResponseReturnValue:
    """Give a user another role."""
    try:
        role = Role(request.args.get("role", ""))
    except ValueError as error:
        raise Invalid(_("There is no such role."), field="role") from error
    change = service.ProfileChange(role=role)
    user = service.change_user(current_session(), current_actor(), user_id, change)
    flash(_("%(name)s has a new role.", name=user.display_name), "success")
    return redirect(url_for("colleagues.page"))


@blueprint.post("/settings/users/<int:user_id>/deactivate")
@needs("users.manage", always=True)
def deactivate(user_id: int) -> ResponseReturnValue:
    """Take the account out of use; possible in every licence mode."""
    user = service.deactivate_user(current_session(), current_actor(), user_id)
    flash(
        _("%(name)s can no longer sign in, and the seat is free.", name=user.display_name),
        "success",
    )
    return redirect(url_for("colleagues.page"))


@blueprint.post("/settings/users/<int:user_id>/reactivate")
@needs("users.manage")
def reactivate(user_id: int) -> ResponseReturnValue:
    """Give the account its seat back."""
    user = service.reactivate_user(current_session(), current_actor(), user_id)
    flash(_("%(name)s can sign in again.", name=user.display_name), "success")
    return redirect(url_for("colleagues.page"))


@blueprint.get("/settings/profile")
@signed_in(always=True)
def profile() -> ResponseReturnValue:
    """Show one's own name and language, and the form for a new password."""
    actor = current_actor()
    form = ProfileForm(display_name=actor.name, locale=actor.locale)
    return render_template("users/profile.html", form=form, password=PasswordForm(), problem=None)


@blueprint.post("/settings/profile")
@signed_in(always=True)
def save_profile() -> ResponseReturnValue:
    """Change one's own name and language."""
    form, actor = ProfileForm(), current_actor()
    if not form.validate():
        return render_template(
            "users/profile.html", form=form, password=PasswordForm(), problem=None
        ), 422
    change = service.ProfileChange(display_name=form.display_name.data, locale=form.locale.data)
    service.change_user(current_session(), actor, actor.user_id or 0, change)
    flash(_("Your profile is saved."), "success")
    return redirect(url_for("colleagues.profile"))


@blueprint.post("/settings/profile/password")
@signed_in(always=True)
def change_password() -> ResponseReturnValue:
    """Give oneself a new password; every sign-in with the old one ends."""
    form, actor, session = PasswordForm(), current_actor(), current_session()
    problem = None
    if form.validate():
        try:
            sign_in.confirm_password(session, actor, form.current.data or "")
            service.set_password(session, actor, actor.user_id or 0, form.password.data or "")
        except Invalid as refusal:
            problem = refusal.message
        else:
            flash(_("The new password is set. Please sign in with it."), "success")
            return redirect(url_for("users.sign_in"))
    profile_form = ProfileForm(display_name=actor.name, locale=actor.locale)
    answer = render_template(
        "users/profile.html", form=profile_form, password=form, problem=problem
    )
    return answer, 422
