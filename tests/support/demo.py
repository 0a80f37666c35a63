"""The demo as a test runs it: its own folder, its own ports, ended when the test ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 240
PASSWORD = "daftar-demo-1404"


@dataclass
class Demo:
    """A folder for the demo's homes, its two ports, and the process while it runs."""

    var: Path
    port: int
    authority_port: int
    process: "subprocess.Popen[str] | None" = None

    @property
    def home(self) -> Path:
        return self.var / "demo"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.var.parent / "demo.log"

    def start(self) -> None:
        """Start the demo as `make demo` does."""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "installer.demo", "--var", str(self.var)],
                env={
                    **os.environ,
                    "LANG": "C.UTF-8",
                    "PYTHONUNBUFFERED": "1",
                    "DAFTAR_PORT": str(self.port),
                    "DAFTAR_AUTHORITY_PORT": str(self.authority_port),
                },
                stdout=log,
                stderr=log,
                text=True,
            )

    def wait_for(self, seen: Callable[[str], bool]) -> str:
        """Return what the demo has said as soon as it is what we wait for."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            said = self.log.read_text()
            if seen(said):
                return said
            assert self.process is not None
            assert self.process.poll() is None, said
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End the demo and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def is_ready(said: str) -> bool:
    return "Ctrl-C stops both" in said


def is_silent(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def process_of(port: int) -> int:
    """Return the process that was told to serve on the port."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        words = entry.read_bytes().split(b"\0") if entry.exists() else []
        if b"serve" in words and str(port).encode() in words:
            return int(entry.parent.name)
    raise AssertionError(f"Nobody serves on port {port}.")
