"""One transaction for each request: kept whole with a yes, gone whole with a no, then what waited for it."""

from collections.abc import Callable

import pytest
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from server.core.after_commit import after_commit
from server.core.db import Database
from server.core.errors import Conflict
from server.http.access import public
from server.http.app import DaftarFlask, csrf
from server.http.unit_of_work import current_session, save_and_begin_again
from server.users.models import SeatCounter
from server.users.rules import UserKind

View = Callable[[], ResponseReturnValue]


@pytest.fixture
def said() -> list[str]:
    """Give what ran after commits."""
    return []


@pytest.fixture
def ask(app: DaftarFlask, said: list[str]) -> Callable[[str, View], int]:
    """Ask a view that writes a counter first, and return the status of its answer."""

    def asked(method: str, view: View) -> int:
        def writing() -> ResponseReturnValue:
            session = current_session()
            session.add(SeatCounter(kind=UserKind.SERVICE, used=0, cap=1, ceiling=1))
            after_commit(session, lambda: said.append("told"))
            session.flush()
            return view()

        app.add_url_rule("/try", endpoint="try", view_func=public()(writing), methods=[method])
        csrf.exempt(writing)
        return app.test_client().open("/try", method=method).status_code

    return asked


def kept(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(SeatCounter)).all())


def fail(error: Exception) -> View:
    def view() -> ResponseReturnValue:
        raise error

    return view


def test_a_yes_keeps_everything_and_then_tells(
    ask: Callable[[str, View], int], database: Database, said: list[str]
) -> None:
    assert ask("POST", lambda: "done") == 200
    assert (kept(database), said) == (1, ["told"])


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda: ("no", 422), 422),
        (fail(Conflict("Somebody was faster.")), 409),
        (fail(ZeroDivisionError()), 500),
    ],
    ids=["a refusal", "an error of ours", "a fault"],
)
def test_a_no_leaves_nothing_and_tells_nobody(
    ask: Callable[[str, View], int], database: Database, said: list[str], view: View, status: int
) -> None:
    assert ask("POST", view) == status
    assert (kept(database), said) == (0, [])


def test_a_get_cannot_write_even_if_it_wants_to(
    ask: Callable[[str, View], int], database: Database, said: list[str]
) -> None:
    assert ask("GET", lambda: "done") >= 400
    assert (kept(database), said) == (0, [])


def test_long_work_may_keep_its_steps(
    ask: Callable[[str, View], int], database: Database, said: list[str]
) -> None:
    def two_steps() -> ResponseReturnValue:
        save_and_begin_again().add(SeatCounter(kind=UserKind.HUMAN, used=0, cap=1, ceiling=1))
        return "no", 409

    assert ask("POST", two_steps) == 409
    assert (kept(database), said) == (1, ["told"])


def test_what_fails_after_the_commit_takes_nothing_back(
    ask: Callable[[str, View], int], database: Database
) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    def view() -> ResponseReturnValue:
        after_commit(current_session(), break_down)
        return "done"

    assert ask("POST", view) == 200
    assert kept(database) == 1


def test_the_databases_no_is_a_conflict_without_internals(
    ask: Callable[[str, View], int], database: Database
) -> None:
    def twice() -> ResponseReturnValue:
        current_session().expunge_all()
        current_session().add(SeatCounter(kind=UserKind.SERVICE, used=0, cap=1, ceiling=1))
        return "done"

    assert ask("POST", twice) == 409
    assert kept(database) == 0
