"""Signing in: the password, then the second factor. Only hashes of cookies are stored."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.limits.models import RateBucket
from licensing.authority.limits.rules import Rule, network_of
from licensing.authority.limits.service import take_now
from licensing.authority.staff.models import StaffMember, StaffSession
from licensing.authority.staff.queries import Operator, member_by_email, token_hash
from licensing.authority.staff.rules import (
    GUESS_MINUTES,
    HALF_WAY_MINUTES,
    StaffStatus,
    account_rule,
    address_rule,
    email_key,
    guesser_rule,
    proof_rule,
)
from licensing.authority.staff.sealing import Sealing
from licensing.authority.staff.second_factor import new_secret
from server.core import clock
from server.core.db import Database
from server.core.errors import NotSignedIn, TooMany
from server.core.i18n import gettext as _
from server.core.passwords import matches

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a sign-in comes from."""

    address: str = ""
    device: str = ""


def _account(email: str) -> str:
    return hashlib.sha256(email_key(email).encode()).hexdigest()[:32]


def count_guess(database: Database, email: str, address: str) -> None:
    """Count one guess at a password before it is looked at, so that those at the same time count as well.

    Raise TooMany when it was guessed too often at this account or from this address.
    """
    account, network = _account(email), network_of(address)
    rules = [account_rule(account), guesser_rule(account, network), address_rule(network)]
    _count(database, rules, address)


def count_proof(database: Database, staff_id: int, address: str) -> None:
    """Count one guess of somebody who has shown the password already, or raise TooMany.

    Apart from guesses at passwords: strangers must not be able to shut out who is inside.
    """
    _count(database, [proof_rule(staff_id)], address)


def _count(database: Database, rules: list[Rule], address: str) -> None:
    try:
        take_now(database, rules)
    except TooMany as error:
        log.warning("Somebody guesses at the console.", extra={"address": address})
        raise TooMany(
            _(
                "Too many attempts. Wait up to %(n)s minutes, or ask an owner of the authority.",
                n=GUESS_MINUTES,
            ),
            retry_after=error.retry_after,
        ) from error


def forgive_guesses(session: Session, member: StaffMember, address: str) -> None:
    """Forget the guesses at an account whose owner has proved at this address who they are."""
    account = _account(member.email)
    rules = [
        account_rule(account),
        guesser_rule(account, network_of(address)),
        proof_rule(member.id),
    ]
    session.execute(delete(RateBucket).where(RateBucket.key.in_([rule.key for rule in rules])))


def check_password_of(session: Session, email: str, password: str) -> StaffMember:
    """Return whose address and password these are; this is slow on purpose and only reads.

    Raise NotSignedIn otherwise, which tells nothing about who exists.
    """
    member = member_by_email(session, email)
    right = matches(member.password_hash if member else None, password)
    if member is None or not right or member.status is not StaffStatus.ACTIVE:
        raise NotSignedIn(_("The address or the password is not right."), code="wrong_password")
    return member


def begin(session: Session, sealing: Sealing, member: StaffMember, place: Place) -> str:
    """Let a browser go on to the second factor and return its cookie's secret.

    Whoever has no second factor yet gets a secret to set one up with.
    """
    now = clock.now()
    session.execute(delete(StaffSession).where(StaffSession.expires_at < now))
    secret = secrets.token_urlsafe(32)
    fresh = None if member.totp_sealed else sealing.seal(new_secret(), member.id)
    session.add(
        StaffSession(
            token_hash=token_hash(secret),
            staff_id=member.id,
            expires_at=now + timedelta(minutes=HALF_WAY_MINUTES),
            new_totp=fresh,
            address=place.address,
            device=place.device[:200],
        )
    )
    session.flush()
    return secret


def finish(session: Session, browser: StaffSession, member: StaffMember, *, hours: int) -> str:
    """Sign the browser in, its second factor shown, and return the secret of its new cookie."""
    now = clock.now()
    secret = secrets.token_urlsafe(32)  # whoever saw the half-way cookie has nothing
    browser.token_hash = token_hash(secret)
    browser.expires_at = now + timedelta(hours=hours)
    browser.confirmed_at = now
    browser.new_totp = None
    member.last_sign_in_at = now
    forgive_guesses(session, member, browser.address)
    note(session, member.email, "staff.sign_in", member.email, {"address": browser.address})
    session.flush()
    return secret


def confirm(session: Session, browser: StaffSession, member: StaffMember) -> None:
    """Note that whoever is signed in proved again who they are."""
    browser.confirmed_at = clock.now()
    forgive_guesses(session, member, browser.address)
    note(session, member.email, "staff.confirm", member.email)
    session.flush()


def begin_new_factor(session: Session, sealing: Sealing, who: Operator) -> None:
    """Let somebody who is signed in set up a new second factor in this browser."""
    browser = session.get_one(StaffSession, who.session_id)
    browser.new_totp = sealing.seal(new_secret(), who.staff_id)
    session.flush()


def end_browser(session: Session, secret: str) -> None:
    """Sign this browser out."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash(secret)))


def end_browsers(session: Session, staff_id: int, *, but: int | None = None) -> None:
    """Sign a member out everywhere, or everywhere but in one browser."""
    query = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    session.execute(query if but is None else query.where(StaffSession.id != but))
