"""What somebody sees who stands before a full house: how full it is, and what makes room."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.i18n import ngettext
from server.users.holders import Holder, connected_devices, devices_of
from server.users.queries import administrators, device_seats
from server.users.rules import Seats

MOST_SHOWN = 50


@dataclass(frozen=True)
class House:
    """The devices that are connected: the reader's own others and, for who manages users, those of others too."""

    seats: Seats
    own: tuple[Holder, ...]
    others: tuple[Holder, ...]
    administrators: tuple[str, ...]

    @property
    def has_room(self) -> bool:
        """Tell whether a slot is free at this moment."""
        return self.seats.used < self.seats.cap


def house_of(session: Session, actor: Actor, here: int) -> House:
    """Return the house as the actor on the device `here` may see it."""
    own = [one for one in devices_of(session, actor.user_id) if one.word != "none"]
    manages = actor.may("users.manage")
    others = connected_devices(session, actor, MOST_SHOWN) if manages else []
    return House(
        seats=device_seats(session),
        own=tuple(one for one in own if one.id != here),
        others=tuple(one for one in others if one.user_id != actor.user_id),
        administrators=tuple(administrators(session)),
    )


def full_sentence(seats: Seats) -> str:
    """Return what happened, that nothing is lost, and the way out."""
    return ngettext(
        "The licence covers %(n)s connected device and it is connected. "
        "What you typed is still here: open Daftar in another window to make room, then try again.",
        "The licence covers %(n)s connected devices and all are connected. "
        "What you typed is still here: open Daftar in another window to make room, then try again.",
        seats.cap,
    )
