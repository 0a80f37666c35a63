"""`daftar notify`: a test message that arrives, or the step that failed."""

import json

import pytest

from tests.installer.place import Place
from tests.support.gateway import running_gateway
from tests.support.mail import MailServer, Manners, running_mail_server
from tests.support.ports import free_port


def configure(place: Place, text: str) -> None:
    """Replace the sections of mail and SMS in the settings."""
    file = place.home / "daftar.toml"
    head, _mark, rest = file.read_text().partition("[mail]")
    tail = rest[rest.index("[log]") :]
    file.write_text(f"{head}{text}\n{tail}")


def mail_to(server: MailServer, more: str = "") -> str:
    return (
        f'[mail]\nhost = "{server.host}"\nport = {server.port}\nsecurity = "none"\n'
        f'from_address = "crm@pars.example"\ntimeout_s = 5\n{more}'
    )


def test_a_test_mail_arrives_and_stands_on_record(
    installed: Place, mail_server: MailServer
) -> None:
    configure(installed, mail_to(mail_server))

    result = installed.run("notify", "test", "--mail", "anna@example.com")
    listed = json.loads(installed.run("notify", "list", "--json").stdout)["items"]

    (kept,) = mail_server.wait_for(1)
    assert (result.exit_code, kept["to"]) == (0, "anna@example.com")
    assert "250 Kept" in result.stdout
    assert [(one["state"], one["purpose"], one["to"]) for one in listed] == [
        ("sent", "test", "anna@example.com")
    ]
    assert "anna@example.com  test  Sent" in installed.run("notify", "list").stdout


def test_a_persian_terminal_sends_a_persian_message(
    installed: Place, mail_server: MailServer
) -> None:
    configure(installed, mail_to(mail_server))

    installed.run("notify", "test", "--mail", "anna@example.com", LANG="fa_IR.UTF-8")

    (kept,) = mail_server.wait_for(1)
    assert kept["content-language"] == "fa"
    assert 'dir="rtl"' in list(kept.iter_parts())[1].get_content()


@pytest.mark.parametrize(
    ("refusals", "code", "words"),
    [
        ({"RCPT": ["550 5.1.1 No such user"]}, 1, ("recipient", "550 5.1.1 No such user")),
        ({"RCPT": ["450 4.2.1 Greylisted"]}, 1, ("recipient", "450 4.2.1 Greylisted")),
        ({"MAIL": ["550 5.7.1 Not you"]}, 1, ("from_address", "550 5.7.1 Not you")),
        ({"DATA": ["hang up"]}, 5, ("does not answer",)),
    ],
)
def test_a_refusal_is_told_with_the_servers_words(
    installed: Place, refusals: dict[str, list[str]], code: int, words: tuple[str, ...]
) -> None:
    with running_mail_server(Manners(refusals=refusals)) as server:
        configure(installed, mail_to(server))
        result = installed.run("notify", "test", "--mail", "anna@example.com")
    listed = json.loads(installed.run("notify", "list", "--json").stdout)["items"]

    assert result.exit_code == code
    assert all(word in result.stderr for word in words)
    assert [one["state"] for one in listed] == ["failed"]


def test_the_line_to_the_server_is_examined_step_by_step(installed: Place) -> None:
    nobody = MailServer()
    configure(installed, mail_to(nobody))
    refused = installed.run("notify", "test", "--mail", "anna@example.com")
    configure(installed, mail_to(nobody).replace(nobody.host, "mail.nowhere.invalid"))
    unknown = installed.run("notify", "test", "--mail", "anna@example.com")
    with running_mail_server() as server:
        configure(installed, mail_to(server).replace('"none"', '"starttls"'))
        no_tls = installed.run("notify", "test", "--mail", "anna@example.com")

    assert [result.exit_code for result in (refused, unknown, no_tls)] == [5, 5, 5]
    assert "does not answer" in refused.stderr
    assert "cannot be resolved" in unknown.stderr
    assert "STARTTLS" in no_tls.stderr


def test_a_test_sms_reaches_the_gateway(installed: Place) -> None:
    with running_gateway() as gateway:
        configure(
            installed,
            f'[sms]\nurl = "{gateway.url}/send"\nnumber_format = "national"\n'
            'body = \'{"to": "{to}", "text": "{text}"}\'',
        )
        gateway.will_answer(402, "no credit")
        poor = installed.run("notify", "test", "--sms", "0912 123 4567")
        rich = installed.run("notify", "test", "--sms", "0912 123 4567")

    assert (poor.exit_code, rich.exit_code) == (1, 0)
    assert "402 no credit" in poor.stderr
    assert json.loads(gateway.asked[1].body)["to"] == "09121234567"


def test_without_a_mail_server_the_way_out_is_named(installed: Place) -> None:
    result = installed.run("notify", "test", "--mail", "anna@example.com")
    empty = installed.run("notify", "list")

    assert result.exit_code == 3
    assert "[mail]" in result.stderr
    assert "Nothing was sent yet." in empty.stdout


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--mail", "a@example.com", "--sms", "09121234567"),
        ("--mail", "nobody"),
        ("--sms", "12"),
    ],
)
def test_wrong_usage_is_told(installed: Place, words: tuple[str, ...]) -> None:
    result = installed.run("notify", "test", *words)

    assert result.exit_code == 2
    assert result.stderr.strip()


def test_the_doctor_tries_mail_and_sms_without_sending(installed: Place) -> None:
    with running_mail_server() as server, running_gateway() as gateway:
        sms = f'[sms]\nurl = "{gateway.url}/send?to={{to}}&text={{text}}"\nmethod = "GET"'
        configure(installed, f"{mail_to(server)}\n{sms}")
        well = statuses(installed)
        messages, asked = list(server.messages), list(gateway.asked)
    ill = statuses(installed)
    configure(installed, "")
    bare = statuses(installed)

    assert (messages, asked) == ([], [])
    assert [state["mail"] for state in (well, ill, bare)] == ["pass", "warn", "warn"]
    assert [state["sms"] for state in (well, ill, bare)] == ["pass", "warn", "skip"]


def test_the_doctor_warns_of_what_was_not_delivered(installed: Place) -> None:
    with running_mail_server(Manners(refusals={"RCPT": ["550 No"]})) as server:
        configure(installed, mail_to(server))
        installed.run("notify", "test", "--mail", "anna@example.com")

        assert statuses(installed)["mail"] == "warn"


def test_the_doctor_warns_of_a_key_that_travels_in_the_open(installed: Place) -> None:
    url = f"http://gateway.nowhere.invalid:{free_port()}/?k={{secret}}&to={{to}}&t={{text}}"
    configure(installed, f'[sms]\nurl = "{url}"\nmethod = "GET"\nsecret_file = "sms.key"')

    checks = {check["id"]: check for check in examined(installed)}

    assert "unencrypted" in checks["sms"]["detail"]


def examined(place: Place) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(place.run("doctor", "--json").stdout)["checks"]
    return found


def statuses(place: Place) -> dict[str, str]:
    return {check["id"]: check["status"] for check in examined(place)}
