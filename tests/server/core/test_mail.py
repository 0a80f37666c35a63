"""Mail over a real SMTP server: what arrives, and which step is named when it does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from server.core.i18n import use_locale
from server.core.letter_settings import Mail
from server.core.letter_text import write_letter
from server.core.letters import Channel, Letter, Stage, Undelivered
from server.core.mail import MailCarrier
from tests.support.certificates import make_certificate, serving_context
from tests.support.mail import MailServer, Manners, running_mail_server

LETTER = Letter(
    channel=Channel.EMAIL,
    to="anna@example.com",
    subject="یادآوری",
    body="سلام آنا",
    html='<html dir="rtl"><body>سلام آنا</body></html>',
    locale="fa",
    reference="0123abcd",
)

Carry = Callable[..., MailCarrier]


@pytest.fixture
def carry(tmp_path: Path) -> Carry:
    """Return a function that makes a carrier to a mail server, with a password when it is given."""

    def make(server: MailServer, *, password: str = "", **changes: object) -> MailCarrier:
        mail = Mail(
            host=server.host,
            port=server.port,
            security="none",
            from_address="crm@pars.example",
            from_name="دفتر",
            timeout_s=5,
        )
        if password:
            file = tmp_path / "mail.password"
            file.write_text(f"{password}\n")
            file.chmod(0o600)
            mail = replace(mail, user="daftar", password_file=file.name)
        return MailCarrier(
            replace(mail, **changes),  # type: ignore[arg-type] # names of settings
            home=tmp_path,
            secrets=tmp_path,
        )

    return make


def failure_of(carrier: MailCarrier, letter: Letter = LETTER) -> Undelivered:
    with pytest.raises(Undelivered) as failure:
        carrier.send(letter)
    return failure.value


def test_a_persian_letter_arrives_in_both_forms(mail_server: MailServer, carry: Carry) -> None:
    answer = carry(mail_server).send(LETTER)

    (kept,) = mail_server.wait_for(1)
    plain, html = kept.iter_parts()
    assert answer == "250 Kept"
    assert (kept["subject"], kept["to"], kept["from"]) == (
        "یادآوری",
        "anna@example.com",
        "دفتر <crm@pars.example>",
    )
    assert kept["message-id"] == "<0123abcd@pars.example>"
    assert (kept["auto-submitted"], kept["content-language"]) == ("auto-generated", "fa")
    assert plain.get_content().strip() == "سلام آنا"
    assert 'dir="rtl"' in html.get_content()


def test_the_same_letter_has_the_same_message_id_again(
    mail_server: MailServer, carry: Carry
) -> None:
    carrier = carry(mail_server)

    carrier.send(LETTER)
    carrier.send(LETTER)

    assert {kept["message-id"] for kept in mail_server.wait_for(2)} == {"<0123abcd@pars.example>"}


@pytest.mark.parametrize(
    ("step", "answer", "stage", "permanent"),
    [
        ("MAIL", "451 4.3.0 Come back", Stage.SENDER, False),
        ("MAIL", "550 5.7.1 You may not send as crm", Stage.SENDER, True),
        ("RCPT", "450 4.2.1 Greylisted", Stage.RECIPIENT, False),
        ("RCPT", "550 5.1.1 No such user", Stage.RECIPIENT, True),
        ("DATA", "452 4.3.1 The disk is full", Stage.CONTENT, False),
        ("DATA", "554 5.6.0 Looks like spam", Stage.CONTENT, True),
        ("RCPT", "421 4.3.2 Going down", Stage.CONNECTION, False),
        ("RCPT", "hang up", Stage.CONNECTION, False),
        ("DATA", "hang up", Stage.CONNECTION, False),
    ],
)
def test_each_refusal_is_told_by_its_step(
    carry: Carry, step: str, answer: str, stage: Stage, permanent: bool
) -> None:
    with running_mail_server(Manners(refusals={step: [answer]})) as server:
        failure = failure_of(carry(server))

    assert (failure.stage, failure.permanent) == (stage, permanent)
    assert answer == "hang up" or failure.answer == answer
    assert server.messages == []


def test_a_server_that_is_not_there_is_told_from_a_name_that_is_not(
    carry: Carry, port: int
) -> None:
    nobody = MailServer()

    assert failure_of(carry(nobody)).stage is Stage.CONNECTION
    assert failure_of(carry(nobody, host="mail.nowhere.invalid")).stage is Stage.DNS


def test_who_knows_the_password_may_send(carry: Carry) -> None:
    with running_mail_server(Manners(password="open-sesame-5")) as server:
        carrier = carry(server, password="open-sesame-5")

        assert carrier.probe().startswith("250")
        carrier.send(LETTER)

        server.wait_for(1)


def test_a_wrong_password_is_a_failed_sign_in_that_may_be_mended(carry: Carry) -> None:
    with running_mail_server(Manners(password="open-sesame-5")) as server:
        failure = failure_of(carry(server, password="wrong-sesame-5"))

    assert (failure.stage, failure.permanent) == (Stage.SIGN_IN, False)
    assert "wrong-sesame-5" not in str(failure)


def test_a_password_that_others_can_read_is_not_used(carry: Carry, tmp_path: Path) -> None:
    with running_mail_server(Manners(password="open-sesame-5")) as server:
        carrier = carry(server, password="open-sesame-5")
        (tmp_path / "mail.password").chmod(0o640)

        failure = failure_of(carrier)

    assert failure.stage is Stage.SETTINGS
    assert "chmod 600" in failure.answer


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_with_a_certificate_of_the_house(carry: Carry, tmp_path: Path, security: str) -> None:
    certificate = make_certificate(tmp_path / "house.pem")
    context = serving_context(certificate)
    manners = Manners(starttls=context) if security == "starttls" else Manners(tls=context)
    with running_mail_server(manners) as server:
        stranger = failure_of(carry(server, security=security))
        carry(server, security=security, ca_bundle="house.pem").send(LETTER)

        assert stranger.stage is Stage.TLS
        assert len(server.wait_for(1)) == 1


def test_a_server_without_starttls_gets_nothing(mail_server: MailServer, carry: Carry) -> None:
    failure = failure_of(carry(mail_server, security="starttls"))

    assert failure.stage is Stage.TLS
    assert "STARTTLS" in failure.answer
    assert mail_server.messages == []


@pytest.mark.parametrize("to", ["anna@example.com\nBcc: ben@example.com", "nobody", ""])
def test_what_is_no_address_never_reaches_the_server(
    mail_server: MailServer, carry: Carry, to: str
) -> None:
    failure = failure_of(carry(mail_server), replace(LETTER, to=to))

    assert (failure.stage, failure.permanent) == (Stage.RECIPIENT, True)
    assert mail_server.messages == []


def test_a_letter_is_written_in_the_direction_of_its_language() -> None:
    with use_locale("fa"):
        written = write_letter(
            "یادآوری",
            ["یک <دو>"],
            link=("باز کنید", "https://crm.example/a?b=1&c=2"),
            footer=["چرا"],
        )

    assert written.locale == "fa"
    assert 'lang="fa" dir="rtl"' in written.html
    assert "یک &lt;دو&gt;" in written.html
    assert 'href="https://crm.example/a?b=1&amp;c=2"' in written.html
    assert written.body == "یک <دو>\n\nباز کنید\nhttps://crm.example/a?b=1&c=2\n\n-- \nچرا"
