"""Pages of warnings: what was sent, who is told, and one's own choice."""

import html
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from server.core.db import Database
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.core.letters import Channel, Letter, Stage, Undelivered
from server.core.outbox import Message, OutgoingMessage, enqueue
from server.core.postman import Postman
from server.notices.queries import preference_of, representative
from server.notices.rules import PreferenceDraft, RepresentativeDraft
from tests.client_web.conftest import Visit, counted
from tests.server.conftest import Cast

RITA = {"name": "Rita", "email": "rita@example.com", "phone": "0912 123 4567", "locale": "fa"}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the pages show does not depend on its kind."""
    return sqlite_database


class Refusing:
    """A mail server that knows nobody called Ben; the border of the house."""

    def send(self, letter: Letter) -> str:
        if letter.to == "ben@example.com":
            raise Undelivered(Stage.RECIPIENT, "550 No such user", permanent=True)
        return "250 Kept"

    def probe(self) -> str:
        return "250 Here"


def put(database: Database, key: str, **changes: Any) -> int:
    values: dict[str, Any] = {
        "channel": "email",
        "to": "anna@example.com",
        "subject": "Daftar: the licence ends",
        "body": "Renew with the vendor.",
        "purpose": "license.term_ending",
        "addressee": "Anna",
    }
    with database.write() as session:
        enqueue(session, Message(once_key=key, **(values | changes)))
        found = select(OutgoingMessage.id).where(OutgoingMessage.once_key == key)
        return session.scalars(found).one()


def send(database: Database) -> None:
    carrying: Mapping[Channel, Refusing] = {Channel.EMAIL: Refusing()}
    Postman(database, carrying).work()


def rows(page: str) -> str:
    body = html.unescape(page).split('id="notices"')[1]
    return body.split("<tbody>")[-1].split("</tbody>")[0]


def test_before_the_first_message_the_page_says_what_will_stand_there(
    visit: Visit, cast: Cast
) -> None:
    page = visit(cast.root).read("/settings/notices")

    assert "Nothing was sent yet" in page
    assert "No mail server is configured" in page
    assert 'href="/settings/warnings"' in page


def test_each_message_is_listed_with_how_it_went(
    visit: Visit, database: Database, cast: Cast
) -> None:
    put(database, "one")
    put(database, "two", to="ben@example.com", addressee="Ben")
    put(database, "three", channel="sms", to="+989121234567", subject="")
    send(database)

    shown = rows(visit(cast.root).read("/settings/notices"))

    assert "Sent" in shown
    assert "Not delivered" in shown
    assert "The server refuses the recipient." in shown
    assert "Waiting" in shown
    assert "ben@example.com" in shown
    assert shown.count("<span>Send again<") == 2
    assert shown.count("<span>Send now<") == 1


@pytest.mark.parametrize(
    ("question", "there", "gone"),
    [
        ("filter[state]=failed", "ben@example.com", "anna@example.com"),
        ("filter[channel]=sms", "+989121234567", "anna@example.com"),
        ("filter[purpose]=test", "+989121234567", "ben@example.com"),
        ("filter[recipient]=ben@example.com", "ben@example.com", "anna@example.com"),
        ("filter[state]=sent&filter[channel]=sms", "No message fits these filters.", "anna"),
    ],
)
def test_the_record_is_narrowed(
    visit: Visit, database: Database, cast: Cast, question: str, there: str, gone: str
) -> None:
    put(database, "one")
    put(database, "two", to="ben@example.com", addressee="Ben")
    put(database, "three", channel="sms", to="+989121234567", subject="", purpose="test")
    send(database)

    page = html.unescape(visit(cast.root).read(f"/settings/notices?{question}"))

    assert there in page
    assert gone not in rows(page)


def test_a_wish_that_makes_no_sense_is_told(visit: Visit, cast: Cast) -> None:
    visitor = visit(cast.root)

    assert visitor.get("/settings/notices?filter[state]=lost").status_code == 422
    assert visitor.get("/settings/notices?sort=body").status_code == 422
    assert visitor.get("/settings/notices/999").status_code == 404


def test_a_long_record_costs_no_more_questions(
    visit: Visit, database: Database, cast: Cast
) -> None:
    visitor = visit(cast.root)
    put(database, "first")
    visitor.read("/settings/notices")
    with counted(database) as few:
        visitor.read("/settings/notices")
    for number in range(60):
        put(database, f"more {number}")
    with counted(database) as many:
        page = visitor.read("/settings/notices")

    assert len(many) == len(few)
    assert "cursor=" in page


def test_one_message_is_shown_with_its_text_and_the_servers_words(
    visit: Visit, database: Database, cast: Cast
) -> None:
    number = put(database, "two", to="ben@example.com", addressee="Ben")
    send(database)

    page = html.unescape(visit(cast.root).read(f"/settings/notices/{number}"))

    assert "Renew with the vendor." in page
    assert "550 No such user" in page
    assert "The term ends" in page


def test_the_text_of_a_door_opening_link_is_shown_to_nobody(
    visit: Visit, database: Database, cast: Cast
) -> None:
    number = put(database, "link", body="https://crm.example/choose-password/xyz", secret=True)
    visitor = visit(cast.root)
    waiting = visitor.read(f"/settings/notices/{number}")
    send(database)
    settled = visitor.read(f"/settings/notices/{number}")

    assert "choose-password/xyz" not in waiting + settled
    assert "Send again" not in settled
    assert visitor.post(f"/settings/notices/{number}/again").status_code == 409


def test_sending_again_leads_to_the_new_message(
    visit: Visit, database: Database, cast: Cast
) -> None:
    number = put(database, "one")
    send(database)
    visitor = visit(cast.root)

    answer = visitor.post(f"/settings/notices/{number}/again")

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/settings/notices/{number + 1}"
    assert "Sent again" in html.unescape(visitor.read("/audit"))


def test_the_representative_is_named_and_the_trail_tells_it(
    visit: Visit, database: Database, cast: Cast
) -> None:
    visitor = visit(cast.root)
    before = visitor.read("/settings/warnings")

    answer = visitor.post("/settings/warnings", **RITA)
    after = html.unescape(visitor.read("/settings/warnings"))

    assert "Email, until a representative is named" not in after
    assert 'value="rita@example.com"' not in before
    assert answer.status_code == 302
    assert 'value="rita@example.com"' in after
    with database.read() as session:
        assert representative(session) == RepresentativeDraft(
            "Rita", "rita@example.com", "+989121234567", "fa"
        )
    assert "Named the representative" in html.unescape(visitor.read("/audit"))


def test_what_does_not_fit_stays_in_the_form(visit: Visit, database: Database, cast: Cast) -> None:
    visitor = visit(cast.root)

    answer = visitor.post("/settings/warnings", **{**RITA, "email": "rita", "phone": "12"})

    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "“rita” is no email address." in page
    assert "is no telephone number" in page
    assert 'value="Rita"' in page
    with database.read() as session:
        assert representative(session) is None


def test_a_test_message_leads_to_its_page(visit: Visit, database: Database, cast: Cast) -> None:
    visitor = visit(cast.root)

    wrong = visitor.post("/settings/warnings/test", channel="email", to="nobody")
    answer = visitor.post("/settings/warnings/test", channel="email", to="root@example.com")
    send(database)
    page = html.unescape(visitor.read(answer.headers["Location"]))

    assert wrong.status_code == 422
    assert "is no email address" in html.unescape(wrong.get_data(as_text=True))
    assert "This is a test." in page
    assert "Sent" in page


def test_everybody_chooses_their_own_ways(visit: Visit, database: Database, cast: Cast) -> None:
    visitor = visit(cast.anna)
    first = visitor.read("/settings/profile/notices")

    wrong = visitor.post("/settings/profile/notices", by_sms="1", phone="12")
    answer = visitor.post("/settings/profile/notices", by_sms="1", phone="0912 000 0000")

    assert first.count("checked") == 2
    assert (wrong.status_code, answer.status_code) == (422, 302)
    with database.read() as session:
        assert preference_of(session, cast.anna.user_id or 0) == PreferenceDraft(
            by_email=False, by_sms=True, phone="+989120000000"
        )


def test_who_cannot_be_silenced_is_told_why(visit: Visit, cast: Cast) -> None:
    root, anna = visit(cast.root), visit(cast.anna)
    alone = html.unescape(root.read("/settings/profile/notices"))
    root.post("/settings/warnings", **{**RITA, "email": "Root@Example.com"})
    named = html.unescape(root.read("/settings/profile/notices"))

    assert "No representative is named." in alone
    assert "You are the representative who answers for the licence." in named
    assert "representative" not in html.unescape(anna.read("/settings/profile/notices"))


@pytest.mark.parametrize("path", ["/settings/notices", "/settings/notices/1", "/settings/warnings"])
def test_only_who_changes_the_settings_sees_the_record(visit: Visit, cast: Cast, path: str) -> None:
    assert visit(cast.anna).get(path).status_code == 403
    assert visit().get(path).status_code in {302, 401}


def test_a_locked_server_still_shows_who_was_told(
    visit: Visit, board: EntitlementsBoard, cast: Cast
) -> None:
    board.publish(Entitlements(mode="locked", reason="term_ended"))
    visitor = visit(cast.root)

    assert visitor.get("/settings/notices").status_code == 200
    assert visitor.post("/settings/warnings", **RITA).status_code == 302
