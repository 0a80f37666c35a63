"""The authority as a program: started, killed in the middle of work, stopped, misused. Real processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import requests

from licensing.authority.activations.rules import ActivationStatus
from tests.licensing.authority.stage import (
    PASSPHRASE,
    Vendor,
    found_vendor,
    open_vendor,
    start_program,
)
from tests.licensing.authority.stranger import Stranger, over_http

ACTIVATIONS = "/v1/activations"


@dataclass
class Rush:
    """Many servers that want to be activated at once, three for each licence."""

    servers: list[Stranger]
    asked: list[bytes]
    cut: Callable[[], None]
    told: dict[int, bytes] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def ask(self, place: int) -> None:
        """Send one request; the line may break. Whoever is answered fifth cuts the power."""
        with suppress(requests.RequestException):
            answer = self.servers[place].ask(ACTIVATIONS, self.asked[place])
            with self.lock:
                self.told[place] = answer.raw
                if len(self.told) == 5:
                    self.cut()


def test_a_power_cut_in_the_middle_of_activations_loses_and_doubles_nothing(
    tmp_path: Path, empty_url: str
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    settings = found_vendor(home, empty_url)
    program = start_program(home, log)
    vendor = open_vendor(settings, over_http(program.url))
    try:
        sold = [vendor.sell() for _number in range(8)]
        pairs = [(vendor.stranger(), issued.code) for issued in sold for _server in range(3)]
        asked = [server.activate_request(code) for server, code in pairs]
        rush = Rush([server for server, _code in pairs], asked, program.kill)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(rush.ask, range(len(pairs))))

        assert 5 <= len(rush.told) < len(pairs)
        assert all(len(vendor.activations(issued.license_id)) <= 1 for issued in sold)
        program = start_program(home, log)
        vendor.send = over_http(program.url)
        ask_again(vendor, rush)
    finally:
        vendor.database.dispose()
        program.stop()


def ask_again(vendor: Vendor, rush: Rush) -> None:
    """Let every server send its request once more, byte for byte; one of three gets the licence."""
    active: list[str] = []
    for place, server in enumerate(rush.servers):
        server.send = vendor.send
        answer = server.ask(ACTIVATIONS, rush.asked[place])
        assert answer.raw == rush.told.get(place, answer.raw)
        assert answer.kind == "bundle" or answer.code == "E_ALREADY_ACTIVE"
        if answer.kind == "bundle":
            active.append(str(server.license["license_id"]))
            assert server.check_in().payload["seq"] == 2
            [held] = vendor.activations(active[-1])
            assert (held.status, held.head_seq) == (ActivationStatus.ACTIVE, 2)
    assert len(active) == len(set(active)) == len(rush.servers) // 3


def test_a_killed_web_process_is_replaced_and_nobody_notices_for_long(
    sqlite_vendor: Vendor,
) -> None:
    server = sqlite_vendor.stranger()
    server.activate(sqlite_vendor.sell().code)
    request_line = server.send

    def patient(method: str, path: str, body: bytes | None) -> object:
        for _attempt in range(100):
            with suppress(requests.RequestException):
                return request_line(method, path, body)
            time.sleep(0.05)
        raise AssertionError("nobody answers")

    server.send = patient  # type: ignore[assignment] # it returns what the line returns
    for pid in web_processes(sqlite_vendor)[:1]:
        os.kill(pid, signal.SIGKILL)
        assert server.check_in().kind == "lease"


def web_processes(vendor: Vendor) -> list[int]:
    """Return the processes that serve this home, the oldest first, without their parent."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(vendor.settings.home).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return sorted(found)[1:]


def run(
    home: Path, *words: str, passphrase: str = PASSPHRASE
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "licensing.authority.cli", "--home", str(home), *words],
        env={**os.environ, "DAFTAR_AUTHORITY_PASSPHRASE": passphrase, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_serving_needs_the_passphrase(tmp_path: Path) -> None:
    found_vendor(tmp_path / "home")

    refused = run(tmp_path / "home", "serve", passphrase="")

    assert refused.returncode == 3
    assert "DAFTAR_AUTHORITY_PASSPHRASE" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_taken_port_is_named(sqlite_vendor: Vendor) -> None:
    url = re.search(r":(\d+)", str(sqlite_vendor_url(sqlite_vendor)))
    assert url is not None

    refused = run(sqlite_vendor.settings.home, "serve", "--port", url.group(1))

    assert refused.returncode == 3
    assert url.group(1) in refused.stderr
    assert "Traceback" not in refused.stderr


def sqlite_vendor_url(vendor: Vendor) -> str:
    """Return where the served authority answers, as its log says."""
    log = (vendor.settings.home / "log").read_text("utf8")
    return log.partition("answers at ")[2].split()[0]


def test_the_log_tells_no_secret(sqlite_vendor: Vendor) -> None:
    issued, server = sqlite_vendor.sell(), sqlite_vendor.stranger()
    server.activate(issued.code)
    server.check_in()

    log = (sqlite_vendor.settings.home / "log").read_text("utf8")
    assert issued.code not in log
    assert PASSPHRASE not in log
    assert server.lease["next_nonce"] not in log
