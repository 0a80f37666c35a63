"""Sign-ins and tokens: how long they last, how they end, what of them is kept."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import NotAllowed, NotSignedIn, TooMany
from server.core.passwords import set_cost
from server.users.models import ApiToken, SignInFailure, User, WebSession
from server.users.rules import FAILURE_WINDOW_MINUTES, FAILURES_ALLOWED, PERMISSIONS, Role
from server.users.service import deactivate_user, end_sessions, set_password
from server.users.sign_in import (
    Visitor,
    actor_of_session,
    actor_of_token,
    check_sign_in,
    create_token,
    end_other_sign_ins,
    end_session,
    note_failure,
    open_session,
    revoke_token,
)
from tests.server.conftest import PASSWORD, Cast

PHONE = Visitor("192.0.2.1", "a phone")


def signed_in(database: Database, cast: Cast, hours: int = 12) -> str:
    """Sign Anna in once more and return the cookie's secret."""
    with database.write(SYSTEM) as session:
        user = session.get_one(User, cast.anna.user_id)
        return open_session(session, user, PHONE, hours=hours)


def name_behind(database: Database, secret: str) -> str | None:
    with database.read() as session:
        actor = actor_of_session(session, secret)
    return actor.name if actor else None


def test_a_sign_in_ends_by_itself(database: Database, cast: Cast) -> None:
    secret = signed_in(database, cast, hours=12)

    with time_machine.travel(clock.now() + timedelta(hours=12, seconds=-5), tick=False):
        before = name_behind(database, secret)
    with time_machine.travel(clock.now() + timedelta(hours=12, seconds=5), tick=False):
        after = name_behind(database, secret)

    assert (before, after) == ("Anna", None)


def test_signing_out_ends_this_browser_only(database: Database, cast: Cast) -> None:
    here, there = signed_in(database, cast), signed_in(database, cast)

    with database.write(SYSTEM) as session:
        end_session(session, here)

    assert (name_behind(database, here), name_behind(database, there)) == (None, "Anna")


def test_signing_out_elsewhere_keeps_this_browser(database: Database, cast: Cast) -> None:
    here, there = signed_in(database, cast), signed_in(database, cast)

    with database.write(cast.anna) as session:
        ended = end_other_sign_ins(session, cast.anna, here)

    assert ended == 1
    assert (name_behind(database, here), name_behind(database, there)) == ("Anna", None)


def test_a_new_password_ends_every_sign_in(database: Database, cast: Cast) -> None:
    secret = signed_in(database, cast)

    with database.write(cast.anna) as session:
        set_password(session, cast.anna, cast.anna.user_id or 0, "quite-another-phrase")

    assert name_behind(database, secret) is None


def test_a_deactivated_colleague_is_out_at_once(database: Database, cast: Cast) -> None:
    secret = signed_in(database, cast)
    with database.write(SYSTEM) as session:
        token = create_token(session, SYSTEM, cast.anna.user_id or 0, "program")
        deactivate_user(session, cast.root, cast.anna.user_id or 0)

    with database.read() as session, pytest.raises(NotSignedIn):
        check_sign_in(session, "anna@example.com", PASSWORD)
    with database.read() as session:
        assert actor_of_token(session, token) is None
    assert name_behind(database, secret) is None


def test_everybody_can_be_signed_out_of_everything(database: Database, cast: Cast) -> None:
    secrets = [signed_in(database, cast) for _device in range(3)]

    with database.write(SYSTEM) as session:
        end_sessions(session, cast.anna.user_id or 0)

    assert [name_behind(database, secret) for secret in secrets] == [None] * 3


def test_only_hashes_are_kept(database: Database, cast: Cast) -> None:
    secret = signed_in(database, cast)
    with database.write(SYSTEM) as session:
        token = create_token(session, SYSTEM, cast.anna.user_id or 0, "program")

    with database.read() as session:
        kept = [
            *session.scalars(select(WebSession.token_hash)),
            *session.scalars(select(ApiToken.token_hash)),
            *session.scalars(select(User.password_hash)),
        ]
    assert all(len(one or "") == 64 or str(one).startswith("$argon2id$") for one in kept)
    assert [one for one in (secret, token, PASSWORD) if one in str(kept)] == []


def test_expired_sign_ins_are_swept_by_the_next_one(database: Database, cast: Cast) -> None:
    signed_in(database, cast, hours=1)

    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        signed_in(database, cast)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(WebSession)) == 1


def test_guessing_waits_a_quarter_of_an_hour(database: Database, cast: Cast) -> None:
    with database.write(SYSTEM) as session:
        for _guess in range(FAILURES_ALLOWED):
            note_failure(session, "Anna@Example.com", "192.0.2.9")

    with pytest.raises(TooMany) as refusal, database.read() as session:
        check_sign_in(session, "anna@example.com", PASSWORD)
    later = clock.now() + timedelta(minutes=FAILURE_WINDOW_MINUTES, seconds=1)
    with time_machine.travel(later, tick=False), database.read() as session:
        user = check_sign_in(session, "anna@example.com", PASSWORD)

    assert refusal.value.retry_after == FAILURE_WINDOW_MINUTES * 60
    assert user.display_name == "Anna"


def test_a_right_password_forgives_the_wrong_ones(database: Database, cast: Cast) -> None:
    with database.write(SYSTEM) as session:
        note_failure(session, "anna@example.com", "192.0.2.9")
        note_failure(session, "ben@example.com", "192.0.2.9")
    signed_in(database, cast)

    with database.read() as session:
        left = session.scalars(select(SignInFailure.email_key)).all()
    assert list(left) == ["ben@example.com"]


def test_a_higher_cost_does_not_lock_anybody_out(database: Database, cast: Cast) -> None:
    try:
        set_cost(memory_kib=2048, rounds=2)
        with database.read() as session:
            user = check_sign_in(session, "anna@example.com", PASSWORD)
    finally:
        set_cost(memory_kib=64, rounds=1)

    assert user.display_name == "Anna"


def test_a_token_is_its_owners_and_can_be_revoked(database: Database, cast: Cast) -> None:
    with database.write(cast.anna) as session:
        token = create_token(session, cast.anna, cast.anna.user_id or 0, "program")
    with database.read() as session:
        actor = actor_of_token(session, token)
        number = session.scalars(select(ApiToken.id)).one()
        hint = session.scalars(select(ApiToken.hint)).one()
    with database.write(cast.anna) as session:
        revoke_token(session, cast.anna, number)

    assert actor is not None
    assert (actor.user_id, actor.permissions) == (cast.anna.user_id, PERMISSIONS[Role.SALES])
    assert token.startswith(hint)
    assert len(hint) < 10
    with database.read() as session:
        assert actor_of_token(session, token) is None


def test_nobody_makes_a_token_for_somebody_else(database: Database, cast: Cast) -> None:
    with pytest.raises(NotAllowed), database.write(cast.anna) as session:
        create_token(session, cast.anna, cast.root.user_id or 0, "program")
    with pytest.raises(NotAllowed), database.write(cast.guest) as session:
        create_token(session, cast.guest, cast.guest.user_id or 0, "program")
