"""Who holds which seat, and why: one shape for the page, the API, the CSV file and the command line.

Only who manages users may look, since it tells where colleagues work and since when.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from server.core import clock
from server.core.actor import Actor
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment
from server.users.models import User, UserSighting, WebSession
from server.users.queries import device_seats, matching_name, seats
from server.users.rules import Seats, Slot, UserKind, UserStatus, holds_seat

T = TypeVar("T")


class SeatKind(StrEnum):
    """The three things a licence sells by number."""

    NAMED = "named"
    SERVICE = "service"
    CONCURRENT = "concurrent"


WHY = {
    UserStatus.ACTIVE: mark("Active accounts take a seat."),
    UserStatus.INVITED: mark("Invited: takes a seat once a password is chosen."),
    UserStatus.DEACTIVATED: mark("Deactivated: the seat is free, and what the account owns stays."),
    UserStatus.FORMER: mark("Known from history alone, without an account."),
}
WHY_DEVICE = {
    Slot.LICENSED: mark("Connected: one user on one device takes one slot."),
    Slot.RESERVED: mark("On the slot that is kept for an administrator, above the cap."),
    None: mark("Signed in without a slot: silent for a while, or no slot was free."),
}
WHY_PROGRAM = mark("Active service accounts count by themselves, however many tokens they have.")


@dataclass(frozen=True)
class Holder:
    """One line: an account or a device, whether it counts, why, since when, and when it was last heard of.

    `id` is the number of the account, or of the device; `agent` is what the device's browser calls itself.
    """

    id: int
    user_id: int
    name: str
    email: str | None
    word: str
    counts: bool
    why: str
    since: datetime | None
    last_seen_at: datetime | None
    is_device: bool = False
    agent: str = ""
    address: str = ""


def _counting(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise Invalid(_("Choose “yes” or “no”."), field="filter[counts]")
    return text == "yes"


_HOLDING = [status for status in UserStatus if holds_seat(status)]


def _accounts_that_count(text: str) -> ColumnElement[bool]:
    return User.status.in_(_HOLDING) if _counting(text) else User.status.not_in(_HOLDING)


def _devices_that_count(text: str) -> ColumnElement[bool]:
    return WebSession.slot == Slot.LICENSED if _counting(text) else _without_slot()


def _without_slot() -> ColumnElement[bool]:
    return WebSession.slot.is_(None) | (WebSession.slot == Slot.RESERVED)


ACCOUNTS = ListSpec(
    key=User.id,
    filters={"status": Field(User.status, UserStatus, ("eq", "in"))},
    conditions={"counts": _accounts_that_count},
    sorts={"name": Field(User.display_name), "id": Field(User.id, read_int)},
    default_sort="name",
    search=matching_name,
)
DEVICES = ListSpec(
    key=WebSession.id,
    filters={"user_id": Field(WebSession.user_id, read_int, ("eq",))},
    conditions={"counts": _devices_that_count},
    sorts={"seen": Field(WebSession.seen_at, read_moment), "id": Field(WebSession.id, read_int)},
    default_sort="-seen",
    search=lambda text: WebSession.user_id.in_(select(User.id).where(matching_name(text))),
)


def seats_of(session: Session, kind: SeatKind) -> Seats:
    """Return what is taken and sold of one kind, by the functions that enforce it."""
    if kind is SeatKind.CONCURRENT:
        return device_seats(session)
    return seats(session, UserKind.SERVICE if kind is SeatKind.SERVICE else UserKind.HUMAN)


def list_holders(session: Session, actor: Actor, kind: SeatKind, wish: ListQuery) -> Page[Holder]:
    """Return one page of who holds the seats of this kind, and of who does not and why; three queries."""
    actor.must("users.manage")
    if kind is SeatKind.CONCURRENT:
        query = select(WebSession).where(WebSession.expires_at > clock.now())
        return _turned(page(session, query, DEVICES, wish), lambda ones: _devices(session, ones))
    found = page(session, _accounts(kind), ACCOUNTS, wish)
    return _turned(found, lambda ones: _users(session, ones))


def _accounts(kind: SeatKind) -> Select[User]:
    wanted = UserKind.SERVICE if kind is SeatKind.SERVICE else UserKind.HUMAN
    return select(User).where(User.kind == wanted, User.deleted_at.is_(None))


def _turned(found: Page[T], turn: Callable[[Collection[T]], Iterator[Holder]]) -> Page[Holder]:
    return Page(
        items=tuple(turn(found.items)),
        next_cursor=found.next_cursor,
        previous_cursor=found.previous_cursor,
        total=found.total,
        total_is_exact=found.total_is_exact,
    )


def _users(session: Session, users: Collection[User]) -> Iterator[Holder]:
    sightings = select(UserSighting).where(UserSighting.user_id.in_([user.id for user in users]))
    seen = {one.user_id: one.seen_at for one in session.scalars(sightings)}
    for user in users:
        counts = holds_seat(user.status)
        program = counts and user.kind is UserKind.SERVICE
        yield Holder(
            id=user.id,
            user_id=user.id,
            name=user.display_name,
            email=user.email,
            word=user.status.value,
            counts=counts,
            why=WHY_PROGRAM if program else WHY[user.status],
            since=user.active_since,
            last_seen_at=seen.get(user.id),
        )


def _devices(session: Session, devices: Collection[WebSession]) -> Iterator[Holder]:
    owners = select(User).where(User.id.in_({device.user_id for device in devices}))
    users = {user.id: user for user in session.scalars(owners)}
    for device in devices:
        user = users[device.user_id]
        yield Holder(
            id=device.id,
            user_id=user.id,
            name=user.display_name,
            email=user.email,
            word=device.slot.value if device.slot else "none",
            counts=device.slot is Slot.LICENSED,
            why=WHY_DEVICE[device.slot],
            since=device.connected_at or device.created_at,
            last_seen_at=device.seen_at,
            is_device=True,
            agent=device.device,
            address=device.address,
        )


def every_holder(
    session: Session, actor: Actor, kind: SeatKind, wish: ListQuery
) -> Iterator[Holder]:
    """Yield all of the list, page by page, as a file needs it."""
    cursor: str | None = None
    while True:
        found = list_holders(session, actor, kind, replace(wish, limit=200, cursor=cursor))
        yield from found.items
        cursor = found.next_cursor
        if cursor is None:
            return


def devices_of(session: Session, user_id: int | None) -> list[Holder]:
    """Return the devices on which this user is signed in, connected ones first."""
    query = select(WebSession).where(
        WebSession.user_id == user_id, WebSession.expires_at > clock.now()
    )
    found = list(session.scalars(query.order_by(WebSession.seen_at.desc(), WebSession.id.desc())))
    return sorted(_devices(session, found), key=lambda one: one.word == "none")


def connected_devices(session: Session, actor: Actor, most: int) -> list[Holder]:
    """Return the connected devices, the longest silent first: those that can be missed most easily."""
    actor.must("users.manage")
    query = select(WebSession).where(WebSession.slot.in_(list(Slot)))
    found = list(session.scalars(query.order_by(WebSession.seen_at, WebSession.id).limit(most)))
    return list(_devices(session, found))
