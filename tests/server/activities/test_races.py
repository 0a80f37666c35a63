"""Two people at once, in processes of their own."""

from server.activities import queries, service
from server.activities.models import Activity
from server.activities.rules import Target
from server.audit.queries import history_of
from server.audit.service import watch
from server.core.actor import Actor
from server.core.db import Database
from tests.server.activities.conftest import Writing
from tests.server.conftest import Cast
from tests.support.racing import race


def _tick(url: str, actor: Actor, task: int) -> int | None:
    database = Database(url)
    watch(database)
    try:
        with database.write(actor) as session:
            return service.set_done(session, actor, task, done=True).done_by_id
    finally:
        database.dispose()


def test_of_people_who_tick_at_once_one_did_it_and_all_are_told_who(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    task = write_down(cast.anna, company, owner_id=cast.ben.user_id)
    people = [cast.anna, cast.ben, cast.root] * 2

    told = race(database, _tick, [(database.url, actor, task) for actor in people])

    with database.read() as session:
        kept = session.get_one(Activity, task)
        ticks = [one for one in history_of(session, "activity", task) if one.action == "update"]
        past = queries.timeline_of(session, cast.anna, "company", company.record_id).past
    assert set(told) == {kept.done_by_id}
    assert [one.user_id for one in ticks] == [kept.done_by_id]
    assert [one.id for one in past] == [task]
