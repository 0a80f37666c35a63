"""One transaction for each request: a reader's for GET, a writer's for everything else.

It begins with the first question, ends before the answer leaves, and is rolled back when the answer
is a refusal. No GET writes: the reader's transaction would refuse it.
"""

from flask import current_app, g, request
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from server.core.after_commit import run_after_commit
from server.core.db import Database
from server.core.errors import Stale
from server.core.i18n import gettext as _

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def database() -> Database:
    """Return the database of the running application."""
    found: Database = current_app.extensions["daftar.door"].database
    return found


def current_session() -> Session:
    """Return the session of this request, beginning its transaction at the first call."""
    if "session" not in g:
        writes = request.method not in SAFE_METHODS
        g.session = database().open(write=writes, actor=g.get("actor"))
        g.session.begin()
    session: Session = g.session
    return session


def save_and_begin_again() -> Session:
    """Commit what was changed so far and go on in a new transaction, as long work in steps does."""
    finish_session(keep=True)
    close_session()
    return current_session()


def finish_session(*, keep: bool) -> None:
    """Commit or roll back, then run what waited for the commit."""
    session: Session | None = g.get("session")
    if session is None:
        return
    if not keep:
        session.rollback()
        return
    try:
        session.commit()
    except StaleDataError as error:
        raise stale() from error
    run_after_commit(session)


def stale() -> Stale:
    """Return the refusal for a record that somebody else changed in the meantime."""
    return Stale(
        _(
            "Somebody else changed this record after you opened it. Look at its current state, then try again."
        )
    )


def close_session() -> None:
    """Give the connection back; whatever was not committed is gone."""
    session: Session | None = g.pop("session", None)
    if session is not None:
        session.close()
