"""Timelines and tasks without a browser: fragments, forms that do not fit, permissions, numbers of queries."""

from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from server.activities import queries, service
from server.activities.models import Activity
from server.activities.rules import ActivityDraft, ActivityKind, Target
from server.companies.rules import CompanyDraft
from server.companies.service import create_company
from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.deals import queries as deals
from server.deals.pipelines import ensure_default_pipeline
from server.deals.rules import DealDraft
from server.deals.service import Step, create_deal, move_deal
from tests.client_web.activities.conftest import written
from tests.client_web.conftest import Visit, Visitor, counted
from tests.server.conftest import Cast

DAY = timedelta(days=1)


def htmx(visitor: Visitor, address: str, **fields: object) -> TestResponse:
    if not visitor.token:
        visitor.get("/tasks")
    data = {"csrf_token": visitor.token, **fields}
    return visitor.client.post(address, data=data, headers={"HX-Request": "true"})


def compose(visitor: Visitor, company: Target, **fields: object) -> TestResponse:
    here = f"company:{company.record_id}"
    return htmx(visitor, "/activities", links=here, here=here, **fields)


def only(database: Database) -> Activity:
    with database.read() as session:
        (found,) = session.query(Activity).all()
        return found


def test_a_note_answers_itself_and_a_task_the_list_of_what_is_planned(
    anna: Visitor, company: Target
) -> None:
    note = compose(anna, company, kind="note", body="They liked it")
    task = compose(anna, company, kind="task", subject="Send the offer")

    assert note.status_code == 200
    assert "HX-Retarget" not in note.headers
    assert note.get_data(as_text=True).count('class="k-event"') == 1
    assert task.headers["HX-Retarget"] == "#timeline-planned"
    assert "Send the offer" in task.get_data(as_text=True)
    page = anna.read(f"/companies/{company.record_id}")
    assert page.index("Send the offer") < page.index("They liked it")


def test_a_call_without_a_date_has_just_taken_place(
    anna: Visitor, company: Target, database: Database
) -> None:
    compose(anna, company, kind="call", subject="Asked for the price")

    call = only(database)
    assert call.done_at is not None
    assert clock.now() - call.done_at < timedelta(minutes=5)


def test_what_does_not_fit_is_said_and_nothing_is_swapped_in(
    anna: Visitor, company: Target
) -> None:
    for fields in (
        {"kind": "task"},
        {"kind": "dance"},
        {"kind": "task", "subject": "X", "due_at": "someday"},
    ):
        refused = compose(anna, company, **fields)
        assert refused.status_code == 422, fields
        assert refused.headers["HX-Reswap"] == "none"
        assert '"danger"' in refused.headers["HX-Trigger"]


def test_a_quick_task_without_a_subject_comes_back_as_a_form(anna: Visitor) -> None:
    answer = anna.post("/activities", kind="task", subject=" ")

    assert answer.status_code == 422
    assert "A task needs a subject" in answer.get_data(as_text=True)


def test_a_task_is_ticked_and_opened_again(
    anna: Visitor, cast: Cast, company: Target, database: Database
) -> None:
    task = written(database, cast.anna, company)

    ticked = htmx(anna, f"/activities/{task}/done", done=["0", "1"]).get_data(as_text=True)
    assert "k-event-done" in ticked
    assert only(database).done_at is not None
    opened = htmx(anna, f"/activities/{task}/done?as=row", done="0").get_data(as_text=True)
    assert opened.lstrip().startswith("<tr")
    assert only(database).done_at is None


def test_a_deleted_activity_offers_to_come_back(
    anna: Visitor, cast: Cast, company: Target, database: Database
) -> None:
    task = written(database, cast.anna, company)

    gone = htmx(anna, f"/activities/{task}/delete").get_data(as_text=True)
    assert f"/activities/{task}/restore" in gone
    assert "Call back" in anna.read("/activities/bin")
    back = htmx(anna, f"/activities/{task}/restore").get_data(as_text=True)
    assert f'id="activity-{task}"' in back
    assert only(database).deleted_at is None


def test_a_colleague_sees_but_cannot_change(
    visit: Visit, cast: Cast, company: Target, database: Database
) -> None:
    task = written(database, cast.anna, company)
    ben = visit(cast.ben)

    page = ben.read(f"/companies/{company.record_id}")
    refused = htmx(ben, f"/activities/{task}/done", done="1")

    assert "Call back" in page
    assert f"/activities/{task}/done" not in page
    assert refused.status_code == 403
    assert "belongs to a colleague" in refused.headers["HX-Trigger"]


def test_a_guest_reads_and_is_offered_nothing_to_write(
    visit: Visit, cast: Cast, company: Target, database: Database
) -> None:
    written(database, cast.anna, company)
    guest = visit(cast.guest)

    page = guest.read(f"/companies/{company.record_id}")
    tasks = guest.read("/tasks?who=all")

    assert "Call back" in page
    assert "data-composer" not in page
    assert "Call back" in tasks
    assert "quick-task" not in tasks
    assert guest.post("/activities", kind="note", body="x").status_code == 403


def test_a_change_of_an_old_version_shows_both(
    anna: Visitor, cast: Cast, database: Database
) -> None:
    task = written(database, cast.anna)
    form = {"kind": "task", "subject": "Mine", "version": "1", "owner_id": cast.anna.user_id}
    with database.write(cast.root) as session:
        draft = service.draft_of(session, queries.get_activity(session, cast.root, task))
        service.change_activity(session, cast.root, task, replace(draft, subject="Theirs"))

    refused = anna.post(f"/activities/{task}/edit", **form)
    text = refused.get_data(as_text=True)

    assert refused.status_code == 412
    assert "Mine" in text
    assert "Theirs" in text
    assert "Root" in text
    saved = anna.post(f"/activities/{task}/edit", **{**form, "version": "2"})
    assert saved.status_code == 302
    assert only(database).subject == "Mine"


