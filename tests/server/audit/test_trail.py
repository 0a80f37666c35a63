"""The audit trail: who, when, what, before and after."""

from server.audit.queries import history_of, list_entries
from server.core.db import Database
from server.core.listing import ListQuery
from server.users.rules import Role
from server.users.service import ProfileChange, change_user, set_password
from tests.server.conftest import Cast


def test_a_change_is_noted_with_before_and_after(database: Database, cast: Cast) -> None:
    with database.write(cast.root) as session:
        change_user(session, cast.root, cast.ben.user_id or 0, ProfileChange(role=Role.MANAGER))

    with database.read() as session:
        newest = history_of(session, "user", cast.ben.user_id or 0)[0]
    assert (newest.user_name, newest.action, newest.changes) == (
        "Root",
        "update",
        {"role": ["sales", "manager"]},
    )


def test_a_password_never_reaches_the_trail(database: Database, cast: Cast) -> None:
    with database.write(cast.root) as session:
        set_password(session, cast.root, cast.ben.user_id or 0, "another-good-phrase")

    with database.read() as session:
        newest = history_of(session, "user", cast.ben.user_id or 0)[0]
    assert newest.changes == {"password_hash": ["•••", "•••"]}


def test_the_trail_is_paged_from_the_newest(database: Database, cast: Cast) -> None:
    with database.read() as session:
        first = list_entries(session, cast.root, ListQuery(limit=2))
        second = list_entries(session, cast.root, ListQuery(limit=2, cursor=first.next_cursor))
        back = list_entries(session, cast.root, ListQuery(limit=2, cursor=second.previous_cursor))

    ids = [entry.id for entry in (*first.items, *second.items)]
    assert ids == sorted(ids, reverse=True)
    assert [entry.id for entry in back.items] == ids[:2]
    assert (second.next_cursor, first.previous_cursor) == (None, None)
