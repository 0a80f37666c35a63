"""SMS over a real HTTP gateway: how a request looks, and what an answer means."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from server.core.letter_settings import Sms
from server.core.letters import Channel, Letter, Stage, Undelivered
from server.core.sms import SmsCarrier
from tests.support.certificates import make_certificate, serving_context
from tests.support.gateway import Gateway, running_gateway

KEY = 'k3y&=?"of gateway'
TEXT = 'سلام "آنا" & <ben>\n50% \\ {to}'
LETTER = Letter(Channel.SMS, "+989121234567", "", TEXT, "0123abcd")

Carry = Callable[..., SmsCarrier]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Give a running gateway."""
    with running_gateway() as running:
        yield running


@pytest.fixture
def carry(tmp_path: Path) -> Carry:
    """Return a function that makes a carrier from settings, beside a secret file."""
    (tmp_path / "sms.key").write_text(KEY)
    (tmp_path / "sms.key").chmod(0o600)

    def make(gateway: Gateway, path: str = "/send", **changes: object) -> SmsCarrier:
        sms = Sms(url=gateway.url + path, body='{"to":"{to}","text":"{text}"}', timeout_s=5)
        return SmsCarrier(
            replace(sms, **changes),  # type: ignore[arg-type] # names of settings
            home=tmp_path,
            secrets=tmp_path,
        )

    return make


def failure_of(carrier: SmsCarrier) -> Undelivered:
    with pytest.raises(Undelivered) as failure:
        carrier.send(LETTER)
    return failure.value


def test_places_are_escaped_in_json(gateway: Gateway, carry: Carry) -> None:
    carrier = carry(
        gateway,
        body='{"to": ["{to}"], "text": "{text}", "ref": "{id}", "key": "{secret}"}',
        headers=("Authorization: Bearer {secret}", "X-Ref: {id}"),
        secret_file="sms.key",
    )

    answer = carrier.send(LETTER)

    (asked,) = gateway.asked
    assert answer == "200 OK"
    assert (asked.method, asked.path) == ("POST", "/send")
    assert json.loads(asked.body) == {
        "to": ["+989121234567"],
        "text": TEXT,
        "ref": "0123abcd",
        "key": KEY,
    }
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.headers["X-Ref"] == "0123abcd"


def test_places_are_encoded_in_addresses(gateway: Gateway, carry: Carry) -> None:
    carrier = carry(
        gateway,
        "/{secret}/send.json?receptor={to}&message={text}&local={id}",
        method="GET",
        body="",
        secret_file="sms.key",
        number_format="national",
    )

    carrier.send(LETTER)

    (asked,) = gateway.asked
    parts = urlsplit(asked.path)
    assert parts.path == "/k3y%26%3D%3F%22of%20gateway/send.json"
    assert parse_qs(parts.query) == {
        "receptor": ["09121234567"],
        "message": [TEXT],
        "local": ["0123abcd"],
    }


def test_places_are_encoded_in_forms(gateway: Gateway, carry: Carry) -> None:
    carrier = carry(gateway, body="to={to}&msg={text}", body_format="form", number_format="zeros")

    carrier.send(LETTER)

    assert parse_qs(gateway.asked[0].body) == {"to": ["00989121234567"], "msg": [TEXT]}


def test_places_are_escaped_in_xml(gateway: Gateway, carry: Carry) -> None:
    carrier = carry(
        gateway, body='<sms to="{to}">{text}</sms>', body_format="xml", number_format="digits"
    )

    carrier.send(LETTER)

    body = gateway.asked[0].body
    assert body.startswith('<sms to="989121234567">سلام &quot;آنا&quot; &amp; &lt;ben&gt;')


@pytest.mark.parametrize(
    ("status", "stage", "permanent"),
    [
        (400, Stage.CONTENT, True),
        (422, Stage.CONTENT, True),
        (401, Stage.SIGN_IN, False),
        (403, Stage.SIGN_IN, False),
        (408, Stage.ANSWER, False),
        (429, Stage.ANSWER, False),
        (500, Stage.ANSWER, False),
        (503, Stage.ANSWER, False),
        (302, Stage.ANSWER, False),
    ],
)
def test_each_answer_is_told_by_its_meaning(
    gateway: Gateway, carry: Carry, status: int, stage: Stage, permanent: bool
) -> None:
    gateway.will_answer(status, "sorry", Retry_After="90", Location="/elsewhere")

    failure = failure_of(carry(gateway))

    assert (failure.stage, failure.permanent) == (stage, permanent)
    assert failure.answer == f"{status} sorry"
    assert len(gateway.asked) == 1
    assert failure.retry_after == (90 if stage is Stage.ANSWER else None)


def test_a_gateway_that_says_200_to_everything_is_asked_for_a_word(
    gateway: Gateway, carry: Carry
) -> None:
    carrier = carry(gateway, success_pattern='"status": *"sent"')
    gateway.will_answer(200, '{"status": "no credit"}')
    gateway.will_answer(200, '{"status": "sent"}')

    failure = failure_of(carrier)
    answer = carrier.send(LETTER)

    assert (failure.stage, failure.permanent) == (Stage.ANSWER, True)
    assert answer == '200 {"status": "sent"}'


def test_only_the_codes_that_were_named_are_success(gateway: Gateway, carry: Carry) -> None:
    gateway.will_answer(202, "later")

    assert failure_of(carry(gateway, success_status=("200", "201"))).stage is Stage.ANSWER


def test_neither_answers_nor_logs_tell_the_key(
    gateway: Gateway, carry: Carry, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    place = "?key={secret}&to={to}&text={text}"
    gateway.will_answer(500, f"echo {KEY}")
    nobody = Gateway(url=f"http://127.0.0.1:{port}")

    echoed = failure_of(carry(gateway, place, body="", secret_file="sms.key"))
    silent = failure_of(carry(nobody, place, body="", secret_file="sms.key"))

    assert echoed.answer == "500 echo •••"
    assert (silent.stage, silent.answer) == (Stage.CONNECTION, "Connection refused")
    assert "k3y" not in caplog.text + str(silent)


def test_a_name_that_nobody_knows_is_told(carry: Carry) -> None:
    failure = failure_of(carry(Gateway(url="http://sms.nowhere.invalid")))

    assert failure.stage is Stage.DNS


def test_a_gateway_with_a_certificate_of_the_house(carry: Carry, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "house.pem")
    with running_gateway(serving_context(certificate)) as gateway:
        stranger = failure_of(carry(gateway))
        carry(gateway, ca_bundle="house.pem").send(LETTER)

    assert stranger.stage is Stage.TLS
    assert len(gateway.asked) == 1


def test_probing_costs_no_message(gateway: Gateway, carry: Carry) -> None:
    assert carry(gateway).probe() == f"{gateway.url}/"
    assert gateway.asked == []


def test_a_missing_bundle_or_key_is_a_matter_of_the_settings(
    gateway: Gateway, carry: Carry
) -> None:
    assert failure_of(carry(gateway, ca_bundle="none.pem")).stage is Stage.SETTINGS
    assert failure_of(carry(gateway, secret_file="none.key")).stage is Stage.SETTINGS
    assert gateway.asked == []
