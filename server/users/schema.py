"""JSON shapes of users."""

from typing import Literal

from server.core.clock import rfc3339
from server.http.rest import Body, ListShown, Shown
from server.users.models import User
from server.users.rules import Role, UserKind


class NewUser(Body):
    """A user to create; without a password it is an invitation that holds no seat yet."""

    email: str
    display_name: str
    role: Literal["admin", "manager", "sales", "support", "viewer"] = "sales"
    kind: Literal["human", "service"] = "human"
    locale: Literal["fa", "en", "fr"] = "fa"
    password: str | None = None


class UserChange(Body):
    """What to change; members left out stay as they are."""

    display_name: str | None = None
    role: Literal["admin", "manager", "sales", "support", "viewer"] | None = None
    locale: Literal["fa", "en", "fr"] | None = None


class UserShown(Shown):
    """A user as the API tells it."""

    id: int
    version: int
    email: str | None
    display_name: str
    role: Role
    kind: UserKind
    status: str
    locale: str
    external_id: str | None
    active_since: str | None
    created_at: str


class UserList(ListShown):
    """One page of users."""

    items: list[UserShown]


class SeatsShown(Shown):
    """The seats of one kind."""

    used: int
    cap: int


def show_user(user: User) -> dict[str, object]:
    """Return the JSON object of a user."""
    return {
        "id": user.id,
        "version": user.version,
        "email": user.email,
        "display_name": user.display_name,
        "role": user.role.value,
        "kind": user.kind.value,
        "status": user.status.value,
        "locale": user.locale,
        "external_id": user.external_id,
        "active_since": rfc3339(user.active_since) if user.active_since else None,
        "created_at": rfc3339(user.created_at),
    }
