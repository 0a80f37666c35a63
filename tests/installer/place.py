"""A server to install on: a home, answers that fit a test, and the command run in this process."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer.rooms import main
from installer.steps.toml import literal
from licensing.document.keyset import Root

PASSWORD = "correct-horse-1404"
Sections = dict[str, dict[str, object]]


def write_root(path: Path) -> None:
    """Write the root keys of a vendor whom nobody knows."""
    keys = tuple(Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _no in range(3))
    path.write_text(json.dumps(Root(1, 2, keys).to_payload()), encoding="utf8")


@dataclass
class Place:
    """A folder with answers beside the home that is installed from them."""

    folder: Path
    port: int
    sections: Sections = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Return the home."""
        return self.folder / "home"

    @property
    def answers(self) -> Path:
        """Return the file of answers."""
        return self.folder / "answers.toml"

    def prepare(self) -> "Place":
        """Write root keys, a password and answers that install without a line."""
        write_root(self.folder / "root.json")
        (self.folder / "password").write_text(f"{PASSWORD}\n", encoding="utf8")
        self.sections = {
            "web": {"port": self.port},
            "organization": {"name": "Pars", "locale": "en"},
            "license": {"trust_root": "root.json", "offline": True},
            "admin": {"email": "root@example.com", "name": "Root", "password_file": "password"},
            "backup": {"recovery_sheet": "sheet.txt"},
            "security": {"argon2_memory_kib": 64, "argon2_rounds": 1},
        }
        return self.write()

    def write(self, head: str = 'mode = "user"', **changes: dict[str, object]) -> "Place":
        """Write the answers, with other values in some sections."""
        lines = [head]
        for name in {**self.sections, **changes}:
            table = {**self.sections.get(name, {}), **changes.get(name, {})}
            lines += [f"[{name}]", *(f"{key} = {toml(value)}" for key, value in table.items())]
        self.answers.write_text("\n".join(lines) + "\n", encoding="utf8")
        return self

    def run(self, *words: str, **environment: str) -> Result:
        """Run `daftar` on this home."""
        return run(*words, DAFTAR_HOME=str(self.home), **environment)

    def install(self, *words: str) -> Result:
        """Install from the answers."""
        return self.run("install", "--answers", str(self.answers), "--yes", *words)


def toml(value: object) -> str:
    return literal(tuple(value) if isinstance(value, list) else value)


def run(*words: str, **environment: str) -> Result:
    """Run `daftar` in this process, in English; no command of ours may end with a traceback."""
    result = CliRunner().invoke(main, words, env={"LANG": "C.UTF-8", **environment})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result
