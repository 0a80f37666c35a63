"""What an installation has done so far, in `HOME/install.json`: written whole after every step.

The delivery forms take their facts from it: when what was installed, and what the preflight found.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from backup import disk
from installer.forms.form import CheckStatus, HostCheck
from server.core import clock
from server.core.errors import Broken
from server.core.i18n import gettext as _

FILE = "install.json"
FORMAT = 1


@dataclass(frozen=True)
class Journal:
    """One installation's history. `steps` says when each was done; `installed_at` is its end."""

    version: str
    mode: str
    started_at: datetime
    installed_at: datetime | None = None
    steps: dict[str, datetime] = field(default_factory=dict)
    host_checks: tuple[HostCheck, ...] = ()

    def did(self, step: str) -> bool:
        """Tell whether a step was done."""
        return step in self.steps

    def with_step(self, step: str) -> "Journal":
        """Return the journal after a step was done now."""
        return replace(self, steps={**self.steps, step: clock.now()})


def load_journal(home: Path) -> Journal | None:
    """Return the journal of a home, None when nothing was begun there, or raise Broken."""
    path = home / FILE
    try:
        return _read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(
            _(
                "The journal of the installation, %(path)s, is damaged: %(why)s. "
                "Move it away and repeat “daftar install”; what is there is kept.",
                path=path,
                why=error,
            )
        ) from error


def save_journal(home: Path, journal: Journal) -> None:
    """Write the journal whole or not at all."""
    text = json.dumps(_record(journal), ensure_ascii=False, indent=1)
    with disk.naming_the_cause(home):
        disk.replace(home / FILE, text.encode() + b"\n")


def _read(record: dict[str, object]) -> Journal:
    steps, checks = record["steps"], record["host_checks"]
    if record["format"] != FORMAT or not isinstance(steps, dict) or not isinstance(checks, list):
        raise ValueError(f"format {record['format']}")
    ended = record["installed_at"]
    return Journal(
        version=str(record["version"]),
        mode=str(record["mode"]),
        started_at=_moment(record["started_at"]),
        installed_at=None if ended is None else _moment(ended),
        steps={str(name): _moment(at) for name, at in steps.items()},
        host_checks=tuple(
            HostCheck(row["id"], row["title"], CheckStatus(row["status"]), row["detail"])
            for row in checks
        ),
    )


def _record(journal: Journal) -> dict[str, object]:
    ended = journal.installed_at
    return {
        "format": FORMAT,
        "version": journal.version,
        "mode": journal.mode,
        "started_at": clock.rfc3339(journal.started_at),
        "installed_at": None if ended is None else clock.rfc3339(ended),
        "steps": {name: clock.rfc3339(at) for name, at in journal.steps.items()},
        "host_checks": [
            {
                "id": check.id,
                "title": check.title,
                "status": check.status.value,
                "detail": check.detail,
            }
            for check in journal.host_checks
        ],
    }


def _moment(value: object) -> datetime:
    return datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
