"""Founding an authority: what is there afterwards, who may read it, and what an interruption leaves."""

import re
import stat
from dataclasses import fields
from pathlib import Path

import pytest

from licensing.authority import disk, founding
from licensing.authority.config import Settings, load_settings
from licensing.authority.founding import UNFINISHED, Wishes, found, is_founded
from licensing.authority.keys import ceremony, private, store
from licensing.authority.keys.store import read_trust
from licensing.authority.migrations.run import CHAIN
from server.core.errors import Conflict, Invalid, Missing
from tests.licensing.authority.stage import PASSPHRASE
from tests.support.sources import ROOT


def wishes(root_dir: Path, **more: object) -> Wishes:
    return Wishes(root_dir, PASSPHRASE.encode(), **more)  # type: ignore[arg-type] # a test's wish


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_an_authority_needs_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found(home, wishes(tmp_path / "safe"))

    settings = load_settings(home)
    trust = read_trust(settings)
    assert trust.keyset is not None
    assert [entry.roles for entry in trust.keyset.document.keys] == [
        ("license",),
        ("lease",),
        ("release",),
    ]
    assert (trust.root.version, trust.root.threshold, len(trust.root.keys)) == (1, 2, 3)
    assert CHAIN.current(settings.database_url) == CHAIN.head()
    assert sorted(path.name for path in (tmp_path / "safe").iterdir()) == [
        "root-1.pem",
        "root-2.pem",
        "root-3.pem",
    ]


def test_secrets_are_read_by_their_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found(home, wishes(home / "root"))

    assert [mode(home / name) for name in ("", "root", "keys", "secrets")] == [0o700] * 4
    secret = [*(home / "root").iterdir(), *(home / "keys").iterdir(), *(home / "secrets").iterdir()]
    assert {mode(path) for path in secret} == {0o600}
    pems = [path.read_bytes() for path in secret if path.suffix == ".pem"]
    assert all(b"BEGIN ENCRYPTED PRIVATE KEY" in pem for pem in pems)


def test_the_passphrase_is_kept_nowhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found(home, wishes(home / "root"))

    kept = [path for path in home.rglob("*") if path.is_file()]
    assert len(kept) > 8
    assert not any(PASSPHRASE.encode() in path.read_bytes() for path in kept)


@pytest.mark.parametrize("steps", range(13))
def test_an_interrupted_run_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The power fails before every single file that is written; the next run finishes the work."""
    home, left = tmp_path / "home", [steps]

    def failing(path: Path, content: bytes, mode: int = 0o644) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        disk.write_file(path, content, mode)

    with monkeypatch.context() as broken:
        for room in (founding, ceremony, private):
            broken.setattr(room, "write_file", failing)
        with pytest.raises(KeyboardInterrupt):
            found(home, wishes(tmp_path / "safe"))
    assert not is_founded(home)

    found(home, wishes(tmp_path / "safe"))

    assert is_founded(home)
    assert not (home / UNFINISHED).exists()
    settings = load_settings(home)
    store.Keys(settings, PASSPHRASE.encode()).check(read_trust(settings).keyset.document.issued_at)  # type: ignore[union-attr] # it is there


def test_an_interrupted_run_is_not_finished_with_other_root_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with monkeypatch.context() as broken:
        broken.setattr(founding, "first_keyset", lambda *_held: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):  # noqa: PT011 - it stands for a full disk
            found(home, wishes(tmp_path / "safe"))

    with pytest.raises(Conflict, match="--root-dir"):
        found(home, wishes(tmp_path / "elsewhere"))


def test_root_keys_are_never_overwritten(tmp_path: Path) -> None:
    found(tmp_path / "one", wishes(tmp_path / "safe"))
    before = (tmp_path / "safe" / "root-1.pem").read_bytes()

    with pytest.raises(Conflict, match="never overwritten"):
        found(tmp_path / "two", wishes(tmp_path / "safe"))

    assert (tmp_path / "safe" / "root-1.pem").read_bytes() == before
    assert not is_founded(tmp_path / "two")


def test_keys_without_settings_are_not_taken_for_an_empty_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found(home, wishes(home / "root"))
    (home / "authority.toml").unlink()

    with pytest.raises(Conflict, match=r"authority\.toml"):
        found(home, wishes(home / "root"))


def test_a_home_without_settings_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="daftar-authority init"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("port = 8100", "port = 0"),
        ("processes = 2", "processes = 0"),
        ("per_ip_minute = 60", "per_ip_minute = 0"),
        ("per_ip_minute = 60", 'per_ip_minute = "many"'),
        ("enabled = true", "enabeld = true"),
        ("builds = []", 'builds = ["0.2.0 in March"]'),
        ("[log]", "[log"),
    ],
)
def test_wrong_settings_are_refused_loudly(tmp_path: Path, line: str, wrong: str) -> None:
    home = tmp_path / "home"
    found(home, wishes(home / "root"))
    path = home / "authority.toml"
    text = path.read_text("utf8")
    assert line in text
    path.write_text(text.replace(line, wrong), "utf8")

    with pytest.raises(Invalid):
        load_settings(home)


def test_every_setting_has_its_line_in_the_vendors_guide() -> None:
    elsewhere = {"mail", "sms", "console"}  # pages of their own
    guide = (ROOT / "docs" / "vendor" / "running.md").read_text("utf8")
    sections = [item for item in fields(Settings) if item.name not in {"home", *elsewhere}]

    lines = [line for line in guide.splitlines() if line.startswith("| ")]
    place, told = "", set()
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        named = re.fullmatch(r"`\[(\w+)\]`", cells[0])
        place = named.group(1) if named else place if cells[0] == "" else ""
        if place:
            told |= {(place, key) for key in re.findall(r"`(\w+)`", cells[1])}

    expected = {
        (section.name, key.name)
        for section in sections
        for key in fields(section.default_factory())  # type: ignore[operator] # a dataclass
    }
    assert told == expected
