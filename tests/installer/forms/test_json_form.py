"""Forms as JSON: exact both ways, and nothing unexpected is read."""

import json

import pytest

from installer.forms.json_form import from_json, to_json
from installer.forms.wording import FormError
from tests.installer.forms.cast import Delivery


def test_a_form_comes_back_from_json_as_it_was(delivery: Delivery) -> None:
    form = delivery.checklist()

    assert from_json(to_json(form)) == form


def test_the_json_names_the_content_hash(delivery: Delivery) -> None:
    form = delivery.checklist()

    assert json.loads(to_json(form))["content_sha256"] == form.content_hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version":1', '"version":1.0'),
        ('"version":1', '"version":true'),
        ('"version":1', '"version":1,"version":1'),
        ('"version":1', '"version":1,"extra":""'),
        ('"format":1', '"format":2'),
        ('"reference":"lic_01"', '"reference":7'),
        ('"reference":"lic_01",', ""),
        ('"2026-11-22T09:15:00Z"', '"2026-11-22"'),
        ("شرکت سپهر", "شرکت دیگر"),
        ('"status":"pass"', '"status":"maybe"'),
    ],
)
def test_json_that_is_not_exactly_a_form_is_refused(delivery: Delivery, old: str, new: str) -> None:
    text = to_json(delivery.checklist())
    assert old in text

    with pytest.raises(FormError) as refusal:
        from_json(text.replace(old, new, 1))

    assert refusal.value.code == "bad_json"


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000])
def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(FormError):
        from_json(text)
