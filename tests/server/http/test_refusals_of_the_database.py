"""What a database says when it refuses goes to the log; the values and rows it names do not."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.core.db import Database
from server.http.app import DaftarFlask
from server.http.errors import on_integrity
from server.users.models import User
from server.users.rules import Role, UserKind, UserStatus
from tests.server.conftest import Cast


def test_a_refused_change_is_logged_without_its_row(
    app: DaftarFlask, database: Database, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(IntegrityError) as refusal, database.write(cast.root) as session:
        session.add(
            User(
                email_key="anna@example.com",
                display_name="Anna",
                role=Role.SALES,
                kind=UserKind.HUMAN,
                status=UserStatus.ACTIVE,
            )
        )

    with app.test_request_context("/api/v1/users", method="POST"):
        answer = app.make_response(on_integrity(refusal.value))

    assert answer.status_code == 409
    line = next(one for one in caplog.records if "refused a change" in one.message)
    assert "email_key" in line.__dict__["reason"]
    assert "anna@example.com" not in f"{line.__dict__['reason']} {caplog.text}"


def test_errors_hide_the_values_of_their_statement(database: Database) -> None:
    with pytest.raises(DBAPIError) as fault, database.write() as session:
        session.execute(text("SELECT 1 FROM nowhere WHERE secret = :word"), {"word": "open-sesame"})

    assert "open-sesame" not in str(fault.value)
