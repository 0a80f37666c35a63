"""Links for a password when several use one at the same moment (the rest is in tests/client_web/users)."""

from sqlalchemy.orm.exc import StaleDataError

from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import NotFound
from server.core.passwords import set_cost
from server.users.links import choose_password, make_link
from server.users.queries import seats
from server.users.rules import UserDraft, UserStatus
from server.users.service import create_user
from tests.server.conftest import Cast
from tests.support.racing import race

SECRET = b"k" * 32


def _use(url: str, token: str, password: str) -> bool:
    set_cost(memory_kib=64, rounds=1)
    opened = Database(url)
    try:
        with opened.write() as session:
            choose_password(session, token, password, secret=SECRET)
    except (NotFound, StaleDataError):
        return False
    else:
        return True
    finally:
        opened.dispose()


def test_a_link_used_by_several_at_once_works_once_and_takes_one_seat(
    database: Database, cast: Cast
) -> None:
    with database.write(cast.root) as session:
        draft = UserDraft("dora@example.com", "Dora", status=UserStatus.INVITED)
        dora = create_user(session, cast.root, draft)
        token = make_link(session, cast.root, dora.id, secret=SECRET).token

    used = race(
        database, _use, [(database.url, token, f"seven-blue-lanterns-{n}") for n in range(4)]
    )

    assert used.count(True) == 1
    with database.read() as session:
        assert seats(session).used == 5
    with database.write(SYSTEM) as session:
        assert create_user(session, SYSTEM, UserDraft("e@example.com", "Eve")).id
