"""Taking from the buckets of rate limits. Rows in a table, because many processes share them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from licensing.authority.db.opening import fleeting
from licensing.authority.limits.models import RateBucket
from licensing.authority.limits.rules import Rule, taken, wait
from licensing.document.errors import Code
from server.core import clock
from server.core.db import Database
from server.core.errors import TooMany
from server.core.i18n import gettext as _

_MOST_REMEMBERED = 10_000


class Exhausted(TooMany):
    """A bucket has no room (`E_RATE`); `full_at` is how it stands."""

    def __init__(self, rule: Rule, full_at: float, now: float) -> None:
        super().__init__(
            _("Too many requests. Please wait before the next one."),
            retry_after=wait(rule, full_at, now),
            code=Code.E_RATE.value,
        )
        self.key = rule.key
        self.full_at = full_at


def counted(rule: Rule, full_at: float) -> float:
    """Return a bucket with one request more in it, or raise Exhausted."""
    now = clock.now().timestamp()
    after = taken(rule, full_at, now)
    if after is None:
        raise Exhausted(rule, full_at, now)
    return after


def take(session: Session, rules: Sequence[Rule]) -> None:
    """Count one request under every rule, or raise Exhausted; then the caller counts none."""
    _take(session.connection(), rules, clock.now().timestamp())


def _take(connection: Connection, rules: Sequence[Rule], now: float) -> None:
    for rule in sorted(rules, key=lambda one: one.key):  # one order, so that nobody waits in a ring
        _fill(connection, rule, now)


def _filling(insert: Any, greatest: Any) -> Any:
    """Return the statement that reads, judges and writes at once, so that no two see the same bucket."""
    after = greatest(RateBucket.full_at, bindparam("now")) + bindparam("interval")
    values: dict[str, Any] = {"key": bindparam("bucket"), "full_at": bindparam("first")}
    return (
        insert(RateBucket)
        .values(values)
        .on_conflict_do_update(
            index_elements=["key"], set_={"full_at": after}, where=after <= bindparam("most")
        )
        .returning(RateBucket.full_at)
    )


_FILL = {
    "sqlite": _filling(sqlite.insert, func.max),
    "postgresql": _filling(postgresql.insert, func.greatest),
}
_FULL_AT = select(RateBucket.full_at).where(RateBucket.key == bindparam("bucket"))


def _fill(connection: Connection, rule: Rule, now: float) -> None:
    values: dict[str, str | float] = {
        "bucket": rule.key,
        "first": now + rule.interval,
        "now": now,
        "interval": rule.interval,
        "most": now + rule.burst * rule.interval + 1e-6,
    }
    if connection.execute(_FILL[connection.dialect.name], values).first() is None:
        full_at = connection.execute(_FULL_AT, {"bucket": rule.key}).scalar_one()
        raise Exhausted(rule, full_at, now)


def take_now(database: Database, rules: Sequence[Rule]) -> None:
    """Count a request at once, whatever becomes of it, or raise Exhausted."""
    with fleeting(database, alone=len(rules) == 1) as connection:
        _take(connection, rules, clock.now().timestamp())


class Turnstile:
    """Counts callers before anything else is done for them. One for each process.

    Whoever was refused is refused here without asking the database until the bucket has room again:
    a bucket only ever gets fuller by what other processes let in.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._full: dict[str, float] = {}

    def admit(self, rules: Sequence[Rule]) -> None:
        """Count a request at once, whatever becomes of it, or raise Exhausted."""
        now = clock.now().timestamp()
        for rule in rules:
            full_at = self._full.get(rule.key)
            if full_at is not None and taken(rule, full_at, now) is None:
                raise Exhausted(rule, full_at, now)
        try:
            take_now(self._database, rules)
        except Exhausted as refusal:
            if len(self._full) >= _MOST_REMEMBERED:
                self._full.clear()
            self._full[refusal.key] = refusal.full_at
            raise


def forget_full_buckets(database: Database) -> None:
    """Remove the rows that limit nobody any more."""
    with database.write() as session:
        session.execute(delete(RateBucket).where(RateBucket.full_at < clock.now().timestamp()))
