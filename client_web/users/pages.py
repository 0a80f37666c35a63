"""The users page: who works here, which role, how many seats are taken; adding and changing accounts."""

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.reading import address_now, page_address, put_back, say
from client_web.users.forms import LANGUAGES, UserForm
from client_web.users.views import link_secret
from server.core.actor import Actor
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.users import links, queries, service
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


def choices() -> dict[str, list[tuple[str, str]]]:
    """Return the words for roles and states, as choices."""
    return {
        "roles": [(role.value, _(ROLE_LABELS[role])) for role in Role],
        "languages": list(LANGUAGES.items()),
        "statuses": [(status.value, _(STATUS_LABELS[status])) for status in UserStatus],
    }


def actions_on(user: "User", actor: Actor) -> list[dict[str, object]]:
    """Return what the actor can do to this account, as items of a menu."""
    if not actor.may("users.manage") or user.id == actor.user_id or not user.email:
        return []
    if user.status is UserStatus.DEACTIVATED:
        again = url_for("colleagues.reactivate", user_id=user.id)
        return [{"label": _("Reactivate"), "post": again, "icon": "user-check"}]
    items: list[dict[str, object]] = []
    if user.kind is UserKind.HUMAN:
        items.append(
            {
                "label": _("Invitation link")
                if user.status is UserStatus.INVITED
                else _("Link for a new password"),
                "post": url_for("accounts.link", user_id=user.id),
                "icon": "link",
            }
        )
    return [*items, {"separator": True}, _way_out(user)]


def _way_out(user: "User") -> dict[str, object]:
    return {
        "label": _("Deactivate"),
        "post": url_for("colleagues.deactivate", user_id=user.id),
        "icon": "user-off",
        "danger": True,
        "confirm": _(
            "%(name)s can no longer sign in. Everything this user owns stays. You can reactivate the account.",
            name=user.display_name,
        ),
    }


@blueprint.get("/settings/users")
@needs("users.see", always=True)
def page() -> ResponseReturnValue:
    """List the users, and show how many seats are taken."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.list_users(session, actor, wish)
    path = url_for("colleagues.page")
    return render_template(
        "users/list.html",
        found=found,
        actions={user.id: actions_on(user, actor) for user in found.items},
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or queries.USERS.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        seats=queries.seats(session),
        service_seats=queries.service_seats(session),
        **choices(),
    )


@blueprint.get("/settings/users/new")
@needs("users.manage")
def new() -> ResponseReturnValue:
    """Show the form for a new user."""
    kind = UserKind.SERVICE if request.args.get("kind") == "service" else UserKind.HUMAN
    form = UserForm(kind=kind.value, locale=current_actor().locale, role=Role.SALES.value)
    return _form(form, None)


@blueprint.post("/settings/users/new")
@needs("users.manage")
def create() -> ResponseReturnValue:
    """Create the user, or say why not: an address in use, a weak password, no seat left."""
    form, session, actor = UserForm(), current_session(), current_actor()
    if not form.validate():
        return _form(form, " ".join(form.kind.errors) or None), 422
    try:
        user = service.create_user(session, actor, _draft_of(form))
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _form(form, refusal.message), status
    if user.status is UserStatus.INVITED:
        link = links.make_link(session, actor, user.id, secret=link_secret())
        return render_template("users/link.html", user=user, link=link)
    if user.kind is UserKind.SERVICE:
        say(_("The service account is there. It works with tokens: make one below."))
        return redirect(url_for("accounts.show", user_id=user.id))
    say(_("%(name)s can sign in now.", name=user.display_name))
    return redirect(url_for("colleagues.page"))


def _draft_of(form: UserForm) -> UserDraft:
    kind = UserKind(form.kind.data)
    by_link = kind is UserKind.HUMAN and form.way.data == "link"
    if kind is UserKind.HUMAN and not by_link and not form.password.data:
        raise Invalid(_("A first password is needed."), field="password", code="missing")
    return UserDraft(
        email=form.email.data or "",
        display_name=form.display_name.data or "",
        role=Role(form.role.data),
        kind=kind,
        locale=form.locale.data,
        password=form.password.data if kind is UserKind.HUMAN and not by_link else None,
        status=UserStatus.INVITED if by_link else UserStatus.ACTIVE,
    )


def _form(form: UserForm, problem: str | None) -> str:
    session = current_session()
    return render_template(
        "users/new.html",
        form=form,
        problem=problem,
        seats=queries.seats(session),
        service_seats=queries.service_seats(session),
        **choices(),
    )


@blueprint.post("/settings/users/<int:user_id>/deactivate")
@needs("users.manage", always=True)
def deactivate(user_id: int) -> ResponseReturnValue:
    """Take the account out of use; possible in every licence mode."""
    user = service.deactivate_user(current_session(), current_actor(), user_id)
    say(_("%(name)s can no longer sign in, and the seat is free.", name=user.display_name))
    return redirect(url_for("colleagues.page"))


@blueprint.post("/settings/users/<int:user_id>/reactivate")
@needs("users.manage")
def reactivate(user_id: int) -> ResponseReturnValue:
    """Give the account its seat back."""
    user = service.reactivate_user(current_session(), current_actor(), user_id)
    say(_("%(name)s can sign in again.", name=user.display_name))
    return redirect(url_for("colleagues.page"))
