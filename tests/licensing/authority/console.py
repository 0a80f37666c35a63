"""`daftar-authority` as the vendor's people use it, inside the test."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from licensing.authority.rooms import main
from tests.licensing.authority.stage import PASSPHRASE


class Console:
    """A terminal at one home."""

    def __init__(self, home: Path, passphrase: str = PASSPHRASE) -> None:
        self.home = home
        self.environment = {
            "LANG": "C.UTF-8",
            "DAFTAR_AUTHORITY_HOME": str(home),
            "DAFTAR_AUTHORITY_PASSPHRASE": passphrase,
        }

    def run(self, *words: object) -> Result:
        """Run a command whatever becomes of it."""
        return CliRunner().invoke(main, [str(word) for word in words], env=self.environment)

    def json(self, *words: object) -> dict[str, Any]:
        """Run a command that must succeed and return its report."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    def refusal(self, *words: object) -> tuple[int, str]:
        """Run a command that must fail and return its code and its sentence."""
        result = self.run(*words)
        assert result.exit_code != 0, result.output
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stderr.strip()
