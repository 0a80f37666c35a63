"""`daftar.toml`: read once, checked at start, refused loudly with the place and the way out."""

from pathlib import Path

import pytest

from server.core.config import Web, load_settings, read_secret
from server.core.errors import Invalid, Missing


def home_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "daftar.toml").write_text(text, encoding="utf8")
    return tmp_path


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(home_with(tmp_path, ""))

    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8000)
    assert settings.database_url == f"sqlite:///{tmp_path}/data/db/daftar.sqlite3"
    assert (settings.organization.locale, settings.organization.currency) == ("fa", "IRR")


def test_what_is_written_counts(tmp_path: Path) -> None:
    settings = load_settings(
        home_with(
            tmp_path,
            """
            [web]
            port = 8080
            trusted_proxies = ["127.0.0.1"]
            [database]
            url = "postgresql+psycopg://daftar@/daftar"
            [paths]
            data = "/srv/daftar"
            """,
        )
    )

    assert (settings.web.port, settings.web.trusted_proxies) == (8080, ("127.0.0.1",))
    assert settings.database_url == "postgresql+psycopg://daftar@/daftar"
    assert settings.license_dir == Path("/srv/daftar/license")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[web]\nprot = 1", "web.prot"),
        ("[wbe]\nport = 1", "wbe"),
        ("web = 1", "web"),
        ('[web]\nport = "8000"', "web.port"),
        ("[web]\nport = 70000", "web.port"),
        ("[web]\nport = true", "web.port"),
        ("[web]\nprocesses = 0", "web.processes"),
        ("[web]\ntrusted_proxies = [1]", "web.trusted_proxies"),
        ('[organization]\nlocale = "de"', "organization.locale"),
        ('[organization]\ntimezone = "Tehran"', "organization.timezone"),
        ('[organization]\ntimezone = "../etc"', "organization.timezone"),
        ('[backup]\ntime = "25:00"', "backup.time"),
        ('[log]\nlevel = "LOUD"', "log.level"),
        ("[security]\nargon2_rounds = 0", "security"),
        ('home = "/elsewhere"', "home"),
    ],
)
def test_what_is_not_right_is_named(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(Invalid) as refusal:
        load_settings(home_with(tmp_path, text))

    assert refusal.value.field == place
    assert place in refusal.value.message


@pytest.mark.parametrize("raw", [b"[web", b"\xff\xfe"])
def test_a_damaged_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "daftar.toml").write_bytes(raw)

    with pytest.raises(Invalid, match="no valid TOML"):
        load_settings(tmp_path)


def test_without_a_file_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="daftar install"):
        load_settings(tmp_path)


def test_a_missing_secret_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"secrets/web\.key"):
        read_secret(tmp_path / "secrets", "web.key")


@pytest.mark.parametrize(
    ("web", "proxies"),
    [
        (Web(), ()),
        (Web(trusted_proxies=("192.168.1.5",)), ("192.168.1.5",)),
        (Web(https=True, trusted_proxies=("192.168.1.5",)), ("192.168.1.5",)),
        (Web(https=True, host="192.168.1.4"), ("127.0.0.1", "::1", "192.168.1.4")),
    ],
)
def test_tls_ends_on_this_machine_unless_a_proxy_is_named(
    web: Web, proxies: tuple[str, ...]
) -> None:
    # Else every caller would seem to sit on this machine, inside of every network.
    assert web.proxies == proxies


MAIL = '[mail]\nhost = "mail.pars.example"\nfrom_address = "crm@pars.example"\n'
SMS = '[sms]\nurl = "https://sms.example/send"\nbody = \'{"to": "{to}", "text": "{text}"}\'\n'


@pytest.mark.parametrize("text", ["", MAIL, SMS, MAIL + SMS])
def test_mail_and_sms_that_are_right_are_taken(tmp_path: Path, text: str) -> None:
    settings = load_settings(home_with(tmp_path, text))

    assert bool(settings.mail.host) == ("[mail]" in text)
    assert bool(settings.sms.url) == ("[sms]" in text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (MAIL + "port = 0", "mail.port"),
        (MAIL + 'security = "ssl"', "mail.security"),
        (MAIL.replace("crm@pars.example", "crm"), "mail.from_address"),
        ('[mail]\nhost = "mail.pars.example"', "mail.from_address"),
        (MAIL + 'from_name = "a\\nBcc: b"', "mail.from_name"),
        (MAIL + 'user = "crm"', "mail.password_file"),
        (MAIL + 'password_file = "mail.password"', "mail.password_file"),
        (MAIL + 'user = "crm"\npassword_file = "../../etc/passwd"', "mail.password_file"),
        (MAIL + 'user = "crm"\npassword_file = "p"\nsecurity = "none"', "mail.security"),
        (MAIL + "timeout_s = 61", "mail.timeout_s"),
        (SMS.replace("https://sms.example/send", "sms.example"), "sms.url"),
        (SMS.replace("https://sms.example/send", "ftp://sms.example"), "sms.url"),
        (SMS.replace("https://sms.example/send", "https://{to}.example/send"), "sms.url"),
        (SMS.replace("https://sms.example/send", "https://me:pw@sms.example/"), "sms.url"),
        (SMS + 'method = "DELETE"', "sms.method"),
        (SMS + 'method = "GET"', "sms.body"),
        (SMS.replace("{text}", "{message}"), "sms.body"),
        (SMS.replace("{text}", "hello"), "sms.body"),
        (SMS.replace('"{to}",', '"{to}"'), "sms.body"),
        (SMS + 'body_format = "yaml"', "sms.body_format"),
        (SMS + 'number_format = "local"', "sms.number_format"),
        (SMS + 'headers = ["X-Key {secret}"]', "sms.headers"),
        (SMS + 'headers = ["X-Key: a\\nX-Other: b"]', "sms.headers"),
        (SMS + 'headers = ["X-Text: {text}"]', "sms.headers"),
        (SMS + 'headers = ["X-Key: {secret}"]', "sms.secret_file"),
        (SMS + 'secret_file = "sms.key"', "sms.secret_file"),
        (SMS + 'success_status = ["ok"]', "sms.success_status"),
        (SMS + "success_status = []", "sms.success_status"),
        (SMS + 'success_pattern = "("', "sms.success_pattern"),
        (SMS + "timeout_s = 0", "sms.timeout_s"),
    ],
)
def test_mail_and_sms_that_cannot_be_meant_so_are_refused(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        load_settings(home_with(tmp_path, text))

    assert refusal.value.field == place
    assert place in refusal.value.message
