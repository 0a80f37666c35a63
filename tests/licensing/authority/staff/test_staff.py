"""Who may come in: roles, the last owner, passwords, invitations."""

from datetime import timedelta

import pytest
import time_machine

from licensing.authority.staff import links
from licensing.authority.staff.models import StaffMember, StaffSession
from licensing.authority.staff.queries import browsers_of, get_member, operator_of
from licensing.authority.staff.rules import (
    ALL_PERMISSIONS,
    PERMISSION_LABELS,
    PERMISSIONS,
    Role,
    StaffStatus,
)
from licensing.authority.staff.sealing import Sealing
from licensing.authority.staff.service import (
    StaffDraft,
    add_member,
    change_member,
    deactivate_member,
    reactivate_member,
    set_password,
)
from licensing.authority.staff.sign_in import Place, begin, check_password_of, count_guess, finish
from server.core import clock
from server.core.db import Database
from server.core.errors import Conflict, Invalid, NotFound, NotSignedIn, TooMany
from tests.licensing.authority.staff.conftest import PASSWORD, add
from tests.support.racing import race

WEB = b"w" * 32


def signed_in(house: Database, sealing: Sealing, staff_id: int) -> str:
    with house.write() as session:
        member = get_member(session, staff_id)
        begin(session, sealing, member, Place("192.0.2.7"))
        return finish(session, session.query(StaffSession).one(), member, hours=8)


def test_every_permission_has_a_name_and_an_owner_holds_them_all() -> None:
    assert set(PERMISSION_LABELS) == set(ALL_PERMISSIONS)
    assert PERMISSIONS[Role.OWNER] == ALL_PERMISSIONS


def test_an_auditor_may_only_see() -> None:
    assert all(name.endswith(".see") for name in PERMISSIONS[Role.AUDITOR])


def test_nobody_is_on_the_staff_twice(house: Database) -> None:
    add(house, "Root")

    with pytest.raises(Invalid, match="is on the staff already"), house.write() as session:
        add_member(session, "Root", StaffDraft("ROOT@example.com", "Other", Role.SALES, "en"))


def test_all_mistakes_of_a_draft_are_told_at_once(house: Database) -> None:
    with pytest.raises(Invalid) as refusal, house.write() as session:
        add_member(session, "Root", StaffDraft("nowhere", " ", Role.SALES, "xx"))

    assert {one.field for one in refusal.value.errors} == {"email", "name", "locale"}


def test_the_last_owner_can_neither_go_nor_become_something_else(house: Database) -> None:
    root = add(house, "Root")
    add(house, "Anna", Role.SALES)

    with pytest.raises(Conflict, match="last owner"), house.write() as session:
        deactivate_member(session, "Root", root)
    with pytest.raises(Conflict, match="last owner"), house.write() as session:
        change_member(session, "Root", root, name="Root", role=Role.AUDITOR)


def _put_out(url: str, staff_id: int) -> bool:
    database = Database(url)
    try:
        with database.write() as session:
            deactivate_member(session, "Root", staff_id)
    except Conflict:
        return False
    finally:
        database.dispose()
    return True


def test_two_owners_who_put_each_other_out_leave_one(house: Database) -> None:
    both = [add(house, "Root"), add(house, "Anna")]

    done = race(house, _put_out, [(house.url, one) for one in both])

    assert sorted(map(bool, done)) == [False, True]
    with house.read() as session:
        left = session.query(StaffMember).filter_by(status=StaffStatus.ACTIVE).count()
    assert left == 1


def test_whoever_is_deactivated_is_signed_out_at_once(house: Database, sealing: Sealing) -> None:
    add(house, "Root")
    anna = add(house, "Anna", Role.SALES)
    cookie = signed_in(house, sealing, anna)
    with house.write() as session:
        deactivate_member(session, "Root", anna)

    with house.read() as session:
        assert operator_of(session, cookie) is None
        assert browsers_of(session, anna) == []
        with pytest.raises(NotSignedIn):
            check_password_of(session, "anna@example.com", PASSWORD)


def test_whoever_is_let_in_again_has_the_password_they_had(house: Database) -> None:
    add(house, "Root")
    anna = add(house, "Anna", Role.SALES)
    with house.write() as session:
        deactivate_member(session, "Root", anna)
        reactivate_member(session, "Root", anna)

    with house.read() as session:
        assert check_password_of(session, "Anna@Example.com", PASSWORD).id == anna


def test_a_browser_that_showed_only_the_password_is_nobody(
    house: Database, sealing: Sealing
) -> None:
    root = add(house, "Root")
    with house.write() as session:
        cookie = begin(session, sealing, get_member(session, root), Place())

    with house.read() as session:
        assert operator_of(session, cookie) is None


def test_only_hashes_of_cookies_are_kept(house: Database, sealing: Sealing) -> None:
    cookie = signed_in(house, sealing, add(house, "Root"))

    with house.read() as session:
        assert cookie not in session.query(StaffSession).one().token_hash


def test_a_new_password_ends_every_sign_in(house: Database, sealing: Sealing) -> None:
    root = add(house, "Root")
    cookie = signed_in(house, sealing, root)
    with house.write() as session:
        set_password(session, "Root", root, "another good password")

    with house.read() as session:
        assert operator_of(session, cookie) is None


def test_an_invitation_is_good_once(house: Database) -> None:
    with house.write() as session:
        member = add_member(
            session, "Root", StaffDraft("ben@example.com", "Ben", Role.SUPPORT, "en")
        )
        token = links.invite(session, "Root", member.id, secret=WEB).token
    with house.write() as session:
        links.choose_password(session, token, "several easy words", secret=WEB)

    with house.read() as session:
        assert (
            check_password_of(session, "ben@example.com", "several easy words").status == "active"
        )
        with pytest.raises(NotFound, match="used already"):
            links.member_of_link(session, token, secret=WEB)


def test_an_invitation_ends_after_three_days(house: Database) -> None:
    root = add(house, "Root")
    with house.write() as session:
        token = links.invite(session, "Root", root, secret=WEB).token

    later = clock.now() + timedelta(days=3, seconds=1)
    with time_machine.travel(later), house.read() as session, pytest.raises(NotFound):
        links.member_of_link(session, token, secret=WEB)


def _guess(url: str, email: str) -> bool:
    database = Database(url)
    try:
        count_guess(database, email, "192.0.2.9")
    except TooMany:
        return False
    finally:
        database.dispose()
    return True


def test_guesses_at_the_same_moment_all_count(house: Database) -> None:
    add(house, "Root")
    let_in = race(house, _guess, [(house.url, "root@example.com")] * 12)

    assert sum(map(bool, let_in)) == 8


def test_a_stranger_alone_shuts_nobody_out_and_many_are_stopped(house: Database) -> None:
    with time_machine.travel(clock.now(), tick=False):
        for _number in range(8):
            count_guess(house, "root@example.com", "192.0.2.9")
        with pytest.raises(TooMany):
            count_guess(house, "root@example.com", "192.0.2.9")
        for number in range(32):
            count_guess(house, "root@example.com", f"198.51.100.{number}")

        with pytest.raises(TooMany):
            count_guess(house, "root@example.com", "203.0.113.1")


def test_an_address_that_guesses_at_many_accounts_is_stopped_as_well(house: Database) -> None:
    with time_machine.travel(clock.now(), tick=False):
        for number in range(60):
            count_guess(house, f"user{number}@example.com", "192.0.2.9")

        with pytest.raises(TooMany, match="Too many attempts"):
            count_guess(house, "other@example.com", "192.0.2.9")
        count_guess(house, "other@example.com", "192.0.2.10")
