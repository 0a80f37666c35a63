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
