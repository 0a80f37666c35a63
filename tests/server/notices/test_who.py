"""Who is told: naming the representative, trying messages out, and who may do so."""

from dataclasses import replace

import pytest

from server.core.db import Database
from server.core.errors import Invalid, NotAllowed
from server.notices.rules import RepresentativeDraft
from server.notices.service import name_representative, send_again, send_test
from tests.server.notices.conftest import NOON, RITA, House, term_ending


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; who is refused does not depend on its kind."""
    return sqlite_database


def test_only_who_changes_the_settings_names_the_representative(house: House) -> None:
    with pytest.raises(NotAllowed), house.database.write() as session:
        name_representative(session, house.cast.anna, RITA)
    with pytest.raises(NotAllowed), house.database.write() as session:
        send_test(session, house.cast.anna, "email", "anna@example.com")
    with pytest.raises(NotAllowed), house.database.write() as session:
        send_again(session, house.cast.anna, 1)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": " "}, {"name"}),
        ({"email": "rita"}, {"email"}),
        ({"email": ""}, {"email"}),
        ({"phone": "12"}, {"phone"}),
        ({"locale": "de"}, {"locale"}),
        (
            {"name": "", "email": "x", "phone": "y", "locale": ""},
            {"name", "email", "phone", "locale"},
        ),
    ],
)
def test_a_representative_who_cannot_be_reached_is_refused(
    house: House, change: dict[str, str], fields: set[str]
) -> None:
    with pytest.raises(Invalid) as refusal:
        house.name(replace(RITA, **change))

    assert {error.field for error in refusal.value.errors} == fields


def test_a_representative_needs_no_telephone(house: House) -> None:
    house.name(RepresentativeDraft("Rita", "rita@example.com", "", "fr"))
    house.tell(term_ending(NOON, 8))

    assert ("email", "rita@example.com") in house.sent_to()
    assert all(channel == "email" for channel, _to in house.sent_to())


def test_a_test_message_and_sending_again_stand_on_record(house: House) -> None:
    root = house.cast.root
    with house.database.write(root) as session:
        first = send_test(session, root, "sms", "0912 123 4567")
    with pytest.raises(Invalid) as refusal, house.database.write(root) as session:
        send_test(session, root, "email", "nobody")
    with pytest.raises(Invalid), house.database.write(root) as session:
        send_test(session, root, "pigeon", "anna@example.com")
    with house.database.write(root) as session:
        same = send_again(session, root, first)

    assert same == first
    assert refusal.value.field == "to"
    assert [(one.purpose, one.recipient) for one in house.messages()] == [("test", "+989121234567")]