def test_the_form_links_records_and_gives_the_task_to_a_colleague(
    anna: Visitor, cast: Cast, company: Target, database: Database
) -> None:
    here = f"company:{company.record_id}"
    assert "Pars" in anna.read(f"/activities/new?here={here}")
    answer = anna.post(
        "/activities/new",
        kind="meeting",
        subject="Visit",
        due_at="2026-11-22T14:30",
        owner_id=cast.ben.user_id,
        links=[here],
        here=here,
    )

    assert answer.headers["Location"] == f"/companies/{company.record_id}"
    meeting = only(database)
    assert (meeting.kind, meeting.owner_id) == (ActivityKind.MEETING, cast.ben.user_id)
    with database.read() as session:
        assert queries.targets_of(session, [meeting.id])[meeting.id] == (company,)
    assert "Pars" in anna.read(f"/activities/{meeting.id}")
    found = anna.client.get("/activities/records?q=par").json or []
    assert found == [{"value": here, "text": "Pars", "hint": "Company"}]


def test_the_task_list_has_its_parts(anna: Visitor, cast: Cast, database: Database) -> None:
    now = clock.now()
    written(database, cast.anna, subject="Late one", due_at=now - DAY)
    written(database, cast.anna, subject="Far one", due_at=now + 3 * DAY)
    written(database, cast.anna, subject="Done one", done_at=now - DAY)
    written(database, cast.anna, subject="Given away", owner_id=cast.ben.user_id)
    written(database, cast.anna, subject="A note", kind=ActivityKind.NOTE)

    def shown(query: str) -> set[str]:
        page = anna.read(f"/tasks?{query}")
        names = ("Late one", "Far one", "Done one", "Given away", "A note")
        return {name for name in names if name in page}

    assert shown("") == {"Late one", "Far one"}
    assert shown("show=overdue") == {"Late one"}
    assert shown("show=today") == set()
    assert shown("show=upcoming") == {"Far one"}
    assert shown("show=done") == {"Done one"}
    assert shown("who=all") == {"Late one", "Far one", "Given away"}
    assert shown("q=far") == {"Far one"}
    assert shown("show=nonsense") == {"Late one", "Far one"}


@pytest.mark.parametrize("where", ["/tasks", "/companies/{id}", "/"])
def test_a_longer_list_asks_no_more_questions(
    anna: Visitor, cast: Cast, company: Target, database: Database, where: str
) -> None:
    def questions() -> int:
        with counted(database) as seen:
            anna.read(where.format(id=company.record_id))
        return len(seen)

    now = clock.now()
    written(database, cast.anna, company, due_at=now - DAY)
    written(database, cast.anna, company, kind=ActivityKind.NOTE)
    before = questions()
    drafts = [
        ActivityDraft(kind, "More", due_at=now - DAY, owner_id=owner.user_id, links=(company,))
        for kind in ActivityKind
        for owner in (cast.anna, cast.ben)
    ]
    with database.write(cast.anna) as session:
        service.create_activities(session, cast.anna, drafts)

    assert questions() == before


def test_a_long_timeline_goes_on_where_the_page_ended(
    anna: Visitor, cast: Cast, company: Target, database: Database
) -> None:
    now = clock.now()
    with database.write(cast.anna) as session:
        drafts = [
            ActivityDraft(
                ActivityKind.CALL, f"Call number {n}.", done_at=now - n * DAY, links=(company,)
            )
            for n in range(40)
        ]
        service.create_activities(session, cast.anna, drafts)

    page = anna.read(f"/companies/{company.record_id}")
    more = page.split('hx-get="/activities/timeline')[1].split('"')[0].replace("&amp;", "&")
    rest = anna.read(f"/activities/timeline{more}")

    def numbers(text: str) -> set[int]:
        return {n for n in range(40) if f"<bdi>Call number {n}.</bdi>" in text}

    assert numbers(page) == set(range(30))
    assert numbers(rest) == set(range(30, 40))
    assert "/activities/timeline" not in rest
    assert (
        page.count("The record was written down") + rest.count("The record was written down") == 1
    )
    assert anna.get("/activities/timeline?kind=company&record_id=1&until=x").status_code == 422
    assert (
        anna.get(f"/activities/timeline?kind=planet&until={now.isoformat()[:19]}Z").status_code
        == 422
    )


def test_a_deals_timeline_tells_of_its_moves(anna: Visitor, cast: Cast, database: Database) -> None:
    with database.write(SYSTEM) as session:
        pipeline = ensure_default_pipeline(session, SYSTEM, "en")
        stages = deals.stages_of(session, SYSTEM, pipeline.id)
    with database.write(cast.anna) as session:
        deal = create_deal(session, cast.anna, DealDraft(title="Pumps", currency="USD", amount=1))
        move_deal(session, cast.anna, deal.id, Step(stages[1].id))

    page = anna.read(f"/deals/{deal.id}")

    assert f"From {stages[0].name} to {stages[1].name}" in page
    assert "The record was written down" in page


def test_the_records_of_a_task_stand_apart(
    anna: Visitor, cast: Cast, company: Target, database: Database
) -> None:
    with database.write(cast.anna) as session:
        other = create_company(session, cast.anna, CompanyDraft(name="Qom"))
        links = (company, Target("company", other.id))
    written(database, cast.anna, *links)

    row = anna.read("/tasks").split('class="k-sub"')[1].split("</span>")[0]

    assert "Pars</bdi></a> · <a" in row
