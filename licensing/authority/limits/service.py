"""Taking from the buckets of rate limits. Rows in a table, because many processes share them."""

from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from licensing.authority.limits.models import RateBucket
from licensing.authority.limits.rules import Rule, taken, wait
from licensing.document.errors import Code
from server.core import clock
from server.core.db import Database
from server.core.errors import TooMany
from server.core.i18n import gettext as _


def take(session: Session, rules: Sequence[Rule]) -> None:
    """Count one request under every rule, or raise TooMany (`E_RATE`) and count none."""
    now = clock.now().timestamp()
    for rule in sorted(rules, key=lambda one: one.key):  # one order, so that nobody waits in a ring
        _take(session, rule, now)


def _take(session: Session, rule: Rule, now: float) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # The row is there and locked before it is read: two processes never see the same bucket.
    session.execute(insert(RateBucket).values(key=rule.key, full_at=0.0).on_conflict_do_nothing())
    bucket = session.scalars(
        select(RateBucket).where(RateBucket.key == rule.key).with_for_update()
    ).one()
    after = taken(rule, bucket.full_at, now)
    if after is None:
        raise TooMany(
            _("Too many requests. Please wait before the next one."),
            retry_after=wait(rule, bucket.full_at, now),
            code=Code.E_RATE.value,
        )
    bucket.full_at = after
    session.flush()


def take_now(database: Database, rules: Sequence[Rule]) -> None:
    """Count a request at once, whatever becomes of it."""
    with database.write() as session:
        if database.dialect == "postgresql":
            # A lost count after a crash harms nobody; a wait for the disk would slow every caller.
            session.execute(text("SET LOCAL synchronous_commit = off"))
        take(session, rules)


def forget_full_buckets(database: Database) -> None:
    """Remove the rows that limit nobody any more."""
    with database.write() as session:
        session.execute(delete(RateBucket).where(RateBucket.full_at < clock.now().timestamp()))
