"""The rehearsed drill as the vendor's people run it: the real command, killed in the middle, run again."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from licensing.authority.config import load_settings
from licensing.authority.keys.ceremony import alone
from licensing.authority.replacing import count_resting
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import (
    PASSPHRASE,
    Program,
    Vendor,
    found_vendor,
    open_vendor,
    start_program,
)
from tests.licensing.authority.stranger import over_http
from tests.support.postgres import Cluster

LICENSES = 80
PATIENCE_S = 120


@pytest.fixture(params=["sqlite", "postgresql"])
def busy_house(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_cluster: Cluster
) -> Iterator[Vendor]:
    """Give a served authority with many licences of one key."""
    url = ""
    if request.param == "postgresql":
        url = postgres_cluster.url(postgres_cluster.create_database())
    settings = found_vendor(tmp_path / "authority", url)
    program: Program = start_program(settings.home, tmp_path / "log")
    vendor = open_vendor(settings, over_http(program.url))
    try:
        yield vendor
    finally:
        vendor.database.dispose()
        program.stop()


def left(vendor: Vendor, keyid: str) -> int:
    with vendor.database.read() as session:
        return count_resting(session, keyid)


def revoke(vendor: Vendor, keyid: str, *words: str) -> "subprocess.Popen[bytes]":
    home = vendor.settings.home
    roots = [f"--root-key={home / 'root' / f'root-{number}.pem'}" for number in (1, 3)]
    command = [sys.executable, "-m", "licensing.authority.cli", "--home", str(home)]
    environment = {**os.environ, "DAFTAR_AUTHORITY_PASSPHRASE": PASSPHRASE, "LANG": "C.UTF-8"}
    return subprocess.Popen(
        [*command, "keys", "revoke", keyid, *roots, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_killed_in_the_middle_the_drill_goes_on_with_what_is_left(busy_house: Vendor) -> None:
    vendor = busy_house
    sold = vendor.sell_many(LICENSES)
    servers = [vendor.stranger() for _place in range(3)]
    for server, issued in zip(servers, (sold[0], sold[1], sold[-1]), strict=True):
        server.activate(issued.code)
    dead = vendor.key_of("license").keyid

    # One licence in a transaction, so that the kill falls between two of them.
    begun = revoke(vendor, dead, "--batch", "1")
    wait_until(vendor, dead, LICENSES - 5, begun)
    begun.kill()
    begun.communicate()

    halfway = left(vendor, dead)
    assert 0 < halfway < LICENSES
    entry = next(one for one in vendor.keys.ring().keyset.keys if one.keyid == dead)
    assert entry.revoked_at is None
    # Whoever calls now is answered, with its old licence or its new one.
    for server in servers[:2]:
        assert server.check_in().kind == "lease"

    finished = revoke(vendor, dead, "--json")
    out, complaints = finished.communicate(timeout=PATIENCE_S)
    assert finished.returncode == 0, complaints
    report = json.loads(out)
    assert (report["version"], report["resigned"]) == (3, halfway)
    assert left(vendor, dead) == 0
    for server in servers:
        server.check_in()
        assert (server.license["serial"], server.trust.keyset["version"]) == (2, 3)


def wait_until(vendor: Vendor, keyid: str, few: int, work: "subprocess.Popen[bytes]") -> None:
    """Wait until no more than so many licences rest on the key."""
    deadline = time.monotonic() + PATIENCE_S
    while left(vendor, keyid) > few:
        assert work.poll() is None, work.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_two_ceremonies_at_once_publish_no_number_twice(console: Console) -> None:
    roots = [f"--root-key={console.home / 'root' / f'root-{number}.pem'}" for number in (1, 2)]
    with alone(load_settings(console.home)):
        code, sentence = console.refusal("keys", "rotate", *roots)

    assert (code, "Somebody else" in sentence) == (3, True)
    assert console.json("keys", "rotate", *roots)["version"] == 2


# Root keys on media


def test_root_keys_come_one_after_another_from_one_drive(console: Console, tmp_path: Path) -> None:
    """There is one drive. The first medium is taken out before the second is put in."""
    safe, drive = tmp_path / "safe", tmp_path / "drive"
    shutil.move(console.home / "root", safe)
    drive.mkdir()
    terminal = Terminal(console, "keys", "rotate", "--role", "lease")

    terminal.expect("Root key 1 of 2")
    terminal.type(str(drive / "root-1.pem"))  # nothing is in the drive yet
    terminal.expect("cannot be read")
    terminal.expect("Root key 1 of 2")
    shutil.copy(safe / "root-1.pem", drive / "key.pem")
    terminal.type(str(drive / "key.pem"))
    terminal.expect("Taken in")
    terminal.expect("Root key 2 of 2")
    terminal.type(str(drive / "key.pem"))  # the same medium again
    terminal.expect("taken in already")
    terminal.expect("Root key 2 of 2")
    (drive / "key.pem").unlink()
    shutil.copy(safe / "root-3.pem", drive / "key.pem")
    terminal.type(str(drive / "key.pem"))
    terminal.expect("Keyset 2 is published")

    assert terminal.end() == 0
    assert console.json("keys", "list")["version"] == 2


class Terminal:
    """A person at a real terminal."""

    def __init__(self, console: Console, *words: str) -> None:
        self.heard = ""
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "licensing.authority.cli", *words],
            env={**os.environ, **console.environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.line = ours

    def expect(self, words: str) -> None:
        """Read until these words have come."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.heard:
            assert time.monotonic() < deadline, self.heard
            if select.select([self.line], [], [], 1.0)[0]:
                try:
                    self.heard += os.read(self.line, 4096).decode()
                except OSError as error:  # the other end has hung up
                    raise AssertionError(self.heard) from error
        self.heard = self.heard.partition(words)[2]

    def type(self, words: str) -> None:
        os.write(self.line, words.encode() + b"\n")

    def end(self) -> int:
        code = self.process.wait(timeout=PATIENCE_S)
        os.close(self.line)
        return code
