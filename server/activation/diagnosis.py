"""Diagnosing the way to the vendor: run in the background, watched by every process, told in words.

The steps stand in a file of the run directory, so that whichever process is asked can show them; the
words are chosen when they are read, in the reader's language.
"""

import contextlib
import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from licensing.client.client import LicenseClient
from licensing.client.diagnosis import Found, Grade, Step, Steps, diagnose
from licensing.client.disk import publish, read_if_there
from server.activation.findings import TITLES, WHY, cause, in_words
from server.activation.rules import moment
from server.core import clock
from server.core.actor import Actor
from server.core.clock import rfc3339
from server.core.i18n import gettext as _
from server.core.version import VERSION

log = logging.getLogger(__name__)

FILE, LOCK = "diagnosis.json", "diagnosis.lock"
_STEPS = len(Step)


@dataclass(frozen=True)
class Check:
    """One step on the way to one address, in the reader's language."""

    id: str
    url: str
    title: str
    status: str
    code: str
    detail: str
    why: str
    fix: str


@dataclass(frozen=True)
class Diagnosis:
    """How a look at the way to the vendor went, or how far it is."""

    started_at: datetime | None
    runs: bool
    checks: tuple[Check, ...]
    total: int

    @property
    def ok(self) -> bool:
        """Tell whether at least one address can be reached and nothing failed on the way to it."""
        ways = self.ways
        return bool(ways) and any(
            all(check.status != Grade.FAIL for check in checks) for checks in ways.values()
        )

    @property
    def ways(self) -> dict[str, list[Check]]:
        """Return the steps by address."""
        found: dict[str, list[Check]] = {}
        for check in self.checks:
            found.setdefault(check.url, []).append(check)
        return found

    @property
    def cause(self) -> str:
        """Return the verdict in one sentence; "" while it runs or when nothing was looked at."""
        if self.runs or not self.checks:
            return ""
        return cause(
            {
                url: next((one.id for one in checks if one.status == Grade.FAIL), None)
                for url, checks in self.ways.items()
            }
        )

    @property
    def is_interrupted(self) -> bool:
        """Tell whether the process ended before the last step."""
        return not self.runs and self.started_at is not None and len(self.checks) < self.total

    def report(self) -> str:
        """Return the steps as text for the vendor; it holds no secret and no data."""
        started = rfc3339(self.started_at) if self.started_at else "–"
        lines = [_("Way to the vendor, looked at %(moment)s", moment=started), f"Daftar {VERSION}"]
        for url, checks in self.ways.items():
            lines += ["", url]
            for check in checks:
                lines.append(f"[{check.status}] {check.title} ({check.code}): {check.detail}")
                if check.fix:
                    lines.append(f"    → {check.fix}")
        return "\n".join([*lines, "", self.cause, ""])

    def document(self) -> dict[str, object]:
        """Return the JSON that `daftar license diagnose --json` prints."""
        return {
            "ok": self.ok,
            "cause": self.cause,
            "checks": [asdict(check) for check in self.checks],
        }


class Doctor:
    """Looks at the way to the vendor, one look at a time for the whole installation."""

    def __init__(self, client: LicenseClient, folder: Path) -> None:
        self._client = client
        self._path = folder / FILE
        self._lock = folder / LOCK

    def look_now(self, actor: Actor, tell: Callable[[Check], None]) -> Diagnosis:
        """Look and wait for the end; `tell` hears of each step, from several threads."""
        actor.must("license.manage")
        started, seen, here = clock.timestamp(), threading.Lock(), copy_context()

        def say(found: Found) -> None:
            with seen:  # in the language of whoever asked, which threads do not inherit
                here.run(lambda: tell(_check(found)))

        found = diagnose(self._client.examinee(), say)
        return _diagnosis(started, found, runs=False, total=len(found))

    def begin(self, actor: Actor) -> bool:
        """Start looking in the background; False when somebody looks already."""
        actor.must("license.manage")
        examinee = self._client.examinee()
        held = self._patiently_taken()
        if held is None:
            return False
        total = _STEPS * len(examinee.urls) or 1
        started, steps = clock.timestamp(), Steps()
        self._keep(started, (), total)

        def look() -> None:
            with held:
                try:
                    diagnose(examinee, lambda one: self._keep(started, steps.add(one), total))
                except Exception:
                    log.exception("The diagnosis could not go on.")

        threading.Thread(target=look, name="license-diagnosis", daemon=True).start()
        return True

    def last(self, actor: Actor) -> Diagnosis:
        """Return the last look, or the one under way."""
        actor.must("license.manage")
        runs = self._is_taken()
        try:
            kept = json.loads(read_if_there(self._path) or b"null")
            if kept is None:
                return Diagnosis(None, runs, (), 0)
            found = [
                Found(one["url"], Step(one["step"]), Grade(one["grade"]), one["code"], one["facts"])
                for one in kept["steps"]
            ]
            return _diagnosis(int(kept["started_at"]), found, runs=runs, total=int(kept["total"]))
        except (ValueError, KeyError, TypeError):
            return Diagnosis(None, runs, (), 0)

    def _keep(self, started: int, steps: Sequence[Found], total: int) -> None:
        kept = {"started_at": started, "total": total, "steps": [asdict(one) for one in steps]}
        with contextlib.suppress(OSError):  # a full disk is no reason to stop looking
            publish(self._path, json.dumps(kept).encode())

    def _taken(self) -> IO[bytes] | None:
        """Return the lock of this look, None when another holds it; it ends with its process."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        held = os.fdopen(os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            return None
        return held

    def _patiently_taken(self) -> IO[bytes] | None:
        # Whoever only asks whether somebody looks holds the lock for a blink.
        for _attempt in range(5):
            held = self._taken()
            if held is not None:
                return held
            time.sleep(0.05)
        return None

    def _is_taken(self) -> bool:
        with _closing(self._taken()) as held:
            return held is None


@contextmanager
def _closing(held: IO[bytes] | None) -> Iterator[IO[bytes] | None]:
    try:
        yield held
    finally:
        if held is not None:
            held.close()


def _diagnosis(started: int, found: Sequence[Found], *, runs: bool, total: int) -> Diagnosis:
    return Diagnosis(moment(started), runs, tuple(map(_check, found)), total)


def _check(found: Found) -> Check:
    detail, fix = in_words(found.code, found.facts)
    return Check(
        id=found.step.value,
        url=found.url,
        title=_(TITLES[found.step.value]),
        status=found.grade.value,
        code=found.code,
        detail=detail,
        why=_(WHY[found.step.value]),
        fix=fix,
    )
