"""Reading users. Colleagues see each other; only administrators see more than names."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from server.core import clock
from server.core.actor import Actor
from server.core.errors import Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int
from server.core.passwords import matches
from server.core.text import fold
from server.users.models import (
    ONLY_ROW,
    ApiToken,
    DeviceCounter,
    SeatCounter,
    SignInFailure,
    User,
)
from server.users.rules import (
    FAILURE_WINDOW_MINUTES,
    PERMISSIONS,
    Role,
    Seats,
    UserKind,
    UserStatus,
    holds_seat,
)
from server.users.rules import (
    SoldSeats as SoldSeats,  # whoever compares what was sold finds it here
)

USERS = ListSpec(
    key=User.id,
    filters={
        "status": Field(User.status, UserStatus, ("eq", "in", "ne")),
        "role": Field(User.role, Role, ("eq", "in")),
        "kind": Field(User.kind, UserKind, ("eq",)),
        "external_id": Field(User.external_id, operators=("eq",)),
    },
    sorts={"name": Field(User.display_name), "id": Field(User.id, read_int)},
    default_sort="name",
)


def visible_to(actor: Actor) -> Select[User]:
    """Return the users this actor may see, as a query to narrow further."""
    actor.must("users.see")
    return select(User).where(User.deleted_at.is_(None))


def matching_name(text: str) -> ColumnElement[bool]:
    """Return the condition that a user's name or address holds this text."""
    by_name = User.display_name.ilike(f"%{text.strip()}%")
    return by_name | User.email_key.ilike(f"%{fold(text)}%")


def list_users(session: Session, actor: Actor, wish: ListQuery) -> Page[User]:
    """Return one page of users."""
    query = visible_to(actor)
    if wish.q.strip():
        query = query.where(matching_name(wish.q))
    return page(session, query, USERS, wish)


def get_user(session: Session, actor: Actor, user_id: int) -> User:
    """Return the user, or raise NotFound."""
    user = session.scalar(visible_to(actor).where(User.id == user_id))
    if user is None:
        raise NotFound(_("There is no user %(id)s.", id=user_id))
    return user


def user_by_email(session: Session, email: str) -> User | None:
    """Return the user with that address, whatever its letters' case."""
    return session.scalar(select(User).where(User.email_key == email_key(email)))


def email_key(email: str) -> str:
    """Return the form of an address by which two are the same."""
    return email.strip().casefold()


def names_of(session: Session, ids: Collection[int | None]) -> dict[int, str]:
    """Return the display names of these users, former ones included; one query."""
    wanted = {user_id for user_id in ids if user_id is not None}
    if not wanted:
        return {}
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(wanted)))
    return {row.id: row.display_name for row in rows}


def owners(session: Session, actor: Actor) -> list[User]:
    """Return the people a record can be given to: active humans, by name."""
    query = visible_to(actor).where(User.status == UserStatus.ACTIVE, User.kind == UserKind.HUMAN)
    return list(session.scalars(query.order_by(User.display_name, User.id)))


def administrators(session: Session, limit: int = 3) -> list[str]:
    """Return the names of people who administer this server, for whoever needs their help."""
    query = select(User.display_name).where(
        User.role == Role.ADMIN, User.status == UserStatus.ACTIVE, User.kind == UserKind.HUMAN
    )
    return list(session.scalars(query.order_by(User.id).limit(limit)))


def administering(session: Session) -> list[User]:
    """Return the people who administer this server and can be written to, by name."""
    query = select(User).where(
        User.role == Role.ADMIN,
        User.status == UserStatus.ACTIVE,
        User.kind == UserKind.HUMAN,
        User.email.is_not(None),
    )
    return list(session.scalars(query.order_by(User.display_name, User.id)))


def people_who_may(session: Session, permission: str) -> list[User]:
    """Return the people who may do this and can be written to, by name."""
    roles = [role for role, allowed in PERMISSIONS.items() if permission in allowed]
    query = select(User).where(
        User.role.in_(roles),
        User.status == UserStatus.ACTIVE,
        User.kind == UserKind.HUMAN,
        User.email.is_not(None),
    )
    return list(session.scalars(query.order_by(User.display_name, User.id)))


def count_seats(session: Session, kind: UserKind = UserKind.HUMAN) -> int:
    """Count the users that hold a seat of this kind, from the users themselves."""
    holding = [status for status in UserStatus if holds_seat(status)]
    query = select(func.count()).where(User.kind == kind, User.status.in_(holding))
    return session.scalar(query.select_from(User)) or 0


def seats(session: Session, kind: UserKind = UserKind.HUMAN) -> Seats:
    """Return the seats of this kind, as enforcement, pages, API and check-in all see them."""
    counter = session.get(SeatCounter, kind)
    return Seats(counter.used, counter.cap) if counter else Seats(0, 0)


def service_seats(session: Session) -> Seats:
    """Return the seats of service accounts."""
    return seats(session, UserKind.SERVICE)


def sold_seats(session: Session) -> SoldSeats:
    """Return the caps that hold, as the last licence named them."""
    return SoldSeats(seats(session).cap, service_seats(session).cap, device_seats(session).cap)


def tokens_of(session: Session, actor: Actor, user_id: int | None = None) -> list[ApiToken]:
    """Return the tokens of a user that still work, newest first; by default the actor's own."""
    whose = actor.user_id if user_id is None else user_id
    if whose != actor.user_id:
        actor.must("users.manage")
    query = select(ApiToken).where(ApiToken.user_id == whose, ApiToken.revoked_at.is_(None))
    return list(session.scalars(query.order_by(ApiToken.id.desc())))


def device_seats(session: Session) -> Seats:
    """Return the connected devices, as enforcement, pages, API, metrics and check-in all see them.

    The reserved slot of an administrator stands beside them. The cap is 0 until a licence names one.
    """
    counter = session.get(DeviceCounter, ONLY_ROW)
    return Seats(counter.used, counter.cap or 0) if counter else Seats(0, 0)


def peak_devices(session: Session) -> int:
    """Return the most devices that were connected at once since the vendor last heard of them."""
    counter = session.get(DeviceCounter, ONLY_ROW)
    return counter.peak if counter else 0


def reserved_slots(session: Session) -> int:
    """Return 1 while an administrator is connected above the cap, else 0."""
    counter = session.get(DeviceCounter, ONLY_ROW)
    return counter.reserved if counter else 0


def count_failures(session: Session) -> int:
    """Count the failed sign-ins of the window within which guessing is slowed down."""
    since = clock.now() - timedelta(minutes=FAILURE_WINDOW_MINUTES)
    query = select(func.count()).select_from(SignInFailure).where(SignInFailure.at > since)
    return session.scalar(query) or 0


def confirm_password(session: Session, actor: Actor, password: str) -> None:
    """Raise Invalid unless this is the actor's own password, asked again before a signature."""
    user = session.get(User, actor.user_id)
    if not matches(user.password_hash if user else None, password):
        raise Invalid(_("This is not your password."), field="password", code="wrong_password")
