"""Signing in and out, and tokens for programs. Only hashes of cookies and tokens are stored."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.audit.service import note
from server.core import clock
from server.core.actor import Actor
from server.core.errors import Invalid, NotFound, NotSignedIn, TooMany
from server.core.i18n import gettext as _
from server.core.passwords import matches
from server.users.models import ApiToken, SignInFailure, User, WebSession
from server.users.queries import email_key, get_user, user_by_email
from server.users.rules import (
    FAILURE_WINDOW_MINUTES,
    FAILURES_ALLOWED,
    FAILURES_ALLOWED_PER_ADDRESS,
    PERMISSIONS,
    UserKind,
    UserStatus,
)
from server.users.slots import connect, end_sign_ins, hold_counter

log = logging.getLogger(__name__)

TOKEN_PREFIX = "dft_"  # noqa: S105 - a prefix, so that leaked tokens can be found by scanners


@dataclass(frozen=True)
class Visitor:
    """Where a sign-in comes from: its address, what the browser calls itself, the secret of its device cookie."""

    address: str = ""
    device: str = ""
    secret: str = ""


@dataclass(frozen=True)
class SignedIn:
    """Somebody in a browser. `connected` tells whether this device holds a slot, heard of at `seen_s`."""

    actor: Actor
    sign_in_id: int
    connected: bool
    seen_s: int | None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def actor_for(user: User) -> Actor:
    """Return the actor that this user is."""
    return Actor(
        user_id=user.id,
        name=user.display_name,
        permissions=PERMISSIONS[user.role],
        locale=user.locale,
        email=user.email or "",
    )


def check_sign_in(session: Session, email: str, password: str, address: str = "") -> User:
    """Return the user whose address and password these are; this is slow on purpose and only reads.

    Raise TooMany after too many failures, NotSignedIn otherwise; both tell nothing about who exists.
    Service accounts have tokens and no way in here: their seats are not those of people.
    """
    _slow_down(session, email, address)
    user = user_by_email(session, email)
    right = matches(user.password_hash if user else None, password)
    known = user is not None and user.status is UserStatus.ACTIVE and user.kind is UserKind.HUMAN
    if user is None or not right or not known:
        raise NotSignedIn(_("The address or the password is not right."), code="wrong_password")
    return user


def _slow_down(session: Session, email: str, address: str) -> None:
    since = clock.now() - timedelta(minutes=FAILURE_WINDOW_MINUTES)
    recent = select(func.count()).select_from(SignInFailure).where(SignInFailure.at > since)
    of_account = session.scalar(recent.where(SignInFailure.email_key == email_key(email)))
    from_there = session.scalar(recent.where(SignInFailure.address == address)) if address else 0
    if (of_account or 0) < FAILURES_ALLOWED and (from_there or 0) < FAILURES_ALLOWED_PER_ADDRESS:
        return
    raise TooMany(
        _(
            "Too many failed attempts. Wait %(n)s minutes, or ask an administrator.",
            n=FAILURE_WINDOW_MINUTES,
        ),
        retry_after=FAILURE_WINDOW_MINUTES * 60,
    )


def note_failure(session: Session, email: str, address: str) -> None:
    """Remember a failed attempt and forget the old ones."""
    old = clock.now() - timedelta(minutes=FAILURE_WINDOW_MINUTES)
    session.execute(delete(SignInFailure).where(SignInFailure.at < old))
    session.add(SignInFailure(email_key=email_key(email)[:320], address=address))
    log.warning("A sign-in failed.", extra={"address": address})


def open_session(
    session: Session, user: User, visitor: Visitor, *, hours: int, replaces: str = ""
) -> str:
    """Sign the user in, on a slot if one is free, and return the cookie's secret.

    On a device that the user is signed in on already, the sign-in and its slot are kept and only the
    secret is new. `replaces` is the secret of whoever used this browser before.
    """
    secret, now = secrets.token_urlsafe(32), clock.now()
    hold_counter(session)  # of two clicks on one button the second finds the sign-in of the first
    end_sign_ins(session, session.scalars(select(WebSession).where(WebSession.expires_at < now)))
    session.execute(delete(SignInFailure).where(SignInFailure.email_key == user.email_key))
    here = _known_device(session, user, visitor.secret)
    _leave(session, replaces, but=here)
    if here is None:
        here = WebSession(
            user_id=user.id, device_hash=_hash(visitor.secret) if visitor.secret else None
        )
        session.add(here)
    here.token_hash = _hash(secret)
    here.created_at, here.expires_at = now, now + timedelta(hours=hours)
    here.address, here.device, here.seen_at = visitor.address, visitor.device[:200], now
    session.flush()
    connect(session, here.id, is_admin="users.manage" in PERMISSIONS[user.role])
    note(session, actor_for(user), "sign_in", kind="user", record_id=user.id)
    return secret


def _known_device(session: Session, user: User, secret: str) -> WebSession | None:
    if not secret:
        return None
    return session.scalar(
        select(WebSession).where(
            WebSession.user_id == user.id, WebSession.device_hash == _hash(secret)
        )
    )


def _leave(session: Session, secret: str, *, but: WebSession | None) -> None:
    """End the sign-in of this cookie, unless it is the one that goes on."""
    if not secret:
        return
    before = session.scalar(select(WebSession).where(WebSession.token_hash == _hash(secret)))
    if before is not None and before is not but:
        end_sign_ins(session, [before])


def end_session(session: Session, secret: str) -> None:
    """Sign this browser out; its slot is free at once."""
    _leave(session, secret, but=None)


def sign_in_id(session: Session, secret: str) -> int | None:
    """Return which of the sign-ins belongs to this cookie."""
    return session.scalar(select(WebSession.id).where(WebSession.token_hash == _hash(secret)))


def end_own_sign_in(session: Session, actor: Actor, sign_in: int) -> None:
    """Sign the actor out in one browser, as when a device is lost."""
    found = session.get(WebSession, sign_in)
    if found is None or found.user_id != actor.user_id:
        raise NotFound(_("This browser is signed out already."))
    note(session, actor, "sign_out", kind="user", record_id=actor.user_id)
    end_sign_ins(session, [found])


def end_other_sign_ins(session: Session, actor: Actor, secret: str) -> int:
    """Sign the actor out everywhere but in the browser of this cookie; return in how many."""
    others = select(WebSession).where(
        WebSession.user_id == actor.user_id, WebSession.token_hash != _hash(secret)
    )
    ended = end_sign_ins(session, session.scalars(others))
    if ended:
        note(session, actor, "sign_out", kind="user", record_id=actor.user_id)
    session.flush()
    return ended


def signed_in(session: Session, secret: str) -> SignedIn | None:
    """Return who is signed in with this cookie and whether on a slot, or None; one query."""
    found = session.execute(
        select(User, WebSession.id, WebSession.slot, WebSession.seen_s)
        .join(WebSession, WebSession.user_id == User.id)
        .where(
            WebSession.token_hash == _hash(secret),
            WebSession.expires_at > clock.now(),
            User.status == UserStatus.ACTIVE,
        )
    ).first()
    if found is None:
        return None
    return SignedIn(actor_for(found.User), found.id, found.slot is not None, found.seen_s)


def actor_of_session(session: Session, secret: str) -> Actor | None:
    """Return who is signed in with this cookie, or None."""
    found = signed_in(session, secret)
    return found.actor if found else None


def actor_of_token(session: Session, token: str) -> Actor | None:
    """Return whose token this is, or None."""
    user = session.scalar(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(
            ApiToken.token_hash == _hash(token),
            ApiToken.revoked_at.is_(None),
            User.status == UserStatus.ACTIVE,
        )
    )
    return actor_for(user) if user else None


def create_token(session: Session, actor: Actor, user_id: int, name: str) -> str:
    """Make a token for a program and return it, this once."""
    actor.must("tokens.own" if actor.user_id == user_id else "users.manage")
    user = get_user(session, actor, user_id)
    if not name.strip():
        raise Invalid(
            _("A token needs a name, so that you know later what it is for."), field="name"
        )
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    made = ApiToken(token_hash=_hash(token), hint=token[:8], name=name.strip(), user_id=user.id)
    session.add(made)
    session.flush()
    note(session, actor, "create", kind="token", record_id=made.id, changes={"name": name.strip()})
    return token


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """End a token at once."""
    found = session.get(ApiToken, token_id)
    if found is None or (found.user_id != actor.user_id and not actor.may("users.manage")):
        raise NotFound(_("There is no token %(id)s.", id=token_id))
    found.revoked_at = clock.now()
    note(session, actor, "revoke", kind="token", record_id=found.id)
    session.flush()
