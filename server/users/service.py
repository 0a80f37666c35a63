"""Changing users: creating, deactivating, seats. Signing in lives in sign_in.py."""

from collections.abc import Mapping
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import case, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.audit.service import note
from server.core import clock
from server.core.actor import Actor
from server.core.errors import Conflict, Invalid, NotLicensed
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.passwords import check_password, hash_password
from server.users.models import SeatCounter, User, WebSession
from server.users.queries import count_seats, email_key, get_user, seats, user_by_email
from server.users.rules import Role, SoldSeats, UserDraft, UserKind, UserStatus, holds_seat
from server.users.slots import begin_peak as begin_peak  # the vendor's office enters by this door
from server.users.slots import end_sign_ins, set_device_cap


def _clean_email(email: str) -> str:
    try:
        return validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False
        ).normalized
    except EmailNotValidError as error:
        raise Invalid(_("“%(email)s” is no email address.", email=email), field="email") from error


def create_user(session: Session, actor: Actor, draft: UserDraft) -> User:
    """Write down a new user and take a seat for it. Raise NotLicensed when none is free (R-LIC-3)."""
    actor.must("users.manage")
    email = _clean_email(draft.email)
    if not draft.display_name.strip():
        raise Invalid(_("A user needs a name."), field="display_name")
    if draft.password is not None:
        check_password(draft.password, email=email, name=draft.display_name)
    if user_by_email(session, email) is not None:
        raise Conflict(
            _("A user with the address %(email)s exists already.", email=email), code="email_taken"
        )
    if holds_seat(draft.status):
        take_seat(session, draft.kind)
    user = User(
        email=email,
        email_key=email_key(email),
        display_name=draft.display_name.strip(),
        role=draft.role,
        kind=draft.kind,
        status=draft.status,
        locale=draft.locale,
        password_hash=hash_password(draft.password) if draft.password is not None else None,
        active_since=clock.now() if holds_seat(draft.status) else None,
        created_by_id=actor.user_id,
    )
    session.add(user)
    session.flush()
    return user


def former_user(session: Session, actor: Actor, name: str) -> User:
    """Return the former colleague of that name from imported history, written down if new; no seat."""
    known = session.scalar(
        select(User).where(User.status == UserStatus.FORMER, User.display_name == name.strip())
    )
    if known is not None:
        return known
    user = User(
        display_name=name.strip(),
        role=Role.VIEWER,
        kind=UserKind.HUMAN,
        status=UserStatus.FORMER,
        created_by_id=actor.user_id,
    )
    session.add(user)
    session.flush()
    return user


def deactivate_user(session: Session, actor: Actor, user_id: int, reason: str = "") -> User:
    """Take the account out of use and give its seat back; everything it owns stays (R-CRM-4)."""
    actor.must("users.manage")
    user = get_user(session, actor, user_id)
    if user.id == actor.user_id:
        raise Invalid(
            _("You cannot deactivate yourself. Ask another administrator."), field="user_id"
        )
    _keep_an_admin(session, user)  # locks the administrators, in their order, before anybody else
    _hold(session, user)
    if user.status is UserStatus.DEACTIVATED:
        return user
    if holds_seat(user.status):
        release_seat(session, user.kind)
    user.status = UserStatus.DEACTIVATED
    user.active_since = None
    note(session, actor, "deactivate", kind="user", record_id=user.id, changes={"reason": reason})
    end_sessions(session, user.id)
    session.flush()
    return user


def _hold(session: Session, user: User) -> None:
    """See the account as it is, nobody else's until the end: of two clicks the second finds the first done."""
    session.refresh(user, with_for_update={"key_share": True})  # who signs in waits for nobody


def _keep_an_admin(session: Session, user: User) -> None:
    if user.role is not Role.ADMIN or user.status is not UserStatus.ACTIVE:
        return
    # Locked, and in one order: of two administrators who remove each other the second one waits and sees.
    administrators = select(User.id).where(
        User.role == Role.ADMIN, User.status == UserStatus.ACTIVE, User.kind == UserKind.HUMAN
    )
    # Not their keys: whoever signs in refers to them, and waits for nobody.
    found = session.scalars(administrators.order_by(User.id).with_for_update(key_share=True))
    if not set(found) - {user.id}:
        raise Conflict(_("This is the last administrator. Make somebody else administrator first."))


def reactivate_user(session: Session, actor: Actor, user_id: int) -> User:
    """Give the account its seat back. Raise NotLicensed when none is free."""
    actor.must("users.manage")
    user = get_user(session, actor, user_id)
    _hold(session, user)
    if user.status is UserStatus.ACTIVE:
        return user
    if user.status is UserStatus.FORMER or user.email is None:
        raise Invalid(
            _("A former colleague has no account. Create a user with an email address instead.")
        )
    take_seat(session, user.kind)
    user.status = UserStatus.ACTIVE
    user.active_since = clock.now()
    session.flush()
    return user


@dataclass(frozen=True)
class ProfileChange:
    """What can be changed about a user; None leaves a thing as it is."""

    display_name: str | None = None
    role: Role | None = None
    locale: str | None = None


