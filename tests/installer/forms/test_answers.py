"""Answers in a file."""

import pytest

from installer.forms.answers import read_answers
from installer.forms.rules import fill, open_form
from installer.forms.wording import FormError
from tests.installer.forms.cast import NOW, Delivery

FILE = """
representative = "مریم رضایی"
server_ready = true
users_trained = false
started_on = 2026-11-20
mail_set = { value = "not_applicable", note = "No relay yet", by = "Amir Kazemi" }
"""


def test_a_file_of_answers_fills_a_form(delivery: Delivery) -> None:
    answers = read_answers(FILE, by="مریم رضایی", at=NOW)

    form = fill(open_form("CL-OJ-05", delivery.reference, NOW), answers)

    values = {answer.item: answer.value for answer in form.answers}
    assert values == {
        "representative": "مریم رضایی",
        "server_ready": "done",
        "users_trained": "not_done",
        "started_on": "2026-11-20",
        "mail_set": "not_applicable",
    }
    skipped = form.answer("mail_set")
    assert skipped is not None
    assert skipped.by == "Amir Kazemi"


@pytest.mark.parametrize(
    "source", ["x = ", "x = 1.5", "x = [1]", "x = {note = 'a'}", "x = {value = 'a', more = 1}"]
)
def test_a_file_that_is_not_one_of_answers_is_refused(source: str) -> None:
    with pytest.raises(FormError) as refusal:
        read_answers(source, by="Amir", at=NOW)

    assert refusal.value.code == "bad_answers"
