"""Other machines that keep copies: a real OpenSSH server and an object storage, each its own process."""

import os
import pwd
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port
from tests.support.sources import ROOT

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
KEYGEN = "/usr/bin/ssh-keygen"
MOTO = ROOT / ".venv" / "storage" / "bin" / "moto_server"
CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
PidFile {root}/sshd.pid
AuthorizedKeysFile {authorized}
AuthenticationMethods publickey
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
LogLevel ERROR
"""


@dataclass(frozen=True)
class Server:
    """Where the other machine answers, and what signs in there."""

    url: str
    secret: str
    host_key: str = ""


@contextmanager
def sshd(root: Path, folder: Path) -> Iterator[Server]:
    """Run OpenSSH's server for the user who runs the tests."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("host", "user"):
        make = [KEYGEN, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(root / name)]
        subprocess.run(make, check=True)
    shutil.copy(root / "user.pub", root / "authorized")
    port = free_port()
    text = CONFIG.format(
        port=port, root=root, host_key=root / "host", authorized=root / "authorized"
    )
    (root / "config").write_text(text)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # Debian's server wants it, as its unit makes it
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(root / "config")], stderr=subprocess.PIPE
    )
    try:
        _wait_for(port, process)
        user = pwd.getpwuid(os.geteuid()).pw_name
        yield Server(
            url=f"sftp://{user}@127.0.0.1:{port}{folder}",
            secret=(root / "user").read_text(),
            host_key=(root / "host.pub").read_text().strip(),
        )
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def object_storage(bucket: str = "backups") -> Iterator[Server]:
    """Run an object storage with one bucket in memory."""
    port = free_port()
    process = subprocess.Popen(
        [str(MOTO), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        make = urllib.request.Request(f"http://127.0.0.1:{port}/{bucket}", method="PUT")
        with urllib.request.urlopen(make):  # noqa: S310
            pass
        yield Server(url=f"http://127.0.0.1:{port}/{bucket}/daftar", secret="key\nsecret\n")
    finally:
        process.terminate()
        process.communicate()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")
