"""The demo's vendor: an authority of its own, made by the vendor's real command, and one licence sold."""

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import pyotp

from backup import disk
from installer.demo.programs import Program

SOLD = "demo-license.json"
PASSPHRASE = "passphrase"  # noqa: S105 - the name of a file
SEATS = 25
# The console's owner. The second factor is a real one: a secret of this demo's own, kept where its
# visitors find it, which is what a real vendor must never do.
STAFF = "owner@example.com"
SECOND_FACTOR = "console-second-factor"
STAFF_READY = ".console-ready"


@dataclass(frozen=True)
class Vendor:
    """The authority below its home, and the port it is asked on."""

    home: Path
    port: int

    @property
    def program(self) -> Program:
        """Return the vendor's command for this home."""
        return Program("daftar-authority", self.home, {})

    @property
    def url(self) -> str:
        """Return where customers' servers ask."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def root(self) -> Path:
        """Return the file of root keys that customers are told to trust."""
        return self.home / "trust" / "root.json"

    @property
    def sold(self) -> Path:
        """Return the file that holds the licence's activation code."""
        return self.home / SOLD

    @property
    def is_founded(self) -> bool:
        """Tell whether the authority was founded before."""
        return (self.home / "authority.toml").exists()

    def prepare(self) -> None:
        """Found the authority, once; an interrupted founding goes on where it stopped."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        passphrase = self.home / PASSPHRASE
        if not passphrase.exists():
            disk.replace(passphrase, secrets.token_urlsafe(24).encode() + b"\n")
        if not self.is_founded:
            self.program.run("init", "--yes", "--passphrase-file", str(passphrase))
        self._loosen()

    def _loosen(self) -> None:
        """Let this very machine ask as often as it likes: everybody in the demo has one address."""
        path = self.home / "authority.toml"
        text = path.read_text(encoding="utf8")
        loose = re.sub(r"^loopback = true$", "loopback = false", text, flags=re.MULTILINE)
        if loose != text:
            disk.replace(path, loose.encode())

    def let_in(self, password: str) -> None:
        """Let the demo's owner sign in to the console, once."""
        ready = self.home / STAFF_READY
        if ready.exists():
            return
        listed = json.loads(self.program.run("staff", "list", "--json"))["items"]
        if STAFF not in {member["email"] for member in listed}:
            file = self.home / "console-password"
            disk.replace(file, password.encode() + b"\n")
            disk.replace(self.home / SECOND_FACTOR, pyotp.random_base32().encode() + b"\n")
            self.program.run(
                *("staff", "add", "--email", STAFF, "--name", "Demo Owner", "--role", "owner"),
                *("--password-file", str(file)),
                *("--second-factor-file", str(self.home / SECOND_FACTOR)),
            )
        disk.replace(ready, b"")

    @property
    def second_factor(self) -> str:
        """Return the secret of the owner's second factor."""
        return (self.home / SECOND_FACTOR).read_text(encoding="utf8").strip()

    def code(self) -> str:
        """Return the activation code of the demo's licence, sold at the first call."""
        path = self.sold
        if not path.exists():
            name = "شرکت نمونهٔ دفتر"
            customer = json.loads(
                self.program.run(
                    "customer", "add", "--name", name, "--email", "admin@example.com", "--json"
                )
            )["customer_id"]
            sold = self.program.run(
                *("license", "issue", "--customer", customer, "--seats", str(SEATS)),
                *("--kind", "subscription", "--days", "365", "--json"),
            )
            disk.replace(path, sold.encode())
        return str(json.loads(path.read_bytes())["code"])
