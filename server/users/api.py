"""Users over JSON."""

from apiflask import APIBlueprint
from flask import Response, url_for

from server.http.access import current_actor, needs, signed_in
from server.http.paging import list_query
from server.http.rest import check_version, created, listed, shown, told
from server.http.unit_of_work import current_session
from server.users import queries, service
from server.users.rules import Role, UserDraft, UserKind, UserStatus
from server.users.schema import NewUser, UserChange, UserList, UserShown, show_user

blueprint = APIBlueprint("users_api", __name__, url_prefix="/users", tag="users")


@blueprint.get("")
@needs("users.see")
@blueprint.output(UserList)
@blueprint.doc(description=told(queries.USERS))
def list_users() -> Response:
    """List users."""
    return listed(queries.list_users(current_session(), current_actor(), list_query()), show_user)


@blueprint.get("/me")
@signed_in(always=True)
@blueprint.output(UserShown)
def me() -> Response:
    """Tell whose token this is."""
    actor = current_actor()
    user = queries.get_user(current_session(), actor, actor.user_id or 0)
    return shown(show_user(user), version=user.version)


@blueprint.get("/<int:user_id>")
@needs("users.see")
@blueprint.output(UserShown)
def get_user(user_id: int) -> Response:
    """Return one user."""
    user = queries.get_user(current_session(), current_actor(), user_id)
    return shown(show_user(user), version=user.version)


@blueprint.post("")
@needs("users.manage")
@blueprint.input(NewUser)
@blueprint.output(UserShown, status_code=201)
def create_user(json_data: NewUser) -> Response:
    """Create a user, if a seat is free."""
    draft = UserDraft(
        email=json_data.email,
        display_name=json_data.display_name,
        role=Role(json_data.role),
        kind=UserKind(json_data.kind),
        locale=json_data.locale,
        password=json_data.password,
        status=UserStatus.ACTIVE
        if json_data.password or json_data.kind == "service"
        else UserStatus.INVITED,
    )
    user = service.create_user(current_session(), current_actor(), draft)
    address = url_for("users_api.get_user", user_id=user.id)
    return created(show_user(user), address, version=user.version)


@blueprint.patch("/<int:user_id>")
@signed_in()
@blueprint.input(UserChange)
@blueprint.output(UserShown)
def change_user(user_id: int, json_data: UserChange) -> Response:
    """Change a user."""
    session, actor = current_session(), current_actor()
    user = queries.get_user(session, actor, user_id)
    check_version(user.version, lambda: show_user(user))
    change = service.ProfileChange(
        display_name=json_data.display_name,
        role=Role(json_data.role) if json_data.role else None,
        locale=json_data.locale,
    )
    changed = service.change_user(session, actor, user_id, change)
    return shown(show_user(changed), version=changed.version)


@blueprint.post("/<int:user_id>/deactivate")
@needs("users.manage", always=True)
@blueprint.output(UserShown)
def deactivate_user(user_id: int) -> Response:
    """Take an account out of use; its seat is free at once. Works in every licence mode."""
    return shown(show_user(service.deactivate_user(current_session(), current_actor(), user_id)))


@blueprint.post("/<int:user_id>/reactivate")
@needs("users.manage")
@blueprint.output(UserShown)
def reactivate_user(user_id: int) -> Response:
    """Give an account its seat back, if one is free."""
    return shown(show_user(service.reactivate_user(current_session(), current_actor(), user_id)))