def change_user(session: Session, actor: Actor, user_id: int, change: ProfileChange) -> User:
    """Change name, role or language. People may change their own name and language."""
    user = get_user(session, actor, user_id)
    if user.id != actor.user_id or change.role is not None:
        actor.must("users.manage")
    if change.role is not None and change.role is not user.role:
        _keep_an_admin(session, user)
        user.role = change.role
    if change.display_name is not None:
        if not change.display_name.strip():
            raise Invalid(_("A user needs a name."), field="display_name")
        user.display_name = change.display_name.strip()
    if change.locale is not None:
        user.locale = change.locale
    session.flush()
    return user


def set_password(session: Session, actor: Actor, user_id: int, password: str) -> User:
    """Give the user a new password and end every sign-in with the old one."""
    user = get_user(session, actor, user_id)
    if user.id != actor.user_id:
        actor.must("users.manage")
    check_password(password, email=user.email or "", name=user.display_name)
    user.password_hash = hash_password(password)
    end_sessions(session, user.id)
    session.flush()
    return user


def end_sessions(session: Session, user_id: int) -> None:
    """Sign the user out everywhere."""
    end_sign_ins(session, session.scalars(select(WebSession).where(WebSession.user_id == user_id)))


def _ensure_counter(session: Session, kind: UserKind) -> None:
    if session.get(SeatCounter, kind) is not None:
        return
    try:
        with session.begin_nested():
            # The local administrator exists before any licence does (licensing.md §7, mode `setup`).
            cap = 1 if kind is UserKind.HUMAN else 0
            session.execute(insert(SeatCounter).values(kind=kind, used=0, cap=cap, ceiling=cap))
    except IntegrityError:
        session.expire_all()  # another process wrote the same row a moment earlier


def take_seat(session: Session, kind: UserKind) -> None:
    """Take one seat in this transaction, or raise NotLicensed with the cap (R-LIC-3)."""
    _ensure_counter(session, kind)
    taken = session.execute(
        update(SeatCounter)
        .where(SeatCounter.kind == kind, SeatCounter.used < SeatCounter.cap)
        .values(used=SeatCounter.used + 1)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    if taken.rowcount != 1:  # type: ignore[attr-defined] # a cursor result
        raise no_seat_left(seats(session, kind).cap, kind)


def no_seat_left(cap: int, kind: UserKind) -> NotLicensed:
    """Return the refusal that names the cap and the way out."""
    if kind is UserKind.SERVICE:
        return NotLicensed(
            ngettext(
                "The licence covers %(n)s service account and it is in use. Deactivate it, or buy more.",
                "The licence covers %(n)s service accounts and all are in use. Deactivate one, or buy more.",
                cap,
            ),
            code="seats_exhausted",
        )
    return NotLicensed(
        ngettext(
            "The licence covers %(n)s active user and the seat is taken. "
            "Deactivate the user, or buy more seats.",
            "The licence covers %(n)s active users and all %(n)s seats are taken. "
            "Deactivate a user, or buy more seats.",
            cap,
        ),
        code="seats_exhausted",
    )


def release_seat(session: Session, kind: UserKind) -> None:
    """Give one seat back; after a lowered cap the ceiling comes down with it."""
    left = SeatCounter.used - 1
    session.execute(
        update(SeatCounter)
        .where(SeatCounter.kind == kind, SeatCounter.used > 0)
        .values(used=left, ceiling=case((left > SeatCounter.cap, left), else_=SeatCounter.cap))
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def set_seat_caps(session: Session, caps: Mapping[UserKind, int]) -> None:
    """Take over what the licence sells. A lower cap throws nobody out (licensing.md §8)."""
    for kind, cap in caps.items():
        _ensure_counter(session, kind)
        session.execute(
            update(SeatCounter)
            .where(SeatCounter.kind == kind)
            .values(cap=cap, ceiling=case((SeatCounter.used > cap, SeatCounter.used), else_=cap))
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


def take_over_seats(session: Session, sold: SoldSeats) -> None:
    """Take over what the licence sells: seats of people and of service accounts, connected devices."""
    set_seat_caps(session, {UserKind.HUMAN: sold.named, UserKind.SERVICE: sold.service})
    set_device_cap(session, sold.devices)


def reconcile_seats(session: Session) -> dict[UserKind, int]:
    """Set the counters to what the users themselves say; return the differences that were found."""
    found = {}
    for kind in UserKind:
        _ensure_counter(session, kind)
        # Locked before counting: whoever takes a seat meanwhile does so after this.
        counter = session.get_one(SeatCounter, kind, with_for_update=True, populate_existing=True)
        actual = count_seats(session, kind)
        if counter.used != actual:
            found[kind] = actual - counter.used
            counter.ceiling = max(counter.cap, actual)
            counter.used = actual
    session.flush()
    return found


def any_user(session: Session) -> bool:
    """Tell whether somebody can sign in at all."""
    return bool(
        session.scalar(
            select(func.count()).select_from(User).where(User.password_hash.is_not(None))
        )
    )
